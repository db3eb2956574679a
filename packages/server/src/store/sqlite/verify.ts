/**
 * Reads a whole data file and compares it with its checksums, its tallies and the entries beside its records. Nothing is
 * changed.
 */
import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { Damage } from '../damage.ts';
import { decodeKey, encodeKey } from '../key-encoding.ts';
import type { ReportProgress } from './migrations/checksums.ts';
import { digestOf, entrySum, Seeds, verifySum } from './checksums.ts';
import { collectionOf, eachPacked, scopeOf } from './entries.ts';
import { readNotes } from './notes.ts';
import { recordTally } from './record-table.ts';
import { rowDigest, rowKey, rowName, rowTally } from './row-place.ts';
import { sumBits, wholeNumber } from './statements.ts';
import { addTo, NO_TALLY, sameTally, Tallies, type Tally, tallyNote } from './tallies.ts';

export interface Findings {
  /** Records and rows whose value is damaged; they are refused, the rest is served. */
  readonly damaged: Damage[];
  /** Records and rows whose key is damaged: which they were is not known, and what is asked for may be among them. */
  readonly misnamed: Damage[];
  /** Tables whose pages are not in their order: what is asked for by its key may be there and not be found. */
  readonly misplaced: string[];
  /** Collections that hold other records than their tally says: some are missing, or are of an older state. */
  readonly miscounted: { readonly name: string; readonly expected: Tally | undefined; readonly found: Tally }[];
  /** Collections whose index entries are not those of their records; they are derived anew. */
  readonly misindexed: string[];
  /** Notes of the engine that are damaged. */
  readonly notes: readonly string[];
  /** What was counted. */
  readonly tallies: ReadonlyMap<string, Tally>;
}

/** Rows between two reports of progress, and turns of the event loop. */
const REPORT = 100_000;
/** Checksums that are added up before the sum is reduced: it stays a whole number of a double. */
const MAX_SUMMED = 2 ** 17;
/** Damaged records that are listed. */
const MAX_LISTED = 10_000;

/** Whether what is read of a table comes in the order of its keys: a search in it ends at the right place only then. */
class KeyOrder {
  #name = '';
  #key: Uint8Array = new Uint8Array(0);
  isBroken = false;

  next(name: string, key: Uint8Array): void {
    const isAbove = this.#name === name ? Buffer.compare(this.#key, key) < 0 : this.#name < name;
    if (!isAbove) this.isBroken = true;
    this.#name = name;
    this.#key = key;
  }
}

/** Sums checksums by name. */
class Sums {
  readonly all = new Map<string, Tally>();
  #name = '';
  #count = 0;
  #digest = 0;

