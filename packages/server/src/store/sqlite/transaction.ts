/** Collections over two SQLite tables, records as JSON and their index entries; rows of bytes over a third. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Collection, Key, Page, Row, RowKey, RowScan, Rows, Scan, WriteTransaction } from '../contract.ts';
import { encodeKey, encodePrefix, successor } from '../key-encoding.ts';

const ALL = -1;
const TOKEN = /^[A-Za-z0-9+/]+={0,2}$/;

interface RecordRow {
  readonly at: Uint8Array;
  readonly value: string;
}

const entriesOf = <T extends object>(
  of: Collection<T>,
  record: T,
  key: Buffer,
): Map<string, { scope: string; entry: Buffer }> => {
  const entries = new Map<string, { scope: string; entry: Buffer }>();
  for (const [index, derive] of Object.entries(of.indexes)) {
    const scope = `${of.name}/${index}`;
    for (const tuple of derive(record)) {
      const entry = Buffer.concat([encodeKey(tuple), key]);
      entries.set(`${scope}/${entry.toString('latin1')}`, { scope, entry });
    }
  }
  return entries;
};

const decodeToken = (token: string): Buffer => {
  if (!TOKEN.test(token)) fail('InvalidRequestException', 'The pagination token is invalid.');
  return Buffer.from(token, 'base64');
};

export class SqliteTransaction implements WriteTransaction {
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #putEntry: StatementSync;
  readonly #deleteEntry: StatementSync;
  readonly #scans: readonly StatementSync[];
  readonly #putRow: StatementSync;
  readonly #deleteRow: StatementSync;
  readonly #scanRows: StatementSync;
  readonly #eachRow: StatementSync;

  constructor(db: DatabaseSync) {
    this.#get = db.prepare('SELECT value FROM record WHERE collection = ? AND key = ?');
    this.#put = db.prepare(
      'INSERT INTO record (collection, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    this.#delete = db.prepare('DELETE FROM record WHERE collection = ? AND key = ?');
    this.#putEntry = db.prepare('INSERT INTO entry (scope, entry, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#deleteEntry = db.prepare('DELETE FROM entry WHERE scope = ? AND entry = ?');
    const byKey = (order: string): StatementSync =>
      db.prepare(
        `SELECT key AS at, value FROM record WHERE collection = ?1 AND key > ?2 AND key < ?3 ORDER BY key ${order} LIMIT ?4`,
      );
    const byEntry = (order: string): StatementSync =>
      db.prepare(
        `SELECT e.entry AS at, r.value AS value FROM entry e JOIN record r ON r.collection = ?5 AND r.key = e.key
         WHERE e.scope = ?1 AND e.entry > ?2 AND e.entry < ?3 ORDER BY e.entry ${order} LIMIT ?4`,
      );
    this.#putRow = db.prepare(
      'INSERT INTO row (rows, owner, at, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    this.#deleteRow = db.prepare('DELETE FROM row WHERE rows = ? AND owner = ? AND at = ?');
    this.#scanRows = db.prepare('SELECT at, value FROM row WHERE rows = ? AND owner = ? AND at > ? ORDER BY at LIMIT ?');
    this.#eachRow = db.prepare('SELECT owner, at, length(value) AS size FROM row WHERE rows = ? ORDER BY owner, at');
    this.#scans = [byKey('ASC'), byKey('DESC'), byEntry('ASC'), byEntry('DESC')];
  }

  async get<T extends object>(of: Collection<T>, key: Key): Promise<T | undefined> {
    return this.#read(of, encodeKey(key));
  }

  async scan<T extends object>(of: Collection<T>, scan: Scan): Promise<Page<T>> {
    const { index, reverse = false, limit } = scan;
    if (index !== undefined && !Object.hasOwn(of.indexes, index))
      throw new RangeError(`collection ${of.name} has no index ${index}`);
    const prefix = encodePrefix(scan.prefix, scan.startsWith);
    // Both bounds are exclusive; every key below a prefix is longer than it, so the prefix itself is a fine lower bound.
    let low = prefix;
    let high = successor(prefix) ?? Buffer.of(0xff);
    if (scan.after !== undefined) {
      const after = decodeToken(scan.after);
      if (Buffer.compare(after, low) < 0 || Buffer.compare(after, high) >= 0)
        fail('InvalidRequestException', 'The pagination token is invalid.');
      if (reverse) high = after;
      else low = after;
    }
    const statement = this.#scans[(index === undefined ? 0 : 2) + (reverse ? 1 : 0)] as StatementSync;
    // One more than asked tells whether another page follows.
    const wanted = limit === undefined ? ALL : limit + 1;
    const scope = index === undefined ? of.name : `${of.name}/${index}`;
    const rows = (index === undefined
      ? statement.all(scope, low, high, wanted)
      : statement.all(scope, low, high, wanted, of.name)) as unknown as RecordRow[];
    const more = limit !== undefined && rows.length > limit;
    if (more) rows.pop();
    const items = rows.map((row) => JSON.parse(row.value) as T);
    const last = rows.at(-1);
    return more && last !== undefined ? { items, next: Buffer.from(last.at).toString('base64') } : { items };
  }

  async put<T extends object>(of: Collection<T>, record: T): Promise<void> {
    const key = encodeKey(of.key(record));
    const before = this.#read(of, key);
    const old = before === undefined ? undefined : entriesOf(of, before, key);
    const fresh = entriesOf(of, record, key);
    this.#put.run(of.name, key, JSON.stringify(record));
    for (const [id, { scope, entry }] of old ?? []) if (!fresh.has(id)) this.#deleteEntry.run(scope, entry);
    for (const [id, { scope, entry }] of fresh) if (!old?.has(id)) this.#putEntry.run(scope, entry, key);
  }

  async delete<T extends object>(of: Collection<T>, key: Key): Promise<boolean> {
    const bytes = encodeKey(key);
    const before = this.#read(of, bytes);
    if (before === undefined) return false;
    for (const { scope, entry } of entriesOf(of, before, bytes).values()) this.#deleteEntry.run(scope, entry);
    this.#delete.run(of.name, bytes);
    return true;
  }

  async scanRows(of: Rows, owner: number, { after, rows, bytes }: RowScan): Promise<Row[]> {
    const found: Row[] = [];
    let size = 0;
    const read = this.#scanRows.iterate(of.name, owner, after, rows) as IterableIterator<Omit<Row, 'owner'>>;
    for (const { at, value } of read) {
      found.push({ owner, at, value });
      size += value.length;
      if (size >= bytes) break;
    }
    return found;
  }

  async eachRow(of: Rows, visit: (key: RowKey, size: number) => void): Promise<void> {
    for (const row of this.#eachRow.iterate(of.name) as IterableIterator<RowKey & { size: number }>) visit(row, row.size);
  }

  async putRows(of: Rows, rows: Iterable<Row>): Promise<void> {
    for (const { owner, at, value } of rows) this.#putRow.run(of.name, owner, at, value);
  }

  async deleteRows(of: Rows, keys: Iterable<RowKey>): Promise<void> {
    for (const { owner, at } of keys) this.#deleteRow.run(of.name, owner, at);
  }

  #read<T extends object>(of: Collection<T>, key: Buffer): T | undefined {
    const row = this.#get.get(of.name, key) as { value: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.value) as T);
  }
}
