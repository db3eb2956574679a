/** The feed of changes over any engine: tells what collections put and delete, and keeps it for durable subscribers. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { Logger } from '../runtime/log.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import type { ChangeKind, ExternalKind } from './change-kinds.ts';
import type { Change, ChangeListener, Changes, ChangeSubscriber } from './changes.ts';
import {
  type Collection,
  collection,
  type CommitHook,
  type HookedStore,
  type Key,
  type KeyPart,
  type ReadTransaction,
  type Row,
  type RowKey,
  rows,
  type RowScan,
  type Rows,
  type Scan,
  type WriteOrder,
  type WriteTransaction,
} from './contract.ts';
import { DamagedRecordError } from './damage.ts';

/** How far each durable subscriber has come. */
interface PositionRecord {
  readonly subscriber: string;
  /** Number of the last change that it has taken. */
  readonly position: number;
}

export const changePositions = collection<PositionRecord>('change-positions', (p) => [p.subscriber]);

/** Changes that a durable subscriber has not taken yet, by number. */
export const storedChanges = rows('changes');
const OWNER = 0;

/** Changes, and their bytes, that a durable subscriber gets at once. */
const MAX_PAGE = { rows: 500, bytes: 1024 * 1024 };
/** Milliseconds between two attempts of a durable subscriber that has failed. */
const RETRY = 1_000;

type Changed = Omit<Change<object>, 'number'>;
type Before<T extends object> = Pick<Change<T>, 'before' | 'wasDamaged'>;

/** A durable subscriber as the feed runs it. */
interface ChangeSubscription {
  readonly subscriber: ChangeSubscriber;
  readonly kinds: ReadonlySet<ChangeKind>;
  position: number;
  running: Promise<void> | undefined;
  retry: NodeJS.Timeout | undefined;
}

export interface ChangeFeedOptions {
  readonly store: HookedStore;
  readonly log: Pick<Logger, 'error'>;
}

export class ChangeFeed implements Changes, AsyncDisposable {
  readonly #log: ChangeFeedOptions['log'];
  readonly #listeners = new Map<string, Set<ChangeListener<never>>>();
  readonly #outside = new Map<ExternalKind, Set<(place: Place) => void>>();
  readonly #subscriptions = new Map<string, ChangeSubscription>();
  /** The store itself: its writes tell nothing. */
  readonly #store: HookedStore;
  /** The same store, whose writes tell what they change. */
  readonly store: HookedStore;
  #next = 1;
  #closed = false;