  /** Names that come in runs cost least. */
  add(name: string, sum: number): void {
    if (name !== this.#name || this.#count >= MAX_SUMMED) this.flush(name);
    this.#count += 1;
    this.#digest += sum;
  }

  flush(next = ''): void {
    if (this.#count > 0) addTo(this.all, this.#name, { count: this.#count, digest: this.#digest });
    this.#name = next;
    this.#count = 0;
    this.#digest = 0;
  }
}

class Verification {
  readonly findings: Findings = {
    damaged: [],
    misnamed: [],
    misplaced: [],
    miscounted: [],
    misindexed: [],
    notes: [],
    tallies: new Map(),
  };
  readonly #db: DatabaseSync;
  readonly #progress: ReportProgress;
  readonly #seeds = new Seeds();
  readonly #total: number;
  #done = 0;

  constructor(db: DatabaseSync, progress: ReportProgress) {
    this.#db = db;
    this.#progress = progress;
    const count = (table: string): number => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
    this.#total = count('record') + count('entry') + count('row');
  }

  async run(): Promise<Findings> {
    const tallied = new Sums();
    const entries = new Sums();
    const misindexed = new Set<string>();
    await this.#records(tallied, entries, misindexed);
    await this.#rows(tallied);
    await this.#entries(entries, misindexed);
    const notes = readNotes(this.#db);
    const order = new KeyOrder();
    for (const [name] of this.#all('SELECT name FROM note')) order.next(String(name), new Uint8Array(0));
    if (order.isBroken) this.findings.misplaced.push('note');
    this.#compare(tallied.all, new Tallies(this.#db, notes).stored, notes.damaged);
    this.findings.misindexed.push(...misindexed);
    return { ...this.findings, notes: notes.damaged, tallies: tallied.all };
  }

  async #records(tallied: Sums, entries: Sums, misindexed: Set<string>): Promise<void> {
    const order = new KeyOrder();
    const columns = `collection, key, value, entries, ${wholeNumber('sum')}, ${sumBits('sum')}`;
    for (const [collection, key, value, packed, sum, bits] of this.#all(`SELECT ${columns} FROM record`)) {
      const name = String(collection);
      if (typeof collection !== 'string' || !(key instanceof Uint8Array)) {
        this.#note('name', { collection: name, key: [String(key)] });
        continue;
      }
      order.next(name, key);
      const verdict = verifySum(this.#seeds.of(name), key, typeof value === 'string' ? value : undefined, sum);
      if (verdict !== 'good') this.#note(verdict, { collection: name, key: decodeKey(key) });
      tallied.add(recordTally(name), digestOf(Number(bits)));
      const isWhole = eachPacked(key, packed, (index, tuple) => {
        const scope = scopeOf(name, index);
        // As `entrySum` of the tuple followed by the key, without joining them.
        entries.add(scope, crc32(key, crc32(key, crc32(tuple, this.#seeds.of(scope)))));
      });
      if (!isWhole) misindexed.add(name);
      if (this.#step()) await new Promise(setImmediate);
    }
    tallied.flush();
    entries.flush();
    if (order.isBroken) this.findings.misplaced.push('record');
  }

  async #rows(tallied: Sums): Promise<void> {
    const order = new KeyOrder();
    const columns = `rows, region, ${wholeNumber('owner')}, ${wholeNumber('at')}, value, ${wholeNumber('sum')}`;
    for (const [rows, region, owner, at, value, sum] of this.#all(`SELECT ${columns} FROM row`)) {
      const name = String(rows);
      const place = rowKey(String(region), Number(owner), Number(at));
      // What has the right letters or value and another type is not found by its key.
      if (typeof rows !== 'string' || typeof region !== 'string' || !isPlace(owner) || !isPlace(at)) {
        this.#note('name', { collection: name, key: place });
        continue;
      }
      order.next(name, encodeKey([region, owner, at]));
      const verdict = verifySum(0, rowName(name, region, owner, at), value instanceof Uint8Array ? value : undefined, sum);
      if (verdict !== 'good') this.#note(verdict, { collection: name, key: place });
      tallied.add(rowTally(name), rowDigest(name, region, owner, at));
      if (this.#step()) await new Promise(setImmediate);
    }
    tallied.flush();
    if (order.isBroken) this.findings.misplaced.push('row');
  }

  /** Compares the entries that are there with those that the records have beside them. */
  async #entries(expected: Sums, misindexed: Set<string>): Promise<void> {
    const found = new Sums();
    const order = new KeyOrder();
    for (const [scope, entry, key, sum] of this.#all(`SELECT scope, entry, key, ${wholeNumber('sum')} FROM entry`)) {
      const name = String(scope);
      const isGood =
        typeof scope === 'string' &&
        entry instanceof Uint8Array &&
        key instanceof Uint8Array &&
        entrySum(this.#seeds.of(name), entry, key) === sum;
      if (isGood) order.next(name, entry);
      if (!isGood || order.isBroken) misindexed.add(collectionOf(name));
      found.add(name, typeof sum === 'number' ? sum : 0);
      if (this.#step()) await new Promise(setImmediate);
    }
    found.flush();
    for (const scope of new Set([...expected.all.keys(), ...found.all.keys()]))
      if (!sameTally(expected.all.get(scope) ?? NO_TALLY, found.all.get(scope) ?? NO_TALLY)) misindexed.add(collectionOf(scope));
  }

  /** A tally whose own checksum does not fit says nothing; neither does one of a collection with a damaged checksum. */
  #compare(found: ReadonlyMap<string, Tally>, expected: ReadonlyMap<string, Tally>, damagedNotes: readonly string[]): void {
    const explained = new Set<string>();
    for (const { collection } of this.findings.damaged) explained.add(recordTally(collection)).add(rowTally(collection));
    for (const name of new Set([...found.keys(), ...expected.keys()])) {
      const [here, there] = [found.get(name) ?? NO_TALLY, expected.get(name)];
      if (damagedNotes.includes(tallyNote(name)) || sameTally(here, there ?? NO_TALLY)) continue;
      if (explained.has(name) && here.count === there?.count) continue;
      this.findings.miscounted.push({ name, expected: there, found: here });
    }
  }

  #all(sql: string): Iterable<readonly unknown[]> {
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.iterate() as Iterable<unknown> as Iterable<readonly unknown[]>;
  }

  #note(verdict: 'value' | 'name', damage: Damage): void {
    const list = verdict === 'name' ? this.findings.misnamed : this.findings.damaged;
    if (list.length < MAX_LISTED) list.push(damage);
  }

  #step(): boolean {
    this.#done += 1;
    if (this.#done % REPORT !== 0) return false;
    this.#progress(this.#done, this.#total);
    return true;
  }
}

/** An owner or a place of rows. */
const isPlace = (value: unknown): value is number => typeof value === 'number' && value >= 0;

export const verify = (db: DatabaseSync, progress: ReportProgress = () => {}): Promise<Findings> =>
  new Verification(db, progress).run();
