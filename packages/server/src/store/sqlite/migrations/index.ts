/**
 * Numbered steps from an empty data file to today's form; a file's number is the count of steps it has taken.
 * A step is never changed once it has been released: what it got wrong, the next one mends.
 */
import type { DatabaseSync } from 'node:sqlite';
import { addChecksums, type ReportProgress } from './checksums.ts';

export interface Migration {
  readonly describes: string;
  /** Changes the file, inside a transaction. `region`: the server's own. */
  readonly run: (db: DatabaseSync, progress: ReportProgress, region: string) => void;
}

const sql =
  (text: string): Migration['run'] =>
  (db) =>
    db.exec(text);

export const MIGRATIONS: readonly Migration[] = [
  {
    describes: 'records and their index entries',
    run: sql(`
      CREATE TABLE record (collection TEXT NOT NULL, key BLOB NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID;
      CREATE TABLE entry (scope TEXT NOT NULL, entry BLOB NOT NULL, key BLOB NOT NULL, PRIMARY KEY (scope, entry)) WITHOUT ROWID;
    `),
  },
  {
    describes: 'rows of bytes: queues',
    run: sql(`
      CREATE TABLE row (rows TEXT NOT NULL, owner INTEGER NOT NULL, at INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (rows, owner, at)) WITHOUT ROWID;
    `),
  },
  { describes: 'checksums, tallies, entries beside their record, the region in the key', run: addChecksums },
];

/** The form of a file that has taken every step. */
export const NEWEST_FORM = MIGRATIONS.length;

/** Tables of today's form, as the file's schema has them. */
export { TABLES } from './checksums.ts';
