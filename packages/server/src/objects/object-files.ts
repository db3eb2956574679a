/**
 * The bytes of objects as files, for the owner alone. A file is complete and synced before anything says that it is there,
 * and is never changed: a new version of an object is another file.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { objectFault } from './contract.ts';

/** What has been written. */
export interface WrittenFile {
  readonly file: string;
  readonly size: number;
  /** MD5, hexadecimal. */
  readonly md5: string;
}

/** Bytes that are read at once. */
const CHUNK = 256 * 1024;
/** The end of a half-written file's name: backups leave them out. */
const UNFINISHED = '.writing';
const NAME = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

const otherSize = (): never => objectFault('IncompleteBody', 'You did not provide the number of bytes that you announced.');

export class ObjectFiles {
  readonly #folder: string;
  #isMade = false;
  /** Backups under way, and files that are to go when they are done. */
  #holds = 0;
  readonly #unwanted = new Set<string>();

  /** `folder`: made with the first object. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps files until the function that it gives is called. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      if (this.#holds > 0) return;
      for (const file of this.#unwanted) void this.remove(file).catch(() => undefined);
      this.#unwanted.clear();
    };
  }

  /** Writes a file of so many bytes; one that has others, or whose bytes end with a failure, leaves nothing. */
  async write(content: AsyncIterable<Uint8Array>, announced: number): Promise<WrittenFile> {
    this.#make();
    const file = randomUUID();
    const unfinished = `${this.#path(file)}${UNFINISHED}`;
    const hash = createHash('md5');
    let size = 0;
    try {
      const handle = await open(unfinished, 'wx', 0o600);
      try {
        for await (const bytes of content) {
          size += bytes.length;
          if (size > announced) otherSize();
          hash.update(bytes);
          await handle.writeFile(bytes);
        }
        if (size < announced) otherSize();
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, this.#path(file));
      await this.#syncFolder();
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    return { file, size, md5: hash.digest('hex') };
  }

  /** The bytes of a file from one place to another, the last one left out. Fails at the first where the file is gone. */
  async *read(file: string, from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const handle = await open(this.#path(file), 'r').catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? objectFault('ServiceUnavailable', 'The object is not there: try again.') : Promise.reject(error),
    );
    try {
      for (let at = from; at < to; ) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(CHUNK, to - at)), 0, undefined, at);
        if (bytesRead === 0) objectFault('ServiceUnavailable', 'The object is shorter than it should be.');
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  async remove(file: string): Promise<void> {
    if (this.#holds > 0) this.#unwanted.add(file);
    else await rm(this.#path(file), { force: true });
  }

  /** Removes what a dead process left: unfinished files, and those that no record names. */
  async sweep(isNamed: (file: string) => Promise<boolean>): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names)
      if (name.endsWith(UNFINISHED) || (NAME.test(name) && !(await isNamed(name)))) await rm(this.#path(name), { force: true });
  }

  #make(): void {
    if (this.#isMade) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#isMade = true;
  }

  #path(file: string): string {
    return join(this.#folder, file);
  }

  async #syncFolder(): Promise<void> {
    const handle = await open(this.#folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

/** Bytes that are compared with their MD5: the last of them come only when it is right, so that nothing damaged is whole. */
export async function* checked(content: AsyncIterable<Uint8Array>, md5: string): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('md5');
  let held: Uint8Array | undefined;
  for await (const bytes of content) {
    hash.update(bytes);
    if (held !== undefined) yield held;
    held = bytes;
  }
  if (hash.digest('hex') !== md5) objectFault('ServiceUnavailable', 'The object is damaged.');
  if (held !== undefined) yield held;
}
