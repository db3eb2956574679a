/**
 * One store, a space for each region: its name is the first part of the keys there. An account's data in one region is
 * not seen from another, as in AWS; the regions that have been written to are known, for a device names none.
 */
import {
  type Collection,
  collection,
  type Key,
  type ReadTransaction,
  type Row,
  type RowKey,
  type RowScan,
  type Rows,
  type Scan,
  type Store,
  type WriteOrder,
  type WriteTransaction,
} from './contract.ts';

interface RegionRecord {
  readonly region: string;
}

export const regions = collection<RegionRecord>('regions', (r) => [r.region]);

/** The collection as one region has it. */
function inRegion<T extends object>({ name, key, indexes, changes, shows }: Collection<T>, region: string): Collection<T> {
  const within: Record<string, (record: T) => readonly Key[]> = {};
  for (const [index, derive] of Object.entries(indexes))
    within[index] = (record) => derive(record).map((tuple) => [region, ...tuple]);
  return { name, key: (record) => [region, ...key(record)], indexes: within, changes, shows, region };
}

class RegionalTransaction implements WriteTransaction {
  readonly #tx: WriteTransaction;
  readonly #within: <T extends object>(of: Collection<T>) => Collection<T>;
  readonly #rowsWithin: (of: Rows) => Rows;
  readonly #region: string;
  #wrote = false;

  constructor(
    tx: WriteTransaction,
    region: string,
    within: <T extends object>(of: Collection<T>) => Collection<T>,
    rowsWithin: (of: Rows) => Rows,
  ) {
    this.#tx = tx;
    this.#region = region;
    this.#within = within;
    this.#rowsWithin = rowsWithin;
  }

  #keyWithin<T extends object>(of: Collection<T>, key: Key): Key {
    return of.scope === 'server' ? key : [this.#region, ...key];
  }

  get wrote(): boolean {
    return this.#wrote;
  }

  get<T extends object>(of: Collection<T>, key: Key): Promise<T | undefined> {
    return this.#tx.get(this.#within(of), this.#keyWithin(of, key));
  }

  getMany<T extends object>(of: Collection<T>, keys: readonly Key[]): Promise<(T | undefined)[]> {
    return this.#tx.getMany(
      this.#within(of),
      keys.map((key) => this.#keyWithin(of, key)),
    );
  }

  scan<T extends object>(of: Collection<T>, scan: Scan) {
    return this.#tx.scan(this.#within(of), { ...scan, prefix: this.#keyWithin(of, scan.prefix) });
  }

  put<T extends object>(of: Collection<T>, record: T): Promise<void> {
    this.#wrote = true;
    return this.#tx.put(this.#within(of), record);
  }

  delete<T extends object>(of: Collection<T>, key: Key): Promise<boolean> {
    return this.#tx.delete(this.#within(of), this.#keyWithin(of, key));
  }

  scanRows(of: Rows, owner: number, scan: RowScan): Promise<Row[]> {
    return this.#tx.scanRows(this.#rowsWithin(of), owner, scan);
  }

  eachRow(of: Rows, visit: (key: RowKey, size: number) => void): Promise<void> {
    return this.#tx.eachRow(this.#rowsWithin(of), visit);
  }

  putRows(of: Rows, list: Iterable<Row>): Promise<void> {
    this.#wrote = true;
    return this.#tx.putRows(this.#rowsWithin(of), list);
  }

  deleteRows(of: Rows, keys: Iterable<RowKey>): Promise<void> {
    this.#wrote = true;
    return this.#tx.deleteRows(this.#rowsWithin(of), keys);
  }
}

class RegionalStore implements Store {
  readonly #store: Store;
  readonly #region: string;
  readonly #collections = new Map<object, object>();
  #known = false;

  constructor(store: Store, region: string) {
    this.#store = store;
    this.#region = region;
  }

  read<R>(work: (tx: ReadTransaction) => Promise<R>): Promise<R> {
    // A reader is handed no way to write: what it gets is typed so.
    return this.#store.read((tx) =>
      work(new RegionalTransaction(tx as WriteTransaction, this.#region, this.#within, this.#rowsWithin)),
    );
  }

  async write<R>(work: (tx: WriteTransaction) => Promise<R>, order?: WriteOrder): Promise<R> {
    const result = await this.#store.write(async (tx) => {
      const regional = new RegionalTransaction(tx, this.#region, this.#within, this.#rowsWithin);
      const value = await work(regional);
      if (regional.wrote && !this.#known) await tx.put(regions, { region: this.#region });
      return { value, wrote: regional.wrote };
    }, order);
    this.#known ||= result.wrote;
    return result.value;
  }

  /** The store itself is closed by its opener. */
  async [Symbol.asyncDispose](): Promise<void> {}

  readonly #rowsWithin = (of: Rows): Rows => ({ name: of.name, region: this.#region });

  readonly #within = <T extends object>(of: Collection<T>): Collection<T> => {
    if (of.scope === 'server') return of;
    const known = this.#collections.get(of) as Collection<T> | undefined;
    if (known !== undefined) return known;
    const within = inRegion(of, this.#region);
    this.#collections.set(of, within);
    return within;
  };
}

/** Makes a thing for each region when it is first asked for, and remembers it. */
export function perRegion<T>(make: (region: string) => T): (region: string) => T {
  const made = new Map<string, T>();
  return (region) => {
    const known = made.get(region);
    if (known !== undefined) return known;
    const fresh = make(region);
    made.set(region, fresh);
    return fresh;
  };
}

/** A function that gives each region's part of the store, always the same one. */
export const byRegion = (store: Store): ((region: string) => Store) => perRegion((region) => new RegionalStore(store, region));

/** Regions that hold data. */
export const regionsOf = (store: Store): Promise<string[]> =>
  store.read(async (tx) => (await tx.scan(regions, { prefix: [] })).items.map(({ region }) => region));
