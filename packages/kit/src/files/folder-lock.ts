/** One process at a time works in a folder: SQLite's lock on a file there, which the kernel lifts when the process ends. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process works in the folder. */
export class FolderBusyError extends Error {
  override readonly name = 'FolderBusyError';
}

/** SQLITE_BUSY. */
const BUSY = 5;

/** Takes the folder until it is disposed of. Throws FolderBusyError. */
export function lockFolder(folder: string): Disposable {
  const path = join(folder, '.thingkit-lock');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === BUSY)
      throw new FolderBusyError(`another process works in ${folder} (${path})`);
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}
