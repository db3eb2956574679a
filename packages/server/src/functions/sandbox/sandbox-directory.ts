/**
 * The folder of what functions are shown while they run: their code, unpacked once for each deployment, and the files that
 * every one of them needs. All of it is the server's own, and no other user writes to it; the user that functions run as may
 * read.
 */
import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { chmod, chown, lstat, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpack } from '../code/archive.ts';
import { encodeFilter, seccompFilter } from './seccomp.ts';

/** Read ahead: the folder of the program may be closed to the user that the server becomes. */
const COPIED = ['bootstrap.py', 'bootstrap.mjs', 'forwarder.mjs'].map((name) => ({
  name,
  content: readFileSync(join(import.meta.dirname, name)),
}));

/** Code that is unpacked, for as long as a process uses it. */
export interface Deployment {
  readonly folder: string;
  readonly release: () => Promise<void>;
}

interface Unpacked {
  uses: number;
  readonly ready: Promise<string>;
}

export interface WorkshopOptions {
  /** Folders that the directory may be made in, the best first. */
  readonly parents: readonly string[];
  /** Group of the user that functions run as; absent where that is the server's own. */
  readonly group?: number | undefined;
  /** What the API's certificate is signed by, where it has one. */
  readonly authorityPem?: string | undefined;
  /** Name of the API in its certificate. */
  readonly apiHost: string;
  /** File that says where the directory is, for a server that comes after one that was killed. */
  readonly note: string;
}

/** No folder for temporary files is open to the user that functions run as. */
export class SandboxDirectoryClosed extends Error {
  override readonly name = 'SandboxDirectoryClosed';
}

/** How folders are removed: what has no file left for it is tried again. */
export const REMOVAL = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 } as const;

/** Of the filter of system calls, where a control group counts memory or none does. */
export const filterName = (isCounted: boolean): string => (isCounted ? 'filter' : 'filter-uncounted');

/** Whether everybody may pass through to it: a folder above that is closed keeps a bound file from being found. */
export function isOpenToAll(path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

export class SandboxDirectory {
  readonly #options: WorkshopOptions;
  readonly #unpacked = new Map<string, Unpacked>();
  #made: string | undefined;
  #node: string | undefined;

  constructor(options: WorkshopOptions) {
    this.#options = options;
  }

  /** Removes the folder of a server that was killed: one of the server's own alone, in which no other could write. */
  async clearLeftovers(): Promise<void> {
    const { note } = this.#options;
    const left = (await readFile(note, 'utf8').catch(() => '')).trim();
    if (left === '') return;
    const found = await lstat(left).catch(() => undefined);
    const isOurs = found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
    if (isOurs && /\/thingkeep-sandbox-\w{6}$/.test(left)) await rm(left, { recursive: true, force: true });
    await rm(note, { force: true });
  }

  /** Made when it is first needed: a server without functions needs none. */
  get folder(): string {
    this.#made ??= this.#make();
    return this.#made;
  }

  #make(): string {
    const { parents, group } = this.#options;
    const parent = parents.find((path) => group === undefined || isOpenToAll(join(path, 'x')));
    if (parent === undefined)
      throw new SandboxDirectoryClosed(
        `${parents.join(' and ')} are closed to the user that functions run as (TMPDIR names another)`,
      );
    const folder = mkdtempSync(join(parent, 'thingkeep-sandbox-'));
    try {
      this.#furnish(folder);
      return folder;
    } catch (error) {
      rmSync(folder, REMOVAL);
      throw error;
    }
  }

  #furnish(folder: string): void {
    const { group, authorityPem, apiHost, note } = this.#options;
    mkdirSync(dirname(note), { recursive: true, mode: 0o700 });
    writeFileSync(note, folder);
    // Everyone may pass through; who may read what is said by each thing in it.
    chmodSync(folder, group === undefined ? 0o700 : 0o711);
    const write = (name: string, content: string | Uint8Array): void => {
      writeFileSync(join(folder, name), content);
      chmodSync(join(folder, name), 0o644);
    };
    for (const name of ['runtime', 'etc']) {
      mkdirSync(join(folder, name));
      chmodSync(join(folder, name), 0o755);
    }
    for (const { name, content } of COPIED) write(`runtime/${name}`, content);
    if (authorityPem !== undefined) write('runtime/authority.pem', authorityPem);
    const { arch } = process;
    if (arch === 'x64' || arch === 'arm64')
      for (const isCounted of [true, false]) write(filterName(isCounted), encodeFilter(seccompFilter(arch, isCounted)));
    write('etc/passwd', 'root:x:0:0::/:/bin/false\nfunction:x:1000:1000::/tmp:/bin/sh\n');
    write('etc/group', 'root:x:0:\nfunction:x:1000:\n');
    write('etc/hosts', `127.0.0.1 localhost${apiHost === 'localhost' ? '' : ` ${apiHost}`}\n`);
    write('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  }

  get hasAuthority(): boolean {
    return this.#options.authorityPem !== undefined;
  }

  /** A file of the server's for functions: `runtime/bootstrap.py`, `etc/hosts`, `filter`. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** This Node, where a function may find it: a second name of it, or a copy, when a folder above it is closed. */
  get node(): string {
    this.#node ??= this.#options.group === undefined || isOpenToAll(process.execPath) ? process.execPath : this.#bringNode();
    return this.#node;
  }

  #bringNode(): string {
    const path = join(this.folder, 'node');
    const mode = lstatSync(process.execPath).isFile() ? statSync(process.execPath).mode & 0o005 : 0;
    try {
      if (mode !== 0o005) throw new SandboxDirectoryClosed('not for everybody as it is');
      linkSync(process.execPath, path);
    } catch {
      copyFileSync(process.execPath, path);
      chmodSync(path, 0o755);
    }
    return path;
  }

  /** The code of a deployment, unpacked now unless it is already. */
  async use(key: string, zip: () => Promise<Uint8Array>): Promise<Deployment> {
    const known = this.#unpacked.get(key) ?? { uses: 0, ready: this.#unpack(zip) };
    this.#unpacked.set(key, known);
    known.uses += 1;
    try {
      return { folder: await known.ready, release: () => this.#release(key, known) };
    } catch (error) {
      await this.#release(key, known);
      throw error;
    }
  }

  async #unpack(zip: () => Promise<Uint8Array>): Promise<string> {
    const { group } = this.#options;
    const folder = await mkdtemp(join(this.folder, 'code-'));
    try {
      await unpack(await zip(), folder, group);
      if (group !== undefined) await chown(folder, -1, group);
      await chmod(folder, 0o750);
      return folder;
    } catch (error) {
      await rm(folder, REMOVAL);
      throw error;
    }
  }

  async #release(key: string, unpacked: Unpacked): Promise<void> {
    unpacked.uses -= 1;
    if (unpacked.uses > 0) return;
    if (this.#unpacked.get(key) === unpacked) this.#unpacked.delete(key);
    const folder = await unpacked.ready.catch(() => undefined);
    if (folder !== undefined) await rm(folder, REMOVAL);
  }

  async close(): Promise<void> {
    if (this.#made === undefined) return;
    await rm(this.#made, REMOVAL);
    rmSync(this.#options.note, { force: true });
  }
}
