/** Opens a data file: settings for durability, the lock that keeps a second server out, migrations, a health check. */
import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { MIGRATIONS } from '../migrations/index.ts';

/** A data file that can't be used; the message tells an operator what and why. */
export class DataFileError extends Error {
  override readonly name = 'DataFileError';
}

/** A full check reads the whole file; beyond this size it would hold up the start. */
const LARGEST_CHECKED_FILE = 256 * 1024 * 1024;

const explain = (path: string, error: unknown): DataFileError => {
  const text = error instanceof Error ? error.message : String(error);
  if (/locked|busy/.test(text)) return new DataFileError(`data file ${path} is in use by another server`, { cause: error });
  if (/not a database|malformed|corrupt/.test(text))
    return new DataFileError(`data file ${path} is damaged: ${text}; restore it from a backup`, { cause: error });
  return new DataFileError(`data file ${path} can't be opened: ${text}`, { cause: error });
};

function migrate(db: DatabaseSync, path: string): void {
  const row = db.prepare('PRAGMA user_version').get() as { user_version: number };
  const version = row.user_version;
  if (version > MIGRATIONS.length)
    throw new DataFileError(
      `data file ${path} was written by a newer Thingkeep (form ${version}, this one knows ${MIGRATIONS.length}); start that version instead`,
    );
  if (version === 0 && db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n !== 0)
    throw new DataFileError(`data file ${path} holds tables that are not Thingkeep's`);
  for (let step = version; step < MIGRATIONS.length; step += 1) {
    db.exec(`BEGIN IMMEDIATE; ${MIGRATIONS[step]?.sql} PRAGMA user_version = ${step + 1}; COMMIT;`);
  }
}

function check(db: DatabaseSync, path: string): void {
  if (existsSync(path) && statSync(path).size > LARGEST_CHECKED_FILE) return;
  const found = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (found.quick_check !== 'ok')
    throw new DataFileError(`data file ${path} is damaged: ${found.quick_check}; restore it from a backup`);
}

export function openDatabase(path: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    // EXCLUSIVE keeps a second server out for as long as this one lives; the lock goes with the process, kill -9 included.
    // FULL syncs the write-ahead log at each commit: acknowledged means on disk, also after a power cut.
    db.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;',
    );
    db.exec('BEGIN EXCLUSIVE; COMMIT;');
    check(db, path);
    migrate(db, path);
    return db;
  } catch (error) {
    db?.close();
    throw error instanceof DataFileError ? error : explain(path, error);
  }
}
