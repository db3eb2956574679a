/** Records as JSON with their index entries, over two tables. Each is verified by its checksum whenever it is read. */
import type { DatabaseSync } from 'node:sqlite';
import { fail } from '@thingkeep/wire/errors.ts';
import { type Collection, type Key, MAX_KEY_BYTES, type Page, type Scan } from '../contract.ts';
import { type Damage, DamagedRecordError } from '../damage.ts';
import { decodeKey, encodeKey, encodePrefix, successor } from '../key-encoding.ts';
import { digestOf, entrySum, Seeds, sumOf, verifySum } from './checksums.ts';
import type { DamageList } from './damage-list.ts';
import { type Entries, entriesOf, NO_ENTRIES, packEntries, scopeOf, unpackEntries } from './entries.ts';
import type { Neighbours } from './neighbours.ts';
import { prepareRecords, type RecordStatements } from './statements.ts';
import type { Tallies } from './tallies.ts';

const ALL = -1;
const TOKEN = /^[A-Za-z0-9+/]+={0,2}$/;

interface Stored {
  readonly key: Uint8Array;
  readonly value: unknown;
  readonly sum: unknown;
}

interface StoredEntry extends Stored {
  readonly entry: Uint8Array;
  readonly entrySum: unknown;
}

export const recordTally = (collection: string): string => `record/${collection}`;

const decodeToken = (token: string): Buffer => {
  if (!TOKEN.test(token)) fail('InvalidRequestException', 'The pagination token is invalid.');
  return Buffer.from(token, 'base64');
};

/** Both bounds of a scan, exclusive: every key below a prefix is longer than it, so the prefix is a fine lower bound. */
function boundsOf({ prefix, startsWith, beyond, after, reverse = false }: Scan): { low: Buffer; high: Buffer } {
  const first = encodePrefix(prefix, startsWith);
  const high = successor(first) ?? Buffer.of(0xff);
  const low = beyond === undefined ? first : (successor(encodeKey([...prefix, ...beyond])) ?? high);
  if (after === undefined) return { low, high };
  const at = decodeToken(after);
  if (Buffer.compare(at, low) < 0 || Buffer.compare(at, high) >= 0)
    fail('InvalidRequestException', 'The pagination token is invalid.');
  return reverse ? { low, high: at } : { low: at, high };
}

/** Refuses a record whose key or entries are longer than an engine has to take. */
function refuseLongKeys(key: Uint8Array, entries: Entries): void {
  let longest = key.length;
  for (const { entry } of entries.values()) longest = Math.max(longest, entry.length);
  if (longest > MAX_KEY_BYTES) fail('InvalidRequestException', 'A name in the request is too long to be stored.');
}

export class RecordTable {
  readonly #sql: RecordStatements;
  readonly #tallies: Tallies;
  readonly #damage: DamageList;
  readonly #neighbours: Neighbours;
  readonly #seeds = new Seeds();

  constructor(db: DatabaseSync, tallies: Tallies, damage: DamageList, neighbours: Neighbours) {
    this.#sql = prepareRecords(db);
    this.#tallies = tallies;
    this.#damage = damage;
    this.#neighbours = neighbours;
  }

  get<T extends object>(of: Collection<T>, key: Key): T | undefined {
    const bytes = encodeKey(key);
    const row = this.#sql.get.get(of.name, bytes) as Omit<Stored, 'key'> | undefined;
    if (row !== undefined) return this.#open<T>(of.name, { ...row, key: bytes });
    this.#mustBeMissing(of.name, bytes);
    return undefined;
  }

