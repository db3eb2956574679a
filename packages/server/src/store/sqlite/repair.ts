/**
 * Saves what a damaged data file still holds into a new one. What has one flipped bit is restored; what can't be is listed,
 * and kept beside the file as it was found.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Collection } from '../contract.ts';
import type { Damage } from '../damage.ts';
import { decodeKey } from '../key-encoding.ts';
import { digestOf, seedOf, sumOf, verifySum } from './checksums.ts';
import { correct, correctContent, type Whole } from './correct.ts';
import { entriesOfStored } from './entries.ts';
import { NEWEST_FORM, TABLES } from './migrations/index.ts';
import { FORM, keepNote, readNotes } from './notes.ts';
import { recordTally } from './record-table.ts';
import { outdatedIndexes, reindex } from './reindex.ts';
import { rowDigest, rowKey, rowName, rowTally } from './row-place.ts';
import { sumBits, wholeNumber } from './statements.ts';
import { addTo, NO_TALLY, sameTally, Tallies, type Tally } from './tallies.ts';

export interface Lost extends Damage {
  /** What was found in its place. */
  readonly found: string;
}

export interface Repair {
  /** Records and rows that had one flipped bit and are as they were written. */
  readonly restored: Damage[];
  readonly lost: Lost[];
  /** By collection: how many are missing without a trace, and what their tally said. */
  readonly missing: { readonly name: string; readonly count: number }[];
  /** Collections of which as many are there as their tally says, and not the same: at least one is of an older state. */
  readonly stale: string[];
  readonly kept: number;
}

type Values = readonly unknown[];

/** Rows of a table from both ends: a page that can't be read in the middle hides no more than itself. */
function* readAll(db: DatabaseSync, columns: string, table: string, order: string[]): Generator<Values> {
  const read = function* (direction: string): Generator<Values> {
    const statement = db.prepare(
      `SELECT ${columns} FROM ${table} ORDER BY ${order.map((each) => `${each} ${direction}`).join(', ')}`,
    );
    statement.setReturnArrays(true);
    yield* statement.iterate() as Iterable<unknown> as Iterable<Values>;
  };
  try {
    yield* read('ASC');
    return;
  } catch {
    // Read on from the other end; what comes twice is kept once.
  }
  try {
    yield* read('DESC');
  } catch {
    // What is between the two ends is missing, as the tallies show.
  }
}

const bytesOf = (value: unknown): Buffer | undefined =>
  typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? Buffer.from(value) : undefined;

class Salvage {
  readonly repair: Repair = { restored: [], lost: [], missing: [], stale: [], kept: 0 };
  readonly #from: DatabaseSync;
  readonly #to: DatabaseSync;
  readonly #collections: ReadonlyMap<string, Collection<never>>;
  readonly #tallies = new Map<string, Tally>();
  #kept = 0;

  constructor(from: DatabaseSync, to: DatabaseSync, collections: readonly Collection<never>[]) {
    this.#from = from;
    this.#to = to;
    this.#collections = new Map(collections.map((of) => [of.name, of]));
  }

