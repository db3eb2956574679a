/** Derives index entries anew: for collections whose index functions have changed, and where entries were damaged. */
import type { DatabaseSync } from 'node:sqlite';
import type { Collection } from '../contract.ts';
import { entrySum, Seeds, verifySum } from './checksums.ts';
import { entriesOfStored, indexForm, packEntries } from './entries.ts';
import type { ReportProgress } from './migrations/checksums.ts';
import { TABLES } from './migrations/index.ts';
import { keepNote, readNotes } from './notes.ts';

/**
 * Removes all entries: a damaged one may stand where it hides others, so none of its table is taken over. Every
 * collection is outdated from here on.
 */
export function dropIndexes(db: DatabaseSync): void {
  db.exec(`BEGIN IMMEDIATE; DROP TABLE entry; ${TABLES.entry}; DELETE FROM note WHERE name LIKE 'index/%'; COMMIT;`);
}

/** Records of one commit. */
const PAGE = 5_000;

const noteOf = (collection: string): string => `index/${collection}`;

/** Collections whose entries were not written by today's index functions. Of those that are empty the form is noted. */
export function outdatedIndexes(db: DatabaseSync, collections: readonly Collection<never>[]): Collection<never>[] {
  const { good } = readNotes(db);
  const any = db.prepare('SELECT 1 FROM record WHERE collection = ? LIMIT 1');
  const outdated = collections.filter((of) => good.get(noteOf(of.name)) !== indexForm(of));
  const empty = outdated.filter((of) => any.get(of.name) === undefined);
  if (empty.length > 0) {
    db.exec('BEGIN IMMEDIATE');
    for (const of of empty) keepNote(db, noteOf(of.name), indexForm(of));
    db.exec('COMMIT');
  }
  return outdated.filter((of) => !empty.includes(of));
}

/**
 * Derives all entries of a collection anew. A stop in the middle leaves the collection outdated: the next start begins
 * again. Entries of records that are damaged go: these records are not served.
 */
export async function reindex(db: DatabaseSync, of: Collection<never>, progress: ReportProgress): Promise<void> {
  const total = Number(db.prepare('SELECT count(*) AS n FROM record WHERE collection = ?').get(of.name)?.n);
  const page = db.prepare('SELECT key, value, sum FROM record WHERE collection = ? AND key > ? ORDER BY key LIMIT ?');
  const update = db.prepare('UPDATE record SET entries = ? WHERE collection = ? AND key = ?');
  const put = db.prepare('INSERT OR REPLACE INTO entry (scope, entry, key, sum) VALUES (?, ?, ?, ?)');
  const seeds = new Seeds();
  db.exec('BEGIN IMMEDIATE');
  try {
    db.prepare('DELETE FROM note WHERE name = ?').run(noteOf(of.name));
    // Every scope of the collection, those of indexes that are no longer there too.
    db.prepare("DELETE FROM entry WHERE scope >= ?1 || '/' AND scope < ?1 || '0'").run(of.name);
    db.exec('COMMIT');
    let after: Uint8Array = Buffer.alloc(0);
    for (let done = 0; ; ) {
      const rows = page.all(of.name, after, PAGE) as unknown as { key: Uint8Array; value: unknown; sum: unknown }[];
      db.exec('BEGIN IMMEDIATE');
      for (const { key, value, sum } of rows) {
        if (typeof value !== 'string' || verifySum(seeds.of(of.name), key, value, sum) !== 'good') continue;
        const entries = entriesOfStored(of, JSON.parse(value) as never, key);
        if (entries === undefined) continue;
        update.run(packEntries(of.name, key, entries), of.name, key);
        for (const { scope, entry } of entries.values()) put.run(scope, entry, key, entrySum(seeds.of(scope), entry, key));
      }
      if (rows.length < PAGE) keepNote(db, noteOf(of.name), indexForm(of));
      db.exec('COMMIT');
      done += rows.length;
      progress(done, total);
      const last = rows.at(-1);
      if (rows.length < PAGE || last === undefined) return;
      after = last.key;
      await new Promise(setImmediate);
    }
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
