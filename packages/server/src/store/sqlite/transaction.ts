/** What a transaction may do, over the tables. Calls are synchronous below; the contract is not. */
import type { Collection, Key, Page, Row, RowKey, RowScan, Rows, Scan, WriteTransaction } from '../contract.ts';
import type { RecordTable } from './record-table.ts';
import type { RowTable } from './row-table.ts';

export class SqliteTransaction implements WriteTransaction {
  readonly #records: RecordTable;
  readonly #rows: RowTable;
  /** Hears how many records were read. */
  readonly #read: (records: number) => void;

  constructor(records: RecordTable, rows: RowTable, read: (records: number) => void) {
    this.#records = records;
    this.#rows = rows;
    this.#read = read;
  }

  async get<T extends object>(of: Collection<T>, key: Key): Promise<T | undefined> {
    this.#read(1);
    return this.#records.get(of, key);
  }

  async getMany<T extends object>(of: Collection<T>, keys: readonly Key[]): Promise<(T | undefined)[]> {
    this.#read(keys.length);
    return keys.map((key) => this.#records.get(of, key));
  }

  async scan<T extends object>(of: Collection<T>, scan: Scan): Promise<Page<T>> {
    const page = this.#records.scan(of, scan);
    this.#read(1 + page.items.length);
    return page;
  }

  async put<T extends object>(of: Collection<T>, record: T): Promise<void> {
    this.#records.put(of, record);
  }

  async delete<T extends object>(of: Collection<T>, key: Key): Promise<boolean> {
    return this.#records.delete(of as Collection<never>, key);
  }

  async scanRows(of: Rows, owner: number, scan: RowScan): Promise<Row[]> {
    const rows = this.#rows.scan(of, owner, scan);
    this.#read(1 + rows.length);
    return rows;
  }

  async eachRow(of: Rows, visit: (key: RowKey, size: number) => void): Promise<void> {
    this.#rows.each(of, visit);
  }

  async putRows(of: Rows, rows: Iterable<Row>): Promise<void> {
    this.#rows.put(of, rows);
  }

  async deleteRows(of: Rows, keys: Iterable<RowKey>): Promise<void> {
    this.#rows.delete(of, keys);
  }
}
