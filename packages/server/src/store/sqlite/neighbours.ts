/**
 * What lies on both sides of what a search found. A record, an entry or a row whose key was damaged while the server ran
 * is not found where it belongs, and may hide others: a search that it misleads begins or ends beside it. Looking at both
 * neighbours tells "there is none" from "it may be the damaged one".
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Damage } from '../damage.ts';
import { decodeKey } from '../key-encoding.ts';
import { entrySum, nameFits, Seeds } from './checksums.ts';
import { collectionOf } from './entries.ts';
import { rowKey, rowName } from './row-place.ts';
import { wholeNumber } from './statements.ts';

/** Where a search was: it came to the first place by the tree's order, and went from line to line up to the last. */
export interface Walk<Place> {
  readonly first: Place;
  readonly last: Place;
  readonly reverse: boolean;
}

interface Beside {
  readonly up: StatementSync;
  readonly down: StatementSync;
}

/** Selects the line that a walk left behind it when it began, and the one that it ended at. */
function prepareBeside(db: DatabaseSync, table: string, keys: readonly string[], columns: string): Beside {
  const line = (compare: string, order: string, parameter: number): string => {
    const place = keys.map((_, i) => `?${i === keys.length - 1 ? parameter : i + 1}`).join(', ');
    const by = keys.map((key) => `${table}.${key} ${order}`).join(', ');
    return `SELECT * FROM (SELECT ${columns} FROM ${table} WHERE (${keys.join(', ')}) ${compare} (${place}) ORDER BY ${by} LIMIT 1)`;
  };
  const [first, last] = [keys.length, keys.length + 1];
  const prepare = (before: string, behind: string): StatementSync => {
    const statement = db.prepare(`${before} UNION ALL ${behind}`);
    statement.setReturnArrays(true);
    return statement;
  };
  return {
    up: prepare(line('<=', 'DESC', first), line('>', 'ASC', last)),
    down: prepare(line('>=', 'ASC', first), line('<', 'DESC', last)),
  };
}

export class Neighbours {
  readonly #records: Beside;
  readonly #entries: Beside;
  readonly #rows: Beside;
  readonly #seeds = new Seeds();

  constructor(db: DatabaseSync) {
    const sum = wholeNumber('sum');
    this.#records = prepareBeside(db, 'record', ['collection', 'key'], `collection, key, ${sum}`);
    this.#entries = prepareBeside(db, 'entry', ['scope', 'entry'], `scope, entry, key, ${sum}`);
    const row = `rows, region, ${wholeNumber('owner')}, ${wholeNumber('at')}, ${sum}`;
    this.#rows = prepareBeside(db, 'row', ['rows', 'region', 'owner', 'at'], row);
  }

  /** A neighbour that has a damaged key. */
  record(collection: string, { first, last, reverse }: Walk<Uint8Array>): Damage | undefined {
    const beside = reverse ? this.#records.down : this.#records.up;
    for (const [name, key, sum] of beside.all(collection, first, last) as unknown as unknown[][]) {
      if (typeof name === 'string' && key instanceof Uint8Array && nameFits(this.#seeds.of(name), key, sum)) continue;
      return { collection: String(name), key: key instanceof Uint8Array ? decodeKey(key) : [String(key)] };
    }
    return undefined;
  }

  /** As {@link record}, for the entries of an index. */
  entry(scope: string, { first, last, reverse }: Walk<Uint8Array>): Damage | undefined {
    const beside = reverse ? this.#entries.down : this.#entries.up;
    for (const [name, entry, key, sum] of beside.all(scope, first, last) as unknown as unknown[][]) {
      const isWhole = typeof name === 'string' && entry instanceof Uint8Array && key instanceof Uint8Array;
      if (isWhole && entrySum(this.#seeds.of(name), entry, key) === sum) continue;
      return { collection: collectionOf(String(name)), key: key instanceof Uint8Array ? decodeKey(key) : [String(key)] };
    }
    return undefined;
  }

  /** As {@link record}, for an owner's rows from place to place. */
  row(rows: string, region: string, owner: number, first: number, last: number): Damage | undefined {
    for (const [name, place, of, at, sum] of this.#rows.up.all(rows, region, owner, first, last) as unknown as unknown[][]) {
      const isWhole = typeof name === 'string' && typeof place === 'string' && typeof of === 'number' && typeof at === 'number';
      if (isWhole && nameFits(0, rowName(name, place, of, at), sum)) continue;
      return { collection: String(name), key: rowKey(String(place), Number(of), Number(at)) };
    }
    return undefined;
  }
}
