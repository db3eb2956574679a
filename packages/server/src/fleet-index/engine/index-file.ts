/**
 * An index file: documents put into it and taken out, and what queries find in it. Synchronous: it is used in a thread of its
 * own.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { fail } from '@thingkeep/wire/errors.ts';
import type { IndexedDocument, IndexedTerm, LocatedTerm } from '../documents/values.ts';
import { isSearchedUnnamed } from '../query/fields.ts';
import type { Query } from '../query/query.ts';
import { INDEX_FORM, INDEX_SETTINGS, INDEX_TABLES } from './schema.ts';
import { type IndexFields, join, matchingIds, metersBetweenPlaces, type Sql, storedBoolean } from './sql-query.ts';

/** Which index of which account. */
export interface IndexKey {
  readonly region: string;
  readonly accountId: string;
  readonly name: string;
}

export interface FoundDocument {
  readonly id: number;
  readonly name: string;
  /** The document as it was put, as JSON. */
  readonly shown: string;
}

/** Ids that an estimate counts at most. */
const ESTIMATED = 5000;
/** Milliseconds that a call has for what it looks for. */
const QUERY_TIME = 20_000;
/** Statements that are kept prepared. */
const MAX_STATEMENTS = 200;

const storedValue = (value: IndexedTerm['value']): SQLInputValue => (typeof value === 'boolean' ? storedBoolean(value) : value);

const digestOf = (document: IndexedDocument): Uint8Array =>
  createHash('sha256').update(JSON.stringify(document)).digest().subarray(0, 16);

/** A database for the owner alone: SQLite gives what lies beside it the same mode. */
function openFile(path: string): DatabaseSync {
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
  return new DatabaseSync(path);
}

/** Opens a file that is there as it should be; undefined where it is not. */
function openDatabase(path: string): DatabaseSync | undefined {
  const db = openFile(path);
  try {
    db.exec(INDEX_SETTINGS);
    const { user_version: form } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    const { quick_check: fault } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (form === INDEX_FORM && fault === 'ok') return db;
  } catch {
    // It is damaged, or no such file.
  }
  db.close();
  return undefined;
}

/** Opens a file; one that is not there, damaged or of another form is made anew. */
function openOrMake(path: string): { readonly db: DatabaseSync; readonly isNew: boolean } {
  const found = openDatabase(path);
  if (found !== undefined) return { db: found, isNew: false };
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  const db = openFile(path);
  db.exec(`${INDEX_SETTINGS} BEGIN; ${INDEX_TABLES} PRAGMA user_version = ${INDEX_FORM}; COMMIT`);
  return { db, isNew: true };
}

export class IndexFile {
  readonly #db: DatabaseSync;
  readonly #monotonic: () => number;
  /** Whether nothing of an earlier run was found. */
  readonly isNew: boolean;
  readonly #statements = new Map<string, StatementSync>();

  /** When the time of the call that is under way is over. */
  #deadline = Number.POSITIVE_INFINITY;