  run(): Repair {
    this.#to.exec('BEGIN IMMEDIATE');
    for (const sql of Object.values(TABLES)) this.#to.exec(sql);
    this.#records();
    this.#rows();
    const tallies = new Tallies(this.#to);
    for (const [name, tally] of this.#tallies) tallies.replace(name, tally);
    keepNote(this.#to, FORM, String(NEWEST_FORM));
    this.#to.exec(`PRAGMA user_version = ${NEWEST_FORM}; COMMIT;`);
    this.#count();
    return { ...this.repair, kept: this.#kept };
  }

  #records(): void {
    const put = this.#to.prepare(
      'INSERT INTO record (collection, key, value, entries, sum) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    const keep = ({ collection, key, value, sum }: Whole): void => {
      if (put.run(collection, key, value.toString(), Buffer.alloc(0), sum).changes === 1) this.#add(recordTally(collection), sum);
    };
    const columns = `collection, key, value, ${wholeNumber('sum')}, ${sumBits('sum')}`;
    for (const [collection, key, value, sum, bits] of readAll(this.#from, columns, 'record', ['collection', 'key'])) {
      const found = { collection: String(collection), key: bytesOf(key), value: bytesOf(value), sum: Number(bits) };
      const { key: name, value: text } = found;
      if (name !== undefined && typeof value === 'string' && verifySum(seedOf(found.collection), name, value, sum) === 'good') {
        keep({ ...found, key: name, value: Buffer.from(value) });
        continue;
      }
      const damage = { collection: found.collection, key: decodeKey(name ?? Buffer.alloc(0)) };
      const whole = name === undefined || text === undefined ? undefined : correct({ ...found, key: name, value: text });
      if (whole !== undefined && this.#belongs(whole)) {
        keep(whole);
        this.repair.restored.push({ collection: whole.collection, key: decodeKey(whole.key) });
      } else this.repair.lost.push({ ...damage, found: String(text ?? '') });
    }
  }

  #belongs({ collection, key, value }: Whole): boolean {
    const of = this.#collections.get(collection);
    if (of === undefined) return false;
    try {
      return entriesOfStored(of, JSON.parse(value.toString()) as never, key) !== undefined;
    } catch {
      return false;
    }
  }

  #rows(): void {
    const put = this.#to.prepare(
      'INSERT INTO row (rows, region, owner, at, value, sum) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    const columnsOfPlace = `rows, region, ${wholeNumber('owner')}, ${wholeNumber('at')}`;
    const columns = `${columnsOfPlace}, value, ${wholeNumber('sum')}, ${sumBits('sum')}`;
    const all = readAll(this.#from, columns, 'row', ['rows', 'region', 'row.owner', 'row.at']);
    for (const [rows, ofRegion, owner, at, value, sum, bits] of all) {
      const [name, region] = [String(rows), String(ofRegion)];
      const place = [region, Number(owner), Number(at)] as const;
      const key = rowKey(...place);
      const bytes = bytesOf(value);
      const id = rowName(name, ...place);
      const keep = (content: Buffer): void => {
        const fresh = sumOf(0, id, content);
        if (put.run(name, ...place, content, fresh).changes === 1) this.#add(rowTally(name), rowDigest(name, ...place));
      };
      if (bytes !== undefined && value instanceof Uint8Array && verifySum(0, id, bytes, sum) === 'good') keep(bytes);
      else {
        // A row with a damaged place is lost: its owner is not known.
        const whole = bytes === undefined ? undefined : correctContent(0, id, { value: bytes, sum: Number(bits) });
        if (whole !== undefined) {
          keep(whole.value);
          this.repair.restored.push({ collection: name, key });
        } else this.repair.lost.push({ collection: name, key, found: bytes?.toString('base64') ?? '' });
      }
    }
  }

  #add(name: string, sum: number): void {
    this.#kept += 1;
    addTo(this.#tallies, name, { count: 1, digest: digestOf(sum) });
  }

  /** Compares what was saved with what the damaged file said that it held. */
  #count(): void {
    let expected: ReadonlyMap<string, Tally>;
    try {
      expected = new Tallies(this.#from, readNotes(this.#from)).stored;
    } catch {
      return;
    }
    const lost = Map.groupBy(this.repair.lost, ({ collection }) => collection);
    for (const [name, tally] of expected) {
      const collection = name.slice(name.indexOf('/') + 1);
      const saved = this.#tallies.get(name) ?? NO_TALLY;
      const missing = tally.count - saved.count - (lost.get(collection)?.length ?? 0);
      if (missing > 0) this.repair.missing.push({ name: collection, count: missing });
      else if (saved.count === tally.count && !sameTally(saved, tally)) this.repair.stale.push(collection);
    }
  }
}

/** Saves what `from` holds into the empty `to`, with all its indexes. */
export async function repair(from: DatabaseSync, to: DatabaseSync, collections: readonly Collection<never>[]): Promise<Repair> {
  const done = new Salvage(from, to, collections).run();
  for (const of of outdatedIndexes(to, collections)) await reindex(to, of, () => {});
  return done;
}
