/**
 * What the domains ask of a store: collections of records in atomic, durable transactions. The same contract is kept
 * by every engine (SQLite here; PostgreSQL for a fleet), and one suite of tests runs against each.
 *
 * - A record is plain JSON data. Its key and its index entries are pure functions of it; an engine keeps a record's
 *   entries beside it, and derives them anew when a collection's index functions have changed.
 * - A record that is not as it was written is never given out: see {@link Scan.skipDamaged}.
 * - An engine gives the event loop its turn between the reads and writes of a caller that loops.
 * - Keys are tuples. They order part by part: strings by their UTF-8 bytes, numbers (finite, 0 or more) by value.
 * - `write` resolves only once the change is on disk; when its function throws, nothing of it is kept.
 * - A key, and an index entry together with its record's key, take {@link MAX_KEY_BYTES} bytes encoded at most: a record
 *   beyond that is refused with InvalidRequestException.
 * - Writers of one {@link WriteOrder} run one after another, so a write may read, decide and write without a race. Readers
 *   see committed data.
 * - A write function must touch nothing but its transaction: no network, no timers, no other transaction. An engine may
 *   run it again, from its beginning, and keeps what the last run did: whatever it gives to the outside it gives as its
 *   result.
 * - What comes and goes by the thousand (queued messages) is not JSON but rows of bytes under two numbers: {@link Rows}.
 */
import type { ChangeKind } from './change-kinds.ts';

export type KeyPart = string | number;
export type Key = readonly KeyPart[];

/** Bytes of an encoded key, or of an index entry with its record's key: what every engine can keep in an index. */
export const MAX_KEY_BYTES = 2_000;

export interface Collection<T extends object> {
  readonly name: string;
  readonly key: (record: T) => Key;
  /**
   * Secondary orders: each record gives any number of entries; entries need not be unique. A function's own text is what
   * says that it has changed: it uses no other function or constant of the program.
   */
  readonly indexes: Readonly<Record<string, (record: T) => readonly Key[]>>;
  /** `server`: one for all regions; each region has its own otherwise. */
  readonly scope?: 'server' | undefined;
  /** Puts and deletes are told as changes of this kind: see changes.ts. */
  readonly changes?: ChangeKind | undefined;
  /** False: changes are told without the records, which hold secrets. */
  readonly shows?: boolean | undefined;
  /** Set in one region's part of a collection: the first part of the keys. */
  readonly region?: string | undefined;
}

export type CollectionOptions = Pick<Collection<never>, 'scope' | 'changes' | 'shows'>;

/** Declares a collection; the name is part of the stored format. */
export const collection = <T extends object>(
  name: string,
  key: Collection<T>['key'],
  indexes: Collection<T>['indexes'] = {},
  options: CollectionOptions = {},
): Collection<T> => ({ name, key, indexes, ...options });

export interface Scan {
  /** Index to walk; the key order when absent. */
  readonly index?: string;
  /** Only entries that begin with these parts. */
  readonly prefix: Key;
  /** Only entries whose next part is a string that begins so. */
  readonly startsWith?: string;
  /** Only entries behind all of those that go on with these parts after the prefix; in ascending order. */
  readonly beyond?: Key;
  /** `next` of the page before. A token that is none fails with InvalidRequestException. */
  readonly after?: string;
  /** Most records of a page; all when absent. */
  readonly limit?: number;
  readonly reverse?: boolean;
  /**
   * For lists, and for loading what is served one by one: a damaged record is told to the operator and left out. A scan
   * fails at one otherwise, for what is decided by a set of records must not be decided by a part of it.
   */
  readonly skipDamaged?: boolean;
}

export interface Page<T> {
  readonly items: T[];
  /** Opaque token, base64 with padding (AWS's `Marker` pattern), absent on the last page. */
  readonly next?: string;
  /** Records that were left out because they are damaged. */
  readonly damaged?: number;
}

/**
 * Rows of bytes, ordered by owner and then by place: an owner's queue. No index but that order. A row that is damaged is
 * told to the operator and left out.
 */
export interface Rows {
  readonly name: string;
  /** Rows of one region; each region has its own. */
  readonly region?: string | undefined;
}

/** Where a row is: both are whole numbers of 0 to 2^53 - 1. */
export interface RowKey {
  readonly owner: number;
  readonly at: number;
}

export interface Row extends RowKey {
  readonly value: Uint8Array;
}

export interface RowScan {
  /** Only rows behind this place. */
  readonly after: number;
  /** Most rows. */
  readonly rows: number;
  /** No further row is read once as many bytes of values have been. */
  readonly bytes: number;
}

/** Declares rows; the name is part of the stored format. */
export const rows = (name: string): Rows => ({ name });

export interface ReadTransaction {
  get<T extends object>(of: Collection<T>, key: Key): Promise<T | undefined>;
  /** Records of many keys, in the order of the keys, at the price of one. */
  getMany<T extends object>(of: Collection<T>, keys: readonly Key[]): Promise<(T | undefined)[]>;
  scan<T extends object>(of: Collection<T>, scan: Scan): Promise<Page<T>>;
  /** An owner's rows, in order. */
  scanRows(of: Rows, owner: number, scan: RowScan): Promise<Row[]>;
  /** Shows every row's key and its value's size in bytes, in order. */
  eachRow(of: Rows, visit: (key: RowKey, size: number) => void): Promise<void>;
}

export interface WriteTransaction extends ReadTransaction {
  /** Stores the record under its key, replacing what was there. */
  put<T extends object>(of: Collection<T>, record: T): Promise<void>;
  /** Removes the record; says whether there was one. */
  delete<T extends object>(of: Collection<T>, key: Key): Promise<boolean>;
  /** Stores rows, replacing those that were there. */
  putRows(of: Rows, rows: Iterable<Row>): Promise<void>;
  /** Removes rows; missing ones are ignored. */
  deleteRows(of: Rows, keys: Iterable<RowKey>): Promise<void>;
}

/**
 * Whose writes run one after another: `all` writes, which is the default, or those of one name among themselves and with
 * the writes of `all`. A write in an order of its own reads and writes nothing but what belongs to that order.
 */
export type WriteOrder = 'all' | { readonly of: string };

/**
 * Work at the end of each commit, in its transaction; when it fails, so does the commit. Gives what is to be done once
 * the commit is on disk, which must not fail.
 */
export type CommitHook = (tx: WriteTransaction) => Promise<(() => void) | undefined>;

/** A store as its opener has it. */
export interface HookedStore extends Store {
  beforeCommit(hook: CommitHook): void;
  /**
   * Copies what is committed when it is called into a new data file, for the owner alone; reads and writes go on
   * meanwhile. One at a time.
   */
  backup(path: string): Promise<void>;
}

export interface Store extends AsyncDisposable {
  read<R>(work: (tx: ReadTransaction) => Promise<R>): Promise<R>;
  write<R>(work: (tx: WriteTransaction) => Promise<R>, order?: WriteOrder): Promise<R>;
}
