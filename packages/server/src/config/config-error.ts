/** What is wrong with a setting, in one line for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A file that can't be written, in one line for the operator. */
export class FileWriteError extends Error {
  override readonly name = 'FileWriteError';

  constructor(path: string, cause: unknown) {
    super(`${path} can't be written: ${reason(cause)}`, { cause });
  }
}
