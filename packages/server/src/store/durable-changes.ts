/** Changes that durable subscribers have not taken yet: stored in their commit, handed on page by page, removed once taken. */
import type { Logger } from '../runtime/log.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import type { ChangeKind } from './change-kinds.ts';
import type { Change, ChangeSubscriber, DurableSubscription } from './changes.ts';
import { collection, type HookedStore, rows, type WriteTransaction } from './contract.ts';

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

/** A subscription as it is run. */
interface State {
  readonly name: string;
  readonly kinds: ReadonlySet<ChangeKind>;
  /** Absent until it takes: what is stored waits for it. */
  subscriber: ChangeSubscriber | undefined;
  position: number;
  /** Number of the last change that may wait for it. */
  last: number;
  running: Promise<void> | undefined;
  retry: NodeJS.Timeout | undefined;
}

export interface DurableChangesOptions {
  readonly store: HookedStore;
  readonly log: Pick<Logger, 'error'>;
}

const isWanted = ({ kinds, subscriber }: State, change: Omit<Change<object>, 'number'>): boolean =>
  kinds.has(change.kind) && (subscriber?.wants?.(change) ?? true);

export class DurableChanges implements AsyncDisposable {
  readonly #store: HookedStore;
  readonly #log: DurableChangesOptions['log'];
  readonly #states = new Map<string, State>();
  #closed = false;

  constructor({ store, log }: DurableChangesOptions) {
    this.#store = store;
    this.#log = log;
  }

  /**
   * Takes up subscriptions where they were, and gives the number of the last change that is known. The position of one that
   * exists no more is forgotten, and so is what was kept for it alone.
   */
  async load(subscriptions: readonly DurableSubscription[]): Promise<number> {
    const store = this.#store;
    const { items } = await store.read((tx) => tx.scan(changePositions, { prefix: [] }));
    const positions = new Map(items.map(({ subscriber, position }) => [subscriber, position]));
    let last = Math.max(0, ...positions.values());
    await store.read((tx) => tx.eachRow(storedChanges, ({ at }) => (last = Math.max(last, at))));
    for (const { name, of } of subscriptions) {
      const kinds = new Set(of.flatMap(({ changes }) => changes ?? []));
      // A new one begins with the next change.
      const position = positions.get(name) ?? last;
      this.#states.set(name, { name, kinds, subscriber: undefined, position, last, running: undefined, retry: undefined });
    }
    const isGone = (name: string): boolean => !this.#states.has(name);
    await store.write(async (tx) => {
      for (const name of positions.keys()) if (isGone(name)) await tx.delete(changePositions, [name]);
      for (const { name, position } of this.#states.values())
        if (!positions.has(name)) await tx.put(changePositions, { subscriber: name, position });
      await this.#forgetTaken(tx);
    });
    return last;
  }

  /** Begins to hand changes on. */
  begin(subscribers: readonly ChangeSubscriber[]): void {
    for (const subscriber of subscribers) {
      const state = this.#states.get(subscriber.name);
      if (state === undefined) throw new RangeError(`the subscription ${subscriber.name} was not loaded`);
      state.subscriber = subscriber;
      this.#run(state);
    }
  }

  /** Whether changes of the kind may have to be stored. */
  follows(kind: ChangeKind): boolean {
    for (const { kinds } of this.#states.values()) if (kinds.has(kind)) return true;
    return false;
  }

  /** Stores those of the changes that a subscriber waits for, in their transaction. */
  async keep(tx: WriteTransaction, changes: readonly Change<object>[]): Promise<void> {
    const kept = changes.filter((change) => {
      let isKept = false;
      for (const state of this.#states.values())
        if (isWanted(state, change)) {
          isKept = true;
          state.last = Math.max(state.last, change.number);
        }
      return isKept;
    });
    const values = kept.map((change) => ({ owner: OWNER, at: change.number, value: Buffer.from(JSON.stringify(change)) }));
    if (values.length > 0) await tx.putRows(storedChanges, values);
  }

  /** Hands on what is on disk now to those that wait for it. */
  handOn(): void {
    for (const state of this.#states.values()) if (state.position < state.last) this.#run(state);
  }

  /** Resolves once every subscriber has taken what was committed before the call, or has failed to. */
  async settled(): Promise<void> {
    for (const { running } of this.#states.values()) await running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { retry } of this.#states.values()) clearTimeout(retry);
    await this.settled();
  }

  #run(state: State): void {
    const { subscriber, running = Promise.resolve() } = state;
    if (this.#closed || subscriber === undefined || state.retry !== undefined) return;
    const next = running.then(() => this.#catchUp(state, subscriber));
    state.running = next;
    void next.then(() => {
      if (state.running === next) state.running = undefined;
    });
  }

  /** Hands the stored changes to a subscriber, page by page. */
  async #catchUp(state: State, subscriber: ChangeSubscriber): Promise<void> {
    const store = this.#store;
    try {
      while (!this.#closed) {
        const { last: known, position: after } = state;
        const page = await store.read((tx) => tx.scanRows(storedChanges, OWNER, { after, ...MAX_PAGE }));
        const last = page.at(-1);
        if (last === undefined) {
          // A write that has failed may have been waited for.
          if (state.last === known) state.last = state.position;
          return;
        }
        const changes = page.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as Change<object>);
        const wanted = changes.filter((change) => isWanted(state, change));
        if (wanted.length > 0) await subscriber.take(wanted);
        state.position = last.at;
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
      state.retry = setTimeout(() => {
        state.retry = undefined;
        this.#run(state);
      }, RETRY).unref();
    }
  }

  /** Removes what no subscriber waits for: one that waits for nothing keeps nothing of others. */
  async #forgetTaken(tx: WriteTransaction): Promise<void> {
    const waiting = [...this.#states.values()].filter(({ position, last }) => position < last);
    const taken = Math.min(Number.MAX_SAFE_INTEGER, ...waiting.map(({ position }) => position));
    for (;;) {
      const page = await tx.scanRows(storedChanges, OWNER, { after: 0, ...MAX_PAGE });
      const over = page.filter(({ at }) => at <= taken);
      await tx.deleteRows(storedChanges, over);
      if (over.length < page.length || page.length === 0) return;
    }
  }
}
