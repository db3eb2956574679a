/**
 * Work that is due at a time, kept in the store, and done by one server of those that share it. The server that takes an item
 * holds it by a lease: what a server that has died or stands still was doing is taken by another once the lease is over.
 * An item is done at least once; a handler that settles it in the transaction of its own effect does it exactly once.
 */
import { randomUUID } from 'node:crypto';
import { defined } from '@thingkeep/wire/defined.ts';
import type { Clock } from '../runtime/clock.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import type { Key, ReadTransaction, Store, WriteTransaction } from './contract.ts';
import { cancel, type DueRecord, dueRecords, type Lease, schedule } from './due-records.ts';
import { wakeEarly } from './early-work.ts';
import { takeInTurn } from './take-in-turn.ts';

/** What is to become of an item: it is done with, or due again (milliseconds since the epoch). */
export type Outcome = 'done' | { readonly again: number };

export interface DueItem<T extends object = object> {
  readonly id: string;
  readonly accountId: string | undefined;
  readonly data: T;
  readonly failures: number;
  /** Aborted once another may hold the item, and when the server stops. */
  readonly signal: AbortSignal;
  /** Whether the lease is still held: a write that asks so in its transaction is done by the holder alone. */
  isHeld(tx: ReadTransaction): Promise<boolean>;
  /** Settles the item in a transaction of the handler's own; false when it is held no more. What `take` gives counts no more. */
  settle(tx: WriteTransaction, outcome: Outcome): Promise<boolean>;
}

/** Who does the work of a kind. */
export interface DueHandler {
  readonly kind: string;
  /** Items under way at once; half of them at most are of one account. */
  readonly concurrency: number;
  /** Does an item. One that fails is tried again, later each time. */
  take(item: DueItem): Promise<Outcome>;
}

/** What one server of those that share the store does again and again. */
export interface Task {
  readonly name: string;
  /** Milliseconds from the end of a run to the next. */
  readonly every: number;
  run(signal: AbortSignal): Promise<void>;
}

/** Milliseconds of a lease; it is renewed after a third of them for as long as the work goes on. */
const LEASE = 30_000;
/** Due items that are looked at to take some of them; and, where there are more, accounts whose items are. */
const MAX_PAGE = 256;
const MAX_BACKOFF = 300_000;
/** Milliseconds to the next attempt after as many failures. */
const backoff = (failures: number): number => Math.min(1_000 * 2 ** Math.min(failures - 1, 20), MAX_BACKOFF);

const TASK = 'task';

/** What a search over accounts has found, and the account with which it ended. */
interface AccountSearch {
  readonly found: readonly DueRecord[];
  readonly ended?: Key | undefined;
}

/** An item that this server holds. */
interface Held {
  readonly record: DueRecord;
  readonly lease: Lease;
  /** When the lease is over, as far as this server has stored it. */
  until: number;
  readonly stop: AbortController;
}

export interface DueWorkOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error'>;
  /** The name of this server among those that share the store. */
  readonly node?: string;
}

export interface DueState {
  readonly waiting: number;
  readonly delay: number;
  readonly running: number;
}

/** What a domain gives to be done. */
export interface DueWorkSource {
  readonly dueWork?: readonly DueHandler[] | undefined;
  readonly tasks?: readonly Task[] | undefined;
}

export class DueWork implements AsyncDisposable {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Pick<Logger, 'error'>;
  readonly #node: string;
  readonly #handlers = new Map<string, DueHandler>();
  readonly #tasks = new Map<string, Task>();
  readonly #held = new Set<Held>();
  readonly #running = new Set<Promise<void>>();
  /** By kind, the account with which the last search over accounts ended. */
  readonly #lastAccounts = new Map<string, Key>();
  #isClaiming = false;
  /** Settles once what is being taken is. */
  #claiming: Promise<void> = Promise.resolve();
  /** The wall clock at the last tick. */
  #latest = Number.NEGATIVE_INFINITY;
  #closed = false;

