/** What is wrong with a setting, in one line for the operator. */
import { messageOf } from '@thingkeep/wire/errors.ts';

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A file that can't be written, in one line for the operator. */
export class FileWriteError extends Error {
  override readonly name = 'FileWriteError';

  constructor(path: string, cause: unknown) {
    super(`${path} can't be written: ${messageOf(cause)}`, { cause });
  }
}