  constructor({ store, log }: ChangeFeedOptions) {
    this.#log = log;
    this.#store = store;
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

  /**
   * Takes up durable subscribers where they were; to be awaited before the first write. The position of one that exists
   * no more is forgotten, and so is what was kept for it alone.
   */
  async load(subscribers: readonly ChangeSubscriber[]): Promise<void> {
    const store = this.#store;
    const { items } = await store.read((tx) => tx.scan(changePositions, { prefix: [] }));
    const positions = new Map(items.map(({ subscriber, position }) => [subscriber, position]));
    let last = Math.max(0, ...positions.values());
    await store.read((tx) => tx.eachRow(storedChanges, ({ at }) => (last = Math.max(last, at))));
    this.#next = last + 1;
    for (const subscriber of subscribers)
      this.#subscriptions.set(subscriber.name, {
        subscriber,
        kinds: new Set(subscriber.of.flatMap(({ changes }) => changes ?? [])),
        // A new one begins with the next change.
        position: positions.get(subscriber.name) ?? last,
        running: undefined,
        retry: undefined,
      });
    const isGone = (name: string): boolean => !this.#subscriptions.has(name);
    await store.write(async (tx) => {
      for (const name of positions.keys()) if (isGone(name)) await tx.delete(changePositions, [name]);
      for (const { subscriber, position } of this.#subscriptions.values())
        if (!positions.has(subscriber.name)) await tx.put(changePositions, { subscriber: subscriber.name, position });
      await this.#forgetTaken(tx);
    });
    for (const subscription of this.#subscriptions.values()) this.#run(subscription);
  }

  /** Resolves once every durable subscriber has taken what was committed before the call, or has failed to. */
  async settled(): Promise<void> {
    for (const { running } of this.#subscriptions.values()) await running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { retry } of this.#subscriptions.values()) clearTimeout(retry);
    await this.settled();
  }

  /** Whether there is a subscriber to changes of a collection. */
  wants({ changes }: Collection<never>): boolean {
    return changes !== undefined && ((this.#listeners.get(changes)?.size ?? 0) > 0 || this.#keeps(changes));
  }

  /** Numbers the changes of a write, and stores those that a durable subscriber waits for, in its transaction. */
  async number(tx: WriteTransaction, changed: readonly Changed[]): Promise<Change<object>[]> {
    const changes = changed.map((each): Change<object> => ({ number: this.#next++, ...each }));
    const kept = changes.filter(({ kind }) => this.#keeps(kind));
    if (kept.length > 0)
      await tx.putRows(
        storedChanges,
        kept.map((change) => ({ owner: OWNER, at: change.number, value: Buffer.from(JSON.stringify(change)) })),
      );
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
    for (const subscription of this.#subscriptions.values())
      if (changes.some(({ kind }) => subscription.kinds.has(kind))) this.#run(subscription);
    if (waiting.length > 0) await Promise.all(waiting);
    if (failures.length > 0) throw failures[0];
  }

  #keeps(kind: ChangeKind): boolean {
    for (const { kinds } of this.#subscriptions.values()) if (kinds.has(kind)) return true;
    return false;
  }

  #failed(kind: ChangeKind | ExternalKind, error: unknown): void {
    this.#log.error({ err: error, event: 'change-listener-failed', kind }, 'a change was not followed');
  }

  #run(subscription: ChangeSubscription): void {
    if (this.#closed || subscription.retry !== undefined) return;
    const { running = Promise.resolve() } = subscription;
    const next = running.then(() => this.#catchUp(subscription));
    subscription.running = next;
    void next.then(() => {
      if (subscription.running === next) subscription.running = undefined;
    });
  }

  /** Hands the stored changes to a subscriber, page by page. */
  async #catchUp(subscription: ChangeSubscription): Promise<void> {
    const { subscriber, kinds } = subscription;
    const store = this.#store;
    try {
      while (!this.#closed) {
        const after = subscription.position;
        const page = await store.read((tx) => tx.scanRows(storedChanges, OWNER, { after, ...MAX_PAGE }));
        const last = page.at(-1);
        if (last === undefined) return;
        const changes = page.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as Change<object>);
        const wanted = changes.filter(({ kind }) => kinds.has(kind));
        if (wanted.length > 0) await subscriber.take(wanted);
        subscription.position = last.at;
        await store.write(async (tx) => {
          await tx.put(changePositions, { subscriber: subscriber.name, position: last.at });
          await this.#forgetTaken(tx);
        });
      }
    } catch (error) {
      if (this.#closed) return;
      if (!isDiskRefusal(error))
        this.#log.error(
          { err: error, event: 'change-subscriber-failed', subscriber: subscriber.name },
          'changes were not taken: they are handed on again',
        );
      subscription.retry = setTimeout(() => {
        subscription.retry = undefined;
        this.#run(subscription);
      }, RETRY).unref();
    }
  }

  /** Removes what every durable subscriber has taken. */
  async #forgetTaken(tx: WriteTransaction): Promise<void> {
    const taken = Math.min(Number.MAX_SAFE_INTEGER, ...[...this.#subscriptions.values()].map(({ position }) => position));
    for (;;) {
      const page = await tx.scanRows(storedChanges, OWNER, { after: 0, ...MAX_PAGE });
      const over = page.filter(({ at }) => at <= taken);
      await tx.deleteRows(storedChanges, over);
      if (over.length < page.length || page.length === 0) return;
    }
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