  /** `monotonic`: milliseconds. */
  constructor(path: string, monotonic: () => number) {
    const { db, isNew } = openOrMake(path);
    this.#db = db;
    this.#monotonic = monotonic;
    this.isNew = isNew;
    db.function('meters_between', { deterministic: true }, metersBetweenPlaces as (...values: SQLInputValue[]) => SQLInputValue);
    db.function('in_time', () => {
      if (monotonic() > this.#deadline) fail('ServiceUnavailableException', 'The query has taken too long.');
      return 1;
    });
  }

  /** Begins the time of a call. */
  startTime(milliseconds = QUERY_TIME): void {
    this.#deadline = this.#monotonic() + milliseconds;
  }

  close(): void {
    this.#db.close();
  }

  /** Puts documents and takes others out, all or nothing. A document that is there as it is costs one look-up. */
  update(key: IndexKey, documents: readonly IndexedDocument[], removed: readonly string[]): void {
    this.#inTransaction(() => {
      const indexId = this.#indexId(key);
      for (const document of documents) this.#put(indexId, document);
      for (const name of removed) this.#remove(indexId, name);
    });
  }

  /** Takes a whole index out. */
  drop(key: IndexKey): void {
    this.#inTransaction(() => {
      const indexId = this.#indexId(key);
      for (const table of ['terms', 'points'])
        this.#run(`DELETE FROM ${table} WHERE id IN (SELECT id FROM documents WHERE index_id = ?)`, [indexId]);
      for (const table of ['documents', 'fields']) this.#run(`DELETE FROM ${table} WHERE index_id = ?`, [indexId]);
      this.#run('DELETE FROM indexes WHERE id = ?', [indexId]);
    });
  }

  /** Names of documents behind one, in order. */
  names(key: IndexKey, after: string, limit: number): readonly string[] {
    const rows = this.#all('SELECT name FROM documents WHERE index_id = ? AND name > ? ORDER BY name LIMIT ?', [
      ...[this.#indexId(key), after, limit],
    ]);
    return rows.map(({ name }) => String(name));
  }

  /** Documents that match, by rising id, behind one. */
  search(key: IndexKey, query: Query, after: number, limit: number): readonly FoundDocument[] {
    const matching = matchingIds(query, this.fieldsOf(key));
    const page = join([
      { text: 'SELECT DISTINCT d.id', values: [] },
      matching,
      { text: 'AND d.id > ? ORDER BY d.id LIMIT ?', values: [after, limit] },
    ]);
    const rows = this.#all(`SELECT id, name, shown FROM documents WHERE id IN (${page.text}) ORDER BY id`, page.values);
    return rows.map(({ id, name, shown }) => ({ id: Number(id), name: String(name), shown: String(shown) }));
  }

  count(key: IndexKey, query: Query): number {
    const { text, values } = matchingIds(query, this.fieldsOf(key));
    return Number(this.#all(`SELECT count(DISTINCT d.id) AS count ${text}`, values)[0]?.count ?? 0);
  }

  /** Rows of a statement: for the aggregations, which are statements of their own. */
  rows({ text, values }: Sql): readonly Readonly<Record<string, unknown>>[] {
    return this.#all(text, values);
  }

  fieldsOf(key: IndexKey, estimated = ESTIMATED): IndexFields {
    const indexId = this.#indexId(key);
    return {
      indexId,
      field: (name) => this.#fieldNumber(indexId, name),
      estimate: (source) => this.#estimate(source, estimated),
      holds: (source) => this.#estimate(source, 1) > 0,
    };
  }

  #estimate({ text, values }: Sql, most: number): number {
    const rows = this.#all(`SELECT count(*) AS count FROM (SELECT 1 FROM (${text}) LIMIT ${most})`, values);
    return Number(rows[0]?.count ?? 0);
  }

  #put(indexId: number, document: IndexedDocument): void {
    const digest = digestOf(document);
    const there = this.#all('SELECT id, digest FROM documents WHERE index_id = ? AND name = ?', [indexId, document.name])[0];
    if (there !== undefined && Buffer.compare(there.digest as Uint8Array, digest) === 0) return;
    const shown = JSON.stringify(document.shown);
    const id = there === undefined ? this.#insert(indexId, document.name, shown, digest) : Number(there.id);
    if (there !== undefined) this.#run('UPDATE documents SET shown = ?, digest = ? WHERE id = ?', [shown, digest, id]);
    const before = there === undefined ? [] : this.#fieldsOf(id);
    this.#replaceTerms(indexId, id, document.terms);
    this.#replacePoints(indexId, id, document.points);
    this.#forgetUnused(before);
  }

  /** Numbers of the fields that a document has. */
  #fieldsOf(id: number): readonly number[] {
    const rows = this.#all('SELECT field FROM terms WHERE id = ?1 UNION SELECT field FROM points WHERE id = ?1', [id]);
    return rows.map(({ field }) => Number(field));
  }

  /** Fields that no document has any more: who renames an attribute again and again would fill the file with them. */
  #forgetUnused(fields: readonly number[]): void {
    for (const field of fields)
      this.#run(
        `DELETE FROM fields WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM terms WHERE field = ?1)
          AND NOT EXISTS (SELECT 1 FROM points WHERE field = ?1)`,
        [field],
      );
  }

  #insert(indexId: number, name: string, shown: string, digest: Uint8Array): number {
    const put = this.#statement('INSERT INTO documents (index_id, name, shown, digest) VALUES (?, ?, ?, ?)');
    return Number(put.run(indexId, name, shown, digest).lastInsertRowid);
  }

  #replaceTerms(indexId: number, id: number, terms: readonly IndexedTerm[]): void {
    this.#run('DELETE FROM terms WHERE id = ?', [id]);
    for (const { field, value, shown = null } of terms)
      this.#run('INSERT OR IGNORE INTO terms (field, value, id, shown) VALUES (?, ?, ?, ?)', [
        ...[this.#makeField(indexId, field), storedValue(value), id, shown],
      ]);
  }

  #replacePoints(indexId: number, id: number, points: readonly LocatedTerm[]): void {
    this.#run('DELETE FROM points WHERE id = ?', [id]);
    for (const { field, latitude, longitude } of points)
      this.#run('INSERT OR REPLACE INTO points (field, id, latitude, longitude) VALUES (?, ?, ?, ?)', [
        ...[this.#makeField(indexId, field), id, latitude, longitude],
      ]);
  }

  #remove(indexId: number, name: string): void {
    const id = this.#all('SELECT id FROM documents WHERE index_id = ? AND name = ?', [indexId, name])[0]?.id;
    if (id === undefined) return;
    const before = this.#fieldsOf(Number(id));
    for (const table of ['terms', 'points', 'documents']) this.#run(`DELETE FROM ${table} WHERE id = ?`, [Number(id)]);
    this.#forgetUnused(before);
  }

  #indexId({ region, accountId, name }: IndexKey): number {
    const found = this.#all('SELECT id FROM indexes WHERE region = ? AND account = ? AND name = ?', [region, accountId, name])[0];
    if (found !== undefined) return Number(found.id);
    const made = this.#statement('INSERT INTO indexes (region, account, name) VALUES (?, ?, ?)').run(region, accountId, name);
    return Number(made.lastInsertRowid);
  }

  #fieldNumber(indexId: number, name: string): number | undefined {
    const found = this.#all('SELECT id FROM fields WHERE index_id = ? AND name = ?', [indexId, name])[0];
    return found === undefined ? undefined : Number(found.id);
  }

  #makeField(indexId: number, name: string): number {
    const found = this.#fieldNumber(indexId, name);
    if (found !== undefined) return found;
    const put = this.#statement('INSERT INTO fields (index_id, name, unnamed) VALUES (?, ?, ?)');
    return Number(put.run(indexId, name, isSearchedUnnamed(name) ? 1 : 0).lastInsertRowid);
  }

  #inTransaction(work: () => void): void {
    this.#db.exec('BEGIN');
    try {
      work();
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #statement(text: string): StatementSync {
    const kept = this.#statements.get(text);
    if (kept !== undefined) return kept;
    const made = this.#db.prepare(text);
    this.#statements.set(text, made);
    if (this.#statements.size > MAX_STATEMENTS) this.#statements.delete(this.#statements.keys().next().value ?? '');
    return made;
  }

  #run(text: string, values: readonly SQLInputValue[]): void {
    this.#statement(text).run(...values);
  }

  #all(text: string, values: readonly SQLInputValue[]): Record<string, unknown>[] {
    return this.#statement(text).all(...values) as Record<string, unknown>[];
  }
}
