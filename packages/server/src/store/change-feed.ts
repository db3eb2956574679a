/** The feed of changes over any engine: tells what collections put and delete, and keeps it for durable subscribers. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { Logger } from '../runtime/log.ts';
import type { ChangeKind, ExternalKind } from './change-kinds.ts';
import type { Change, ChangeListener, Changes, ChangeSubscriber, DurableSubscription } from './changes.ts';
import type {
  Collection,
  CommitHook,
  HookedStore,
  Key,
  KeyPart,
  ReadTransaction,
  Row,
  RowKey,
  RowScan,
  Rows,
  Scan,
  WriteOrder,
  WriteTransaction,
} from './contract.ts';
import { DamagedRecordError } from './damage.ts';
import { DurableChanges } from './durable-changes.ts';

type Changed = Omit<Change<object>, 'number'>;
type Before<T extends object> = Pick<Change<T>, 'before' | 'wasDamaged'>;

export interface ChangeFeedOptions {
  readonly store: HookedStore;
  readonly log: Pick<Logger, 'error'>;
}

export class ChangeFeed implements Changes, AsyncDisposable {
  readonly #log: ChangeFeedOptions['log'];
  readonly #listeners = new Map<string, Set<ChangeListener<never>>>();
  readonly #outside = new Map<ExternalKind, Set<(place: Place) => void>>();
  readonly #durable: DurableChanges;
  /** The same store, whose writes tell what they change. */
  readonly store: HookedStore;
  #next = 1;

  constructor({ store, log }: ChangeFeedOptions) {
    this.#log = log;
    // Of the store itself: its writes tell nothing.
    this.#durable = new DurableChanges({ store, log });
    this.store = new TellingStore(store, this);
  }

  on<T extends object>(of: Collection<T>, listener: ChangeListener<T>): () => void {
    if (of.changes === undefined)
      throw new RangeError(`the collection ${of.name} has no changes to follow: declare it with { changes: '...' }`);
    const listeners = this.#listeners.get(of.changes) ?? new Set();
    this.#listeners.set(of.changes, listeners.add(listener as ChangeListener<never>));
    return () => listeners.delete(listener as ChangeListener<never>);
  }

  onExternal(kind: ExternalKind, listener: (place: Place) => void): () => void {
    const listeners = this.#outside.get(kind) ?? new Set();
    this.#outside.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Tells what has changed outside of the store. */
  announce(kind: ExternalKind, place: Place): void {
    for (const listener of [...(this.#outside.get(kind) ?? [])])
      try {
        listener(place);
      } catch (error) {
        this.#failed(kind, error);
      }
  }

  /** Takes up durable subscriptions where they were; to be awaited before the first write. */
  async load(subscriptions: readonly DurableSubscription[]): Promise<void> {
    this.#next = (await this.#durable.load(subscriptions)) + 1;
  }

  /** Begins to hand changes on to durable subscribers: to be called once they are able to take them. */
  begin(subscribers: readonly ChangeSubscriber[]): void {
    this.#durable.begin(subscribers);
  }

  /** Resolves once every durable subscriber has taken what was committed before the call, or has failed to. */
  settled(): Promise<void> {
    return this.#durable.settled();
  }

  /** Ends to hand changes on to durable subscribers: those to come wait for the next start. */
  async end(): Promise<void> {
    await this.#durable[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  /** Whether there is a subscriber to changes of a collection. */
  wants({ changes }: Collection<never>): boolean {
    return changes !== undefined && ((this.#listeners.get(changes)?.size ?? 0) > 0 || this.#durable.follows(changes));
  }

  /** Numbers the changes of a write, and stores those that a durable subscriber waits for, in its transaction. */
  async number(tx: WriteTransaction, changed: readonly Changed[]): Promise<Change<object>[]> {
    const changes = changed.map((each): Change<object> => ({ number: this.#next++, ...each }));
    await this.#durable.keep(tx, changes);
    return changes;
  }

  /** Hands on what is on disk now. Settles once every listener has; fails, after all, where one has failed. */
  async handOn(changes: readonly Change<object>[]): Promise<void> {
    const waiting: Promise<void>[] = [];
    const failures: unknown[] = [];
    const failed = (kind: ChangeKind, error: unknown): void => {
      this.#failed(kind, error);
      failures.push(error);
    };
    for (const change of changes)
      for (const listener of [...(this.#listeners.get(change.kind) ?? [])])
        try {
          const heard = (listener as ChangeListener<object>)(change);
          if (heard !== undefined) waiting.push(heard.catch((error: unknown) => failed(change.kind, error)));
        } catch (error) {
          failed(change.kind, error);
        }
    this.#durable.handOn();
    if (waiting.length > 0) await Promise.all(waiting);
    if (failures.length > 0) throw failures[0];
  }

  #failed(kind: ChangeKind | ExternalKind, error: unknown): void {
    this.#log.error({ err: error, event: 'change-listener-failed', kind }, 'a change was not followed');
  }
}

/** A store whose write transactions tell what they change. */
class TellingStore implements HookedStore {
  readonly #store: HookedStore;
  readonly #feed: ChangeFeed;

  constructor(store: HookedStore, feed: ChangeFeed) {
    this.#store = store;
    this.#feed = feed;
  }

  read<R>(work: (tx: ReadTransaction) => Promise<R>): Promise<R> {
    return this.#store.read(work);
  }

  async write<R>(work: (tx: WriteTransaction) => Promise<R>, order?: WriteOrder): Promise<R> {
    const { value, changes } = await this.#store.write(async (tx) => {
      const collecting = new CollectingTransaction(tx, this.#feed);
      const result = await work(collecting);
      // Numbers rise in the order of the commits: writes of other orders have no place among them.
      if (order !== undefined && order !== 'all' && collecting.changed.length > 0)
        throw new RangeError('a write in an order of its own has changed what is told');
      return { value: result, changes: collecting.changed.length === 0 ? [] : await this.#feed.number(tx, collecting.changed) };
    }, order);
    if (changes.length > 0) await this.#feed.handOn(changes);
    return value;
  }

  beforeCommit(hook: CommitHook): void {
    this.#store.beforeCommit(hook);
  }

  backup(path: string): Promise<void> {
    return this.#store.backup(path);
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#store[Symbol.asyncDispose]();
  }
}

class CollectingTransaction implements WriteTransaction {
  readonly changed: Changed[] = [];
  readonly #tx: WriteTransaction;
  readonly #feed: ChangeFeed;

  constructor(tx: WriteTransaction, feed: ChangeFeed) {
    this.#tx = tx;
    this.#feed = feed;
  }

  get<T extends object>(of: Collection<T>, key: Key): Promise<T | undefined> {
    return this.#tx.get(of, key);
  }

  getMany<T extends object>(of: Collection<T>, keys: readonly Key[]): Promise<(T | undefined)[]> {
    return this.#tx.getMany(of, keys);
  }

  scan<T extends object>(of: Collection<T>, scan: Scan) {
    return this.#tx.scan(of, scan);
  }

  scanRows(of: Rows, owner: number, scan: RowScan): Promise<Row[]> {
    return this.#tx.scanRows(of, owner, scan);
  }

  eachRow(of: Rows, visit: (key: RowKey, size: number) => void): Promise<void> {
    return this.#tx.eachRow(of, visit);
  }

  putRows(of: Rows, list: Iterable<Row>): Promise<void> {
    return this.#tx.putRows(of, list);
  }

  deleteRows(of: Rows, keys: Iterable<RowKey>): Promise<void> {
    return this.#tx.deleteRows(of, keys);
  }

  async put<T extends object>(of: Collection<T>, record: T): Promise<void> {
    if (!this.#feed.wants(of as Collection<never>)) return this.#tx.put(of, record);
    const key = of.key(record);
    const before = await this.#before(of, key);
    await this.#tx.put(of, record);
    this.#collect(of, key, before, record);
  }

  async delete<T extends object>(of: Collection<T>, key: Key): Promise<boolean> {
    if (!this.#feed.wants(of as Collection<never>)) return this.#tx.delete(of, key);
    const before = await this.#before(of, key);
    const wasThere = await this.#tx.delete(of, key);
    if (wasThere) this.#collect(of, key, before, undefined);
    return wasThere;
  }

  async #before<T extends object>(of: Collection<T>, key: Key): Promise<Before<T>> {
    try {
      return { before: await this.#tx.get(of, key) };
    } catch (error) {
      if (error instanceof DamagedRecordError) return { wasDamaged: true };
      throw error;
    }
  }

  #collect<T extends object>(of: Collection<T>, key: Key, { before, wasDamaged }: Before<T>, after: T | undefined): void {
    const { changes: kind, region = '', shows = true } = of;
    if (kind === undefined) return;
    const own: readonly KeyPart[] = region === '' ? key : key.slice(1);
    const { accountId = own[0] } = (after ?? before ?? {}) as { readonly accountId?: string };
    const records = shows ? { before, after } : {};
    this.changed.push({
      kind,
      place: { region, accountId: String(accountId) },
      key: own,
      ...records,
      ...defined({ wasDamaged }),
    });
  }
}
