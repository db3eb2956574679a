/**
 * Empties the log after a recovery, before anything is written. Frames of a transaction that was cut off would stay behind
 * what is written next, under the same salts, and look like something acknowledged the next time.
 */
import { truncateSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { LogState } from './recovery.ts';

const SQLITE_FULL = 13;

export function emptyLog(db: DatabaseSync, path: string, log: LogState): void {
  if (!log.exists) return;
  try {
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (busy === 0) return;
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== SQLITE_FULL) throw error;
  }
  // A full disk has no room for the pages, and the log keeps them: what SQLite did not take of it goes, which needs none.
  truncateSync(`${path}-wal`, log.end);
}
