/**
 * The lock that keeps a second server out before the data file is looked at: what is read while another server writes
 * would look damaged. It is a file of its own, since looking at the data file from here would let go of SQLite's lock on it.
 */
import { DatabaseSync } from 'node:sqlite';

/** Takes the lock; it goes with the process, kill -9 included. Fails where another has it. */
export function takeLock(path: string): Disposable {
  const lock = new DatabaseSync(`${path}-lock`);
  try {
    // Nothing is written: the lock is the system's, on an empty file.
    lock.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (error) {
    lock.close();
    throw error;
  }
  return {
    [Symbol.dispose](): void {
      if (lock.isOpen) lock.close();
    },
  };
}

/** A data file with its lock. */
export class LockedDatabase extends DatabaseSync {
  readonly #lock: Disposable;

  constructor(path: string, lock: Disposable) {
    super(path, { enableForeignKeyConstraints: false });
    this.#lock = lock;
  }

  override close(): void {
    super.close();
    this.#lock[Symbol.dispose]();
  }
}
