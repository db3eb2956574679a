/** The SQL of the engine, prepared once. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export interface RecordStatements {
  readonly get: StatementSync;
  /** What a record leaves behind when it is replaced: its entries and its checksum. */
  readonly shape: StatementSync;
  readonly put: StatementSync;
  readonly delete: StatementSync;
  readonly putEntry: StatementSync;
  readonly deleteEntry: StatementSync;
  /** Removes the entries of a scope that lead to a key, whatever they are. */
  readonly deleteEntriesTo: StatementSync;
  readonly byKey: { readonly ASC: StatementSync; readonly DESC: StatementSync };
  readonly byEntry: { readonly ASC: StatementSync; readonly DESC: StatementSync };
}

export function prepareRecords(db: DatabaseSync): RecordStatements {
  const byKey = (order: string): StatementSync =>
    db.prepare(
      `SELECT key, value, sum FROM record WHERE collection = ?1 AND key > ?2 AND key < ?3 ORDER BY key ${order} LIMIT ?4`,
    );
  const byEntry = (order: string): StatementSync =>
    db.prepare(
      `SELECT e.entry AS entry, e.key AS key, e.sum AS entrySum, r.value AS value, r.sum AS sum
       FROM entry e LEFT JOIN record r ON r.collection = ?5 AND r.key = e.key
       WHERE e.scope = ?1 AND e.entry > ?2 AND e.entry < ?3 ORDER BY e.entry ${order} LIMIT ?4`,
    );
  return {
    get: db.prepare('SELECT value, sum FROM record WHERE collection = ? AND key = ?'),
    shape: db.prepare('SELECT entries, sum FROM record WHERE collection = ? AND key = ?'),
    put: db.prepare(
      `INSERT INTO record (collection, key, value, entries, sum) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value, entries = excluded.entries, sum = excluded.sum`,
    ),
    delete: db.prepare('DELETE FROM record WHERE collection = ? AND key = ?'),
    putEntry: db.prepare(
      'INSERT INTO entry (scope, entry, key, sum) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET key = excluded.key, sum = excluded.sum',
    ),
    deleteEntry: db.prepare('DELETE FROM entry WHERE scope = ? AND entry = ?'),
    deleteEntriesTo: db.prepare('DELETE FROM entry WHERE scope = ? AND key = ?'),
    byKey: { ASC: byKey('ASC'), DESC: byKey('DESC') },
    byEntry: { ASC: byEntry('ASC'), DESC: byEntry('DESC') },
  };
}

export interface RowStatements {
  readonly add: StatementSync;
  readonly sum: StatementSync;
  readonly replace: StatementSync;
  /** Gives the checksum of what it has removed. */
  readonly delete: StatementSync;
  readonly scan: StatementSync;
  readonly each: StatementSync;
}

export const prepareRows = (db: DatabaseSync): RowStatements => ({
  add: db.prepare('INSERT INTO row (rows, region, owner, at, value, sum) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
  sum: db.prepare('SELECT sum FROM row WHERE rows = ? AND region = ? AND owner = ? AND at = ?'),
  replace: db.prepare('UPDATE row SET value = ?, sum = ? WHERE rows = ? AND region = ? AND owner = ? AND at = ?'),
  delete: db.prepare('DELETE FROM row WHERE rows = ? AND region = ? AND owner = ? AND at = ? RETURNING sum'),
  scan: db.prepare('SELECT at, value, sum FROM row WHERE rows = ? AND region = ? AND owner = ? AND at > ? ORDER BY at'),
  each: db.prepare('SELECT owner, at, value, sum FROM row WHERE rows = ? AND region = ? ORDER BY owner, at'),
});
