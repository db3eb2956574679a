/**
 * The folder of the authority's keys (mode 0700), one file per key with its certificate beside it (mode 0600), so that
 * the two can't come apart. A file is written whole or not at all: temporary file, sync, rename, sync of the folder.
 */
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@thingkeep/wire/errors.ts';

/** A key folder or a server certificate that can't be used; the message tells an operator what and why. */
export class AuthorityError extends Error {
  override readonly name = 'AuthorityError';
}

const TEMPORARY = '.writing';

export class KeyFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens the folder, making it where there is none, and clears away what a stopped write left. */
  static async open(path: string): Promise<KeyFolder> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await chmod(path, 0o700);
      for (const name of await readdir(path)) if (name.endsWith(TEMPORARY)) await rm(join(path, name));
    } catch (error) {
      throw new AuthorityError(`key folder ${path} can't be used: ${messageOf(error)}`, { cause: error });
    }
    return new KeyFolder(path);
  }

  fileOf(name: string): string {
    return join(this.path, name);
  }

  /** Content of a file; undefined when there is none. */
  async read(name: string): Promise<string | undefined> {
    const file = this.fileOf(name);
    try {
      const text = await readFile(file, 'utf8');
      // A key that others could read (copied back from a backup, say) is closed again.
      if (((await stat(file)).mode & 0o077) !== 0) await chmod(file, 0o600);
      return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new AuthorityError(`key file ${file} can't be read: ${messageOf(error)}`, { cause: error });
    }
  }

  async write(name: string, text: string): Promise<void> {
    const file = this.fileOf(name);
    const temporary = `${file}${TEMPORARY}`;
    try {
      await using handle = await open(temporary, 'w', 0o600);
      await handle.writeFile(text);
      await handle.sync();
      await rename(temporary, file);
      await using folder = await open(this.path, 'r');
      await folder.sync();
    } catch (error) {
      // The disk that refused the file may refuse this too.
      await rm(temporary, { force: true }).catch(() => undefined);
      throw new AuthorityError(`key file ${file} can't be written: ${messageOf(error)}`, { cause: error });
    }
  }
}
