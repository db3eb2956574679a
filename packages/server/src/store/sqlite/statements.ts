/** The SQL of the engine, prepared once. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * A column of whole numbers, NULL where a damaged one is beyond those of JavaScript: node:sqlite throws at such a number, and
 * with it at all rows behind.
 */
export const wholeNumber = (column: string): string => `iif(${column} BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}, ${column}, NULL)`;

/** Those bits of a checksum's column that a checksum can have. */
export const sumBits = (column: string): string => `${column} & ${Number.MAX_SAFE_INTEGER}`;

const SUM = `${wholeNumber('sum')} AS sum`;

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
      `SELECT key, value, ${SUM} FROM record WHERE collection = ?1 AND key > ?2 AND key < ?3 ORDER BY key ${order} LIMIT ?4`,
    );
  const byEntry = (order: string): StatementSync =>
    db.prepare(
      `SELECT e.entry AS entry, e.key AS key, ${wholeNumber('e.sum')} AS entrySum, r.value AS value, ${wholeNumber('r.sum')} AS sum
       FROM entry e LEFT JOIN record r ON r.collection = ?5 AND r.key = e.key
       WHERE e.scope = ?1 AND e.entry > ?2 AND e.entry < ?3 ORDER BY e.entry ${order} LIMIT ?4`,
    );
  return {
    get: db.prepare(`SELECT value, ${SUM} FROM record WHERE collection = ? AND key = ?`),
    shape: db.prepare(`SELECT entries, ${SUM} FROM record WHERE collection = ? AND key = ?`),
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
  readonly replace: StatementSync;
  readonly delete: StatementSync;
  readonly scan: StatementSync;
  readonly each: StatementSync;
}

export const prepareRows = (db: DatabaseSync): RowStatements => ({
  add: db.prepare('INSERT INTO row (rows, region, owner, at, value, sum) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
  replace: db.prepare('UPDATE row SET value = ?, sum = ? WHERE rows = ? AND region = ? AND owner = ? AND at = ?'),
  delete: db.prepare('DELETE FROM row WHERE rows = ? AND region = ? AND owner = ? AND at = ?'),
  scan: db.prepare(
    `SELECT ${wholeNumber('at')} AS at, value, ${SUM} FROM row WHERE rows = ? AND region = ? AND owner = ? AND at > ? ORDER BY row.at`,
  ),
  each: db.prepare(
    `SELECT ${wholeNumber('owner')} AS owner, ${wholeNumber('at')} AS at, value, ${SUM} FROM row WHERE rows = ? AND region = ? ORDER BY row.owner, row.at`,
  ),
});
