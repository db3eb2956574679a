/** Rows of bytes over one table. A damaged row is told and left out: what its owner has besides it comes. */
import type { DatabaseSync } from 'node:sqlite';
import type { Row, RowKey, RowScan, Rows } from '../contract.ts';
import { sumOf, verifySum } from './checksums.ts';
import type { DamageList } from './damage-list.ts';
import type { Neighbours } from './neighbours.ts';
import { rowDigest, rowKey, rowName, rowTally } from './row-place.ts';
import { prepareRows, type RowStatements } from './statements.ts';
import type { Tallies } from './tallies.ts';

interface StoredRow {
  readonly owner: number;
  readonly at: number;
  readonly value: unknown;
  readonly sum: unknown;
}

export class RowTable {
  readonly #sql: RowStatements;
  readonly #tallies: Tallies;
  readonly #damage: DamageList;
  readonly #neighbours: Neighbours;

  constructor(db: DatabaseSync, tallies: Tallies, damage: DamageList, neighbours: Neighbours) {
    this.#sql = prepareRows(db);
    this.#tallies = tallies;
    this.#damage = damage;
    this.#neighbours = neighbours;
  }

  scan(of: Rows, owner: number, { after, rows, bytes }: RowScan): Row[] {
    const found: Row[] = [];
    let size = 0;
    const read = this.#sql.scan.iterate(of.name, of.region ?? '', owner, after) as IterableIterator<Omit<StoredRow, 'owner'>>;
    let last = after;
    for (const { at, value, sum } of read) {
      last = at;
      if (!this.#isGood(of, { owner, at, value, sum })) continue;
      found.push({ owner, at, value: value as Uint8Array });
      size += (value as Uint8Array).length;
      if (size >= bytes || found.length >= rows) return found;
    }
    const beside = this.#neighbours.row(of.name, of.region ?? '', owner, after, last);
    if (beside !== undefined) this.#damage.note(beside);
    return found;
  }

  each(of: Rows, visit: (key: RowKey, size: number) => void): void {
    for (const row of this.#sql.each.iterate(of.name, of.region ?? '') as IterableIterator<StoredRow>)
      if (this.#isGood(of, row)) visit({ owner: row.owner, at: row.at }, (row.value as Uint8Array).length);
  }

  put(of: Rows, rows: Iterable<Row>): void {
    const { name, region = '' } = of;
    let [count, digest] = [0, 0];
    for (const { owner, at, value } of rows) {
      const sum = sumOf(0, rowName(name, region, owner, at), value);
      if (this.#sql.add.run(name, region, owner, at, value, sum).changes === 1) {
        count += 1;
        digest += rowDigest(name, region, owner, at);
      } else this.#sql.replace.run(value, sum, name, region, owner, at);
    }
    this.#tallies.change(rowTally(name), digest, 0, count);
  }

  delete(of: Rows, keys: Iterable<RowKey>): void {
    const { name, region = '' } = of;
    let [count, digest] = [0, 0];
    for (const { owner, at } of keys) {
      if (this.#sql.delete.run(name, region, owner, at).changes !== 1) continue;
      count += 1;
      digest += rowDigest(name, region, owner, at);
    }
    this.#tallies.change(rowTally(name), 0, digest, -count);
  }

  #isGood(of: Rows, { owner, at, value, sum }: StoredRow): boolean {
    const { name, region = '' } = of;
    if (value instanceof Uint8Array && verifySum(0, rowName(name, region, owner, at), value, sum) === 'good') return true;
    this.#damage.note({ collection: name, key: rowKey(region, owner, at) });
    return false;
  }
}