  private constructor({ store, clock, log, node = 'local' }: DueWorkOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#node = node;
  }

  /**
   * Takes up the work of all sources. Leases that an earlier run of this server left are over, for it has died.
   * @throws RangeError where two handlers are of one kind, or two tasks of one name
   */
  static async open(sources: readonly DueWorkSource[], options: DueWorkOptions): Promise<DueWork> {
    const work = new DueWork(options);
    const tasks = sources.flatMap((source) => source.tasks ?? []);
    for (const task of tasks) work.#tasks.set(task.name, task);
    const handlers = [...sources.flatMap((source) => source.dueWork ?? []), work.#taskHandler()];
    for (const handler of handlers) work.#handlers.set(handler.kind, handler);
    if (work.#handlers.size < handlers.length || work.#tasks.size < tasks.length)
      throw new RangeError('two handlers of due work of one kind, or two tasks of one name');
    await work.#load();
    return work;
  }

  async #load(): Promise<void> {
    const now = this.#clock.now();
    await this.#freeOwnLeases(now);
    await this.#clockIs(now);
  }

  /** Sees to what another clock has scheduled: one that was ahead, in this run or in the one before. */
  async #clockIs(now: number): Promise<void> {
    await this.#scheduleTasks(now);
    await wakeEarly(this.#store, now);
  }

  /** Schedules tasks that are not, or that a clock which was ahead has put off; forgets those that are gone. */
  async #scheduleTasks(now: number): Promise<void> {
    this.#latest = now;
    const tasks = [...this.#tasks.values()];
    await this.#store.write(async (tx) => {
      for (const { name, every } of tasks) {
        const known = await tx.get(dueRecords, [TASK, name]);
        // A clock that was ahead when it was written must not put it off for long.
        const isLate = known !== undefined && known.lease === undefined && known.at > now + every;
        if (known === undefined || isLate) await schedule(tx, { kind: TASK, id: name, at: now, data: {} });
      }
      const { items } = await tx.scan(dueRecords, { prefix: [TASK], skipDamaged: true });
      for (const { id } of items) if (!this.#tasks.has(id)) await cancel(tx, TASK, id);
    });
  }

