/**
 * The zip files that functions come in: checked before they are kept, and unpacked for a process that may read what it gets
 * and change nothing. Whatever an archive says of itself, it ends within these bounds and inside its folder.
 */
import { createWriteStream } from 'node:fs';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';

/** Lambda quotas: bytes of an archive, and of what is in it. */
export const LARGEST_ARCHIVE = 50 * 1024 * 1024;
export const LARGEST_UNPACKED = 250 * 1024 * 1024;
/** Files and folders of one archive; ours. */
const MAX_ENTRIES = 20_000;
const LONGEST_NAME = 1024;

/** What is wrong with an archive; `message` may be shown to the caller that brought it. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

const refuse = (message: string): never => {
  throw new ArchiveError(message);
};

/** APPNOTE.TXT 4.4.15: made on Unix, the upper half of the attributes is the file's mode. */
const modeOf = ({ externalFileAttributes }: Entry): number => externalFileAttributes >>> 16;
const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const FOLDER = 0o040000;

const isFolder = (entry: Entry): boolean => entry.fileName.endsWith('/');

/** Names met so far; an archive may not say two things of one. */
class ArchiveNames {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  add(entry: Entry): void {
    const name = entry.fileName.replace(/\/$/, '');
    const parts = name.split('/');
    if (name.length > LONGEST_NAME || parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
      refuse(`The archive holds a file with a name that leads elsewhere: ${JSON.stringify(name.slice(0, 100))}`);
    for (let depth = 1; depth < parts.length; depth += 1) this.#folder(parts.slice(0, depth).join('/'));
    if (isFolder(entry)) this.#folder(name);
    else if (this.#files.has(name) || this.#folders.has(name)) refuse(`The archive holds ${JSON.stringify(name)} twice`);
    else this.#files.add(name);
  }

  #folder(name: string): void {
    if (this.#files.has(name)) refuse(`The archive holds ${JSON.stringify(name)} as a file and as a folder`);
    this.#folders.add(name);
  }
}

function check(entry: Entry): void {
  const type = modeOf(entry) & FILE_TYPE;
  // Links could lead out of the folder; devices and pipes are no code.
  if (type !== 0 && type !== REGULAR && type !== FOLDER)
    refuse(`The archive holds ${JSON.stringify(entry.fileName)}, which is neither a file nor a folder`);
  if (entry.isEncrypted()) refuse('The archive is encrypted');
}

async function open(zip: Uint8Array): Promise<ZipFile> {
  if (zip.length > LARGEST_ARCHIVE) refuse(`Zipped size must be smaller than ${LARGEST_ARCHIVE} bytes`);
  try {
    return await fromBufferPromise(Buffer.from(zip.buffer, zip.byteOffset, zip.length), {
      lazyEntries: true,
      strictFileNames: true,
    });
  } catch {
    return refuse('Could not unzip uploaded file. Please check your file, then try to upload again.');
  }
}

/** Shows every file and folder, checked; a file with its content. */
async function walk(zip: Uint8Array, visit: (entry: Entry, content: Readable | undefined) => Promise<void>): Promise<void> {
  const archive = await open(zip);
  const names = new ArchiveNames();
  let bytes = 0;
  let entries = 0;
  try {
    for await (const entry of archive.eachEntry()) {
      entries += 1;
      bytes += entry.uncompressedSize;
      if (entries > MAX_ENTRIES) refuse(`The archive holds more than ${MAX_ENTRIES} files`);
      if (bytes > LARGEST_UNPACKED) refuse(`Unzipped size must be smaller than ${LARGEST_UNPACKED} bytes`);
      check(entry);
      names.add(entry);
      // The reader stops at the size that the entry was checked by, whatever comes out of it.
      await visit(entry, isFolder(entry) ? undefined : await archive.openReadStreamPromise(entry));
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    refuse(`Could not unzip uploaded file: ${error instanceof Error ? error.message : 'it can not be read'}`);
  }
  if (entries === 0) refuse('Uploaded file must be a non-empty zip');
}

/** Reads all of it; fails with `ArchiveError` for what could not be unpacked. */
export const inspect = (zip: Uint8Array): Promise<void> =>
  walk(zip, async (_entry, content) => {
    for await (const _chunk of content ?? []) {
      // Only to see that it can be read.
    }
  });

/**
 * Unpacks it below a folder that is there. Everything stays the server's own; `group` may read it, or everybody of the
 * server's user where there is none. Modes are set, not asked for: the process may have a mask.
 */
export async function unpack(zip: Uint8Array, folder: string, group?: number): Promise<void> {
  const made = new Set<string>();
  const settle = async (path: string, mode: number): Promise<void> => {
    await chmod(path, mode);
    if (group !== undefined) await chown(path, 0, group);
  };
  const makeFolder = async (path: string): Promise<void> => {
    if (path === folder || made.has(path)) return;
    await makeFolder(dirname(path));
    await mkdir(path);
    await settle(path, 0o750);
    made.add(path);
  };
  await walk(zip, async (entry, content) => {
    const path = join(folder, entry.fileName.replace(/\/$/, ''));
    if (content === undefined) return makeFolder(path);
    await makeFolder(dirname(path));
    await pipeline(content, createWriteStream(path, { flags: 'wx' }));
    await settle(path, (modeOf(entry) & 0o111) === 0 ? 0o640 : 0o750);
  });
}