  scan<T extends object>(of: Collection<T>, scan: Scan): Page<T> {
    const { index, reverse = false, limit, skipDamaged = false } = scan;
    if (index !== undefined && !Object.hasOwn(of.indexes, index))
      throw new RangeError(`collection ${of.name} has no index ${index}`);
    const { low, high } = boundsOf(scan);
    const order = reverse ? 'DESC' : 'ASC';
    // One more than asked tells whether another page follows.
    const wanted = limit === undefined ? ALL : limit + 1;
    const scope = index === undefined ? undefined : scopeOf(of.name, index);
    const rows = (scope === undefined
      ? this.#sql.byKey[order].all(of.name, low, high, wanted)
      : this.#sql.byEntry[order].all(scope, low, high, wanted, of.name)) as unknown as (Stored | StoredEntry)[];
    const more = limit !== undefined && rows.length > limit;
    if (more) rows.pop();
    const items: T[] = [];
    let damaged = 0;
    for (const row of rows) {
      try {
        if (scope !== undefined) this.#verifyEntry(of.name, scope, row as StoredEntry);
        items.push(this.#open<T>(of.name, row));
      } catch (error) {
        if (!skipDamaged || !(error instanceof DamagedRecordError)) throw error;
        damaged += 1;
      }
    }
    const last = rows.at(-1);
    const placeOf = (row: Stored | StoredEntry): Uint8Array => (scope === undefined ? row.key : (row as StoredEntry).entry);
    const first = reverse ? high : low;
    const walk = { first, last: last === undefined ? first : placeOf(last), reverse };
    const beside = scope === undefined ? this.#neighbours.record(of.name, walk) : this.#neighbours.entry(scope, walk);
    if (beside !== undefined) {
      if (!skipDamaged) this.#refuse(beside);
      this.#damage.note(beside);
      damaged += 1;
    }
    const page = damaged === 0 ? { items } : { items, damaged };
    if (!more || last === undefined) return page;
    return { ...page, next: Buffer.from(placeOf(last)).toString('base64') };
  }

  put<T extends object>(of: Collection<T>, record: T): void {
    const key = encodeKey(of.key(record));
    const fresh = entriesOf(of, record, key);
    refuseLongKeys(key, fresh);
    const value = JSON.stringify(record);
    const sum = sumOf(this.#seeds.of(of.name), key, value);
    const before = this.#shape(of, key);
    this.#sql.put.run(of.name, key, value, packEntries(of.name, key, fresh), sum);
    this.#tallies.change(recordTally(of.name), digestOf(sum), before?.digest ?? 0, before === undefined ? 1 : 0);
    this.#replaceEntries(key, before?.entries ?? NO_ENTRIES, fresh);
  }

  delete(of: Collection<never>, key: Key): boolean {
    const bytes = encodeKey(key);
    const before = this.#shape(of, bytes);
    if (before === undefined) {
      this.#mustBeMissing(of.name, bytes);
      return false;
    }
    this.#replaceEntries(bytes, before.entries, NO_ENTRIES);
    this.#sql.delete.run(of.name, bytes);
    this.#tallies.change(recordTally(of.name), 0, before.digest, -1);
    return true;
  }

  /** Puts one set of entries of a record in the place of another. */
  #replaceEntries(key: Uint8Array, old: Entries, fresh: Entries): void {
    for (const [id, { scope, entry }] of old) if (!fresh.has(id)) this.#sql.deleteEntry.run(scope, entry);
    for (const [id, { scope, entry }] of fresh)
      if (!old.has(id)) this.#sql.putEntry.run(scope, entry, key, entrySum(this.#seeds.of(scope), entry, key));
  }

  /** What is kept beside a record; entries that are damaged are removed by what they lead to. */
  #shape(of: Collection<never>, key: Buffer): { entries: Entries; digest: number } | undefined {
    const row = this.#sql.shape.get(of.name, key) as { entries: unknown; sum: unknown } | undefined;
    if (row === undefined) return undefined;
    const digest = typeof row.sum === 'number' ? digestOf(row.sum) : 0;
    const entries = unpackEntries(of.name, key, row.entries);
    if (entries !== undefined) return { entries, digest };
    for (const index of Object.keys(of.indexes)) this.#sql.deleteEntriesTo.run(scopeOf(of.name, index), key);
    return { entries: NO_ENTRIES, digest };
  }

  /** Refuses to say that there is no record of a key where one with a damaged key may be it. */
  #mustBeMissing(collection: string, key: Buffer): void {
    const beside = this.#neighbours.record(collection, { first: key, last: key, reverse: false });
    if (beside !== undefined) this.#refuse(beside);
  }

  #verifyEntry(collection: string, scope: string, { entry, key, entrySum: sum, value }: StoredEntry): void {
    if (value !== null && entrySum(this.#seeds.of(scope), entry, key) === sum) return;
    this.#refuse({ collection, key: decodeKey(key) });
  }

  #open<T>(collection: string, { key, value, sum }: Stored): T {
    if (typeof value === 'string' && verifySum(this.#seeds.of(collection), key, value, sum) === 'good')
      return JSON.parse(value) as T;
    return this.#refuse({ collection, key: decodeKey(key) });
  }

  #refuse(damage: Damage): never {
    this.#damage.note(damage);
    throw new DamagedRecordError(damage);
  }
}
