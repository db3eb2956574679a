/**
 * The folder that functions live in while they run: their code, unpacked once for each deployment and readable by its
 * processes alone, and a folder of its own for each process to write in. Outside of the data folder, which no function's user
 * may enter.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpack } from '../code/archive.ts';
import { inNamespaces } from './namespaces.ts';
import type { FunctionUser, FunctionUsers } from './users.ts';

const BOOTSTRAPS = ['bootstrap.py', 'bootstrap.mjs'] as const;

/** Code that is unpacked, for as long as a process uses it. */
export interface Deployment {
  readonly folder: string;
  /** Group that may read it; absent where functions are not confined. */
  readonly group?: number;
  readonly release: () => Promise<void>;
}

interface Unpacked {
  uses: number;
  readonly ready: Promise<{ folder: string; user?: FunctionUser }>;
}

export interface WorkshopOptions {
  /** Folder that the workshop is made in. */
  readonly parent: string;
  /** Absent where processes have no user ids of their own. */
  readonly users?: FunctionUsers;
  /** The data folder, when processes are confined by namespaces that cover it. */
  readonly covers?: string;
  /** What the API's certificate is signed by, where it has one. */
  readonly authorityPem?: string;
  /** File that says where the workshop is, for a server that comes after one that was killed. */
  readonly note: string;
}

/** There is no user id left to run anything with. */
export class NoUserLeft extends Error {
  override readonly name = 'NoUserLeft';
}

export class Workshop {
  readonly #options: WorkshopOptions;
  readonly #unpacked = new Map<string, Unpacked>();
  #made: string | undefined;

  constructor(options: WorkshopOptions) {
    this.#options = options;
  }

  /**
   * Ends what a server that was killed has left: its folder, and the processes of its functions. To be called before the
   * first use.
   */
  async clearLeftovers(): Promise<void> {
    const { note, users } = this.#options;
    const left = await readFile(note, 'utf8').catch(() => undefined);
    if (left === undefined) return;
    await users?.endLeftovers();
    if (/\/thingkeep-functions-\w+$/.test(left)) await rm(left, { recursive: true, force: true });
    await rm(note, { force: true });
  }

  /** Made when it is first needed: a server without functions needs none. */
  get #folder(): string {
    this.#made ??= this.#make();
    return this.#made;
  }

  #make(): string {
    const { parent, users, authorityPem, note } = this.#options;
    const folder = mkdtempSync(join(parent, 'thingkeep-functions-'));
    mkdirSync(dirname(note), { recursive: true, mode: 0o700 });
    writeFileSync(note, folder);
    // Everyone may pass through; nobody but the server sees what is in it.
    chmodSync(folder, users === undefined ? 0o700 : 0o711);
    for (const name of BOOTSTRAPS) {
      copyFileSync(join(import.meta.dirname, name), join(folder, name));
      chmodSync(join(folder, name), 0o644);
    }
    if (authorityPem !== undefined) {
      writeFileSync(join(folder, 'authority.pem'), authorityPem);
      chmodSync(join(folder, 'authority.pem'), 0o644);
    }
    return folder;
  }

  /** The authority that the API's certificate is signed by; undefined where the API has none. */
  get authorityFile(): string | undefined {
    return this.#options.authorityPem === undefined ? undefined : join(this.#folder, 'authority.pem');
  }

  bootstrap(name: (typeof BOOTSTRAPS)[number]): string {
    return join(this.#folder, name);
  }

  /** The code of a deployment, unpacked now unless it is already. */
  async use(key: string, zip: () => Promise<Uint8Array>): Promise<Deployment> {
    const known = this.#unpacked.get(key) ?? { uses: 0, ready: this.#unpack(zip) };
    this.#unpacked.set(key, known);
    known.uses += 1;
    try {
      const { folder, user } = await known.ready;
      return { folder, ...(user === undefined ? {} : { group: user.id }), release: () => this.#release(key, known) };
    } catch (error) {
      await this.#release(key, known);
      throw error;
    }
  }

  async #unpack(zip: () => Promise<Uint8Array>): Promise<{ folder: string; user?: FunctionUser }> {
    const user = await this.user();
    const folder = await mkdtemp(join(this.#folder, 'code-'));
    try {
      await unpack(await zip(), folder, user?.id);
      if (user !== undefined) await chown(folder, 0, user.id);
      await chmod(folder, 0o750);
      return { folder, ...(user === undefined ? {} : { user }) };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      await user?.release();
      throw error;
    }
  }

  async #release(key: string, unpacked: Unpacked): Promise<void> {
    unpacked.uses -= 1;
    if (unpacked.uses > 0) return;
    if (this.#unpacked.get(key) === unpacked) this.#unpacked.delete(key);
    const { folder, user } = await unpacked.ready.catch(() => ({ folder: undefined, user: undefined }));
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    await user?.release();
  }

  /** A user id for one process; undefined where functions are not confined. */
  async user(): Promise<FunctionUser | undefined> {
    const { users } = this.#options;
    if (users === undefined) return undefined;
    const user = await users.take();
    if (user === undefined) throw new NoUserLeft('there is no user id left to run a function with');
    return user;
  }

  /** The command as it is to be started, for a process with these folders of the workshop. */
  confined(command: readonly string[], code: string, temporary: string): readonly string[] {
    const { covers: dataFolder } = this.#options;
    return dataFolder === undefined ? command : inNamespaces({ dataFolder, workshop: this.#folder, code, temporary }, command);
  }

  /** A folder for one process to write in. */
  async temporary(user: FunctionUser | undefined): Promise<string> {
    const folder = await mkdtemp(join(this.#folder, 'tmp-'));
    await chmod(folder, 0o700);
    if (user !== undefined) await chown(folder, user.id, user.id);
    return folder;
  }

  close(): void {
    if (this.#made === undefined) return;
    rmSync(this.#made, { recursive: true, force: true });
    rmSync(this.#options.note, { force: true });
  }
}