  /** Takes what is due, as far as there is room, and renews leases. Resolves once what it has taken is done. */
  async tick(): Promise<void> {
    // Two ticks at a time would each see the same room.
    if (this.#closed || this.#isClaiming) return;
    this.#isClaiming = true;
    const begun: Promise<void>[] = [];
    const claiming = this.#beginDue(begun).finally(() => {
      this.#isClaiming = false;
    });
    this.#claiming = claiming.catch(() => undefined);
    await claiming;
    await Promise.all(begun);
  }

  /** By kind: what waits to be taken, {@link MAX_PAGE} items at most, for how long the oldest does (ms), and what is under way. */
  async state(): Promise<ReadonlyMap<string, DueState>> {
    const now = this.#clock.now();
    const states = new Map<string, DueState>();
    for (const kind of this.#handlers.keys()) {
      const running = [...this.#held].filter(({ record }) => record.kind === kind).length;
      const page = { index: 'byTime', prefix: [kind], skipDamaged: true, limit: MAX_PAGE };
      const { items } = await this.#store.read((tx) => tx.scan(dueRecords, page));
      const due = items.filter(({ at, lease }) => at <= now && lease === undefined);
      states.set(kind, { waiting: due.length, delay: now - (due[0]?.at ?? now), running });
    }
    return states;
  }

  async #beginDue(begun: Promise<void>[]): Promise<void> {
    const now = this.#clock.now();
    if (now < this.#latest) await this.#clockIs(now);
    this.#latest = now;
    await this.#renew();
    for (const handler of this.#handlers.values())
      for (const held of await this.#claimOrLog(handler)) {
        // What was taken while the server stopped is given back, and due at the next start.
        const run = this.#closed ? this.#giveBack(held) : this.#run(handler, held);
        this.#running.add(run);
        void run.finally(() => this.#running.delete(run));
        begun.push(run);
      }
  }

  async #giveBack(held: Held): Promise<void> {
    await this.#store
      .write((tx) => this.#settle(tx, held, { again: this.#clock.now() }, held.record.failures))
      .catch(() => undefined);
    this.#held.delete(held);
  }

  /** Stops what is under way, and waits for it; the next run of the server takes it up at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const { stop } of this.#held) stop.abort();
    await this.#claiming;
    await Promise.all(this.#running);
  }

  /** A kind that can't be taken keeps no other from being. */
  async #claimOrLog(handler: DueHandler): Promise<Held[]> {
    try {
      return await this.#claim(handler);
    } catch (error) {
      this.#logFailure(error, handler.kind, 'due work could not be taken');
      return [];
    }
  }

  #logFailure(error: unknown, kind: string, text: string): void {
    if (!isDiskRefusal(error)) this.#log.error({ err: error, event: 'due-work-failed', kind }, text);
  }

  /** Takes due items of a kind. */
  async #claim({ kind, concurrency }: DueHandler): Promise<Held[]> {
    const own = [...this.#held].filter(({ record }) => record.kind === kind);
    const free = concurrency - own.length;
    const isDue = ({ at }: DueRecord): boolean => at <= this.#clock.now();
    if (this.#closed || free <= 0) return [];
    const next = { index: 'byTime', prefix: [kind], skipDamaged: true };
    const first = await this.#store.read((tx) => tx.scan(dueRecords, { ...next, limit: 1 }));
    // A page of nothing but damaged records hides those behind it: they are looked for.
    if (!first.items.some(isDue) && (first.damaged ?? 0) === 0) return [];
    const running = new Map<string, number>();
    for (const { record } of own) running.set(record.accountId ?? '', (running.get(record.accountId ?? '') ?? 0) + 1);
    const { claimed, ended } = await this.#store.write(
      async (tx) => {
        const share = Math.max(1, concurrency >> 1);
        const { items } = await tx.scan(dueRecords, { ...next, limit: MAX_PAGE });
        // Where one account may fill the whole page, those of others are looked for behind it.
        const others = items.length < MAX_PAGE ? { found: [] } : await this.#firstOfAccounts(tx, kind, share);
        const due = [...new Map([...items, ...others.found].map((each) => [each.id, each])).values()].filter(isDue);
        const taken: Held[] = [];
        for (const record of takeInTurn(due, free, share, running)) {
          const lease = { node: this.#node, token: randomUUID() };
          const until = this.#clock.now() + LEASE;
          await tx.put(dueRecords, { ...record, at: until, lease });
          taken.push({ record, lease, until, stop: new AbortController() });
        }
        return { claimed: taken, ended: others.ended };
      },
      { of: `due-work/${kind}` },
    );
    if (ended === undefined) this.#lastAccounts.delete(kind);
    else this.#lastAccounts.set(kind, ended);
    for (const held of claimed) this.#held.add(held);
    return claimed;
  }

  /** The first items of each account, from the account on with which the search before ended. */
  async #firstOfAccounts(tx: ReadTransaction, kind: string, max: number): Promise<AccountSearch> {
    const found: DueRecord[] = [];
    let beyond = this.#lastAccounts.get(kind);
    for (let accounts = 0; accounts < MAX_PAGE; accounts += 1) {
      const scan = { index: 'byAccount', prefix: [kind], skipDamaged: true };
      const [first] = (await tx.scan(dueRecords, { ...scan, limit: 1, ...defined({ beyond }) })).items;
      if (first === undefined) {
        if (beyond === undefined || accounts > 0) break;
        beyond = undefined;
        continue;
      }
      const { accountId = '' } = first;
      found.push(...(await tx.scan(dueRecords, { ...scan, prefix: [kind, accountId], limit: max })).items);
      beyond = [accountId];
    }
    return { found, ended: found.length === 0 ? undefined : beyond };
  }

  async #run(handler: DueHandler, held: Held): Promise<void> {
    const { record } = held;
    let outcome: Outcome;
    let failures = 0;
    try {
      outcome = await handler.take({
        id: record.id,
        accountId: record.accountId,
        data: record.data,
        failures: record.failures,
        signal: held.stop.signal,
        isHeld: async (tx) => (await this.#current(tx, held)) !== undefined,
        settle: (tx, wanted) => this.#settle(tx, held, wanted, 0),
      });
    } catch (error) {
      // What fails because the server stops is due at its next start.
      failures = this.#closed ? record.failures : record.failures + 1;
      outcome = { again: this.#clock.now() + (this.#closed ? 0 : backoff(failures)) };
      if (!this.#closed && !isDiskRefusal(error))
        this.#log.error(
          { err: error, event: 'due-work-failed', kind: record.kind, id: record.id, ...defined({ accountId: record.accountId }) },
          'work that was due has failed: it is tried again',
        );
    }
    try {
      await this.#store.write((tx) => this.#settle(tx, held, outcome, failures), { of: `due-work/${record.kind}` });
    } catch (error) {
      // Its lease ends by itself: it is done again.
      this.#logFailure(error, record.kind, 'due work could not be settled');
    } finally {
      this.#held.delete(held);
    }
  }

  /** Its record, where this lease still holds it. */
  async #current(tx: ReadTransaction, { record, lease }: Held): Promise<DueRecord | undefined> {
    const current = await tx.get(dueRecords, [record.kind, record.id]);
    return current?.lease?.token === lease.token ? current : undefined;
  }

  async #settle(tx: WriteTransaction, held: Held, outcome: Outcome, failures: number): Promise<boolean> {
    const current = await this.#current(tx, held);
    if (current === undefined) return false;
    if (outcome === 'done') return cancel(tx, current.kind, current.id);
    const { lease: _, scheduledAt: __, ...rest } = current;
    const now = this.#clock.now();
    // Its time has come already: no clock that is put right may hold it up.
    const isDue = failures > 0 || outcome.again <= now;
    await tx.put(dueRecords, { ...rest, at: outcome.again, failures, ...(isDue ? { scheduledAt: now } : {}) });
    return true;
  }

  /** Renews leases of which a third is over. Work whose lease another one may have is stopped. */
  async #renew(): Promise<void> {
    const now = this.#clock.now();
    const ending = [...this.#held].filter(({ until }) => until - now < (LEASE * 2) / 3);
    for (const held of ending) {
      const until = now + LEASE;
      try {
        const isHeld = await this.#store.write(async (tx) => {
          const current = await this.#current(tx, held);
          if (current !== undefined) await tx.put(dueRecords, { ...current, at: until });
          return current !== undefined;
        });
        if (isHeld) held.until = until;
        else held.stop.abort();
      } catch (error) {
        this.#logFailure(error, held.record.kind, 'a lease could not be renewed');
        if (held.until <= now) held.stop.abort();
      }
    }
  }

  async #freeOwnLeases(now: number): Promise<void> {
    for (;;) {
      const left = await this.#store.write(async (tx) => {
        const { items } = await tx.scan(dueRecords, {
          index: 'byNode',
          prefix: [this.#node],
          limit: MAX_PAGE,
          skipDamaged: true,
        });
        for (const { lease: _, ...record } of items) await tx.put(dueRecords, { ...record, at: now });
        return items.length;
      });
      if (left === 0) return;
    }
  }

  #taskHandler(): DueHandler {
    return {
      kind: TASK,
      concurrency: this.#tasks.size,
      take: async ({ id, signal }) => {
        const task = this.#tasks.get(id);
        if (task === undefined) return 'done';
        await task.run(signal);
        return { again: this.#clock.now() + task.every };
      },
    };
  }
}
