/**
 * Orders of one action of one rule, on their way: a bounded number under way at a time, tried again with growing pauses
 * while that may help, in batches where the action asks for them. What is durable (its message was acknowledged as
 * QoS 1) lies on disk besides, and needs little memory while it waits.
 */
import type { Clock } from '../runtime/clock.ts';
import { CircuitBreaker, pauseAfter } from './circuit-breaker.ts';
import { ActionError } from './actions/action-error.ts';
import type { ActionType, Batching } from './actions/contract.ts';
import { BatchedActions } from './batched-actions.ts';
import type { KeptOrder } from './orders.ts';
import { type Entry, type QueueUsage, QueueQuota } from './queue-quota.ts';

/** Orders of one batch that failed together. */
export interface BatchFailure {
  readonly count: number;
  readonly byTopic: boolean;
}

export interface QueueOptions {
  readonly clock: Clock;
  /** Kind of its orders, for the metrics. */
  readonly kind?: string;
  readonly type: Pick<ActionType<unknown>, 'attempts' | 'attemptsWithinMs'>;
  readonly batching: Batching | undefined;
  /** Orders, or batches, under way at a time; 16 unless said. */
  readonly atOnce?: number;
  /** Whether somebody is told when an order is given up: then that comes soon, else it is tried for as long as it may. */
  readonly tells: () => boolean;
  /** Of all queues. */
  readonly usage: QueueUsage;
  /** One attempt. Rejects with ActionError. */
  run(orders: readonly [KeptOrder, ...KeptOrder[]]): Promise<void>;
  /** An order that lies on disk; undefined when it does not. */
  read(at: number): Promise<KeptOrder | undefined>;
  done(entry: Entry, order: KeptOrder): void;
  /** `batchFailure`: the same for all orders of a batch that are given up. */
  failed(entry: Entry, order: KeptOrder, error: ActionError, batchFailure: BatchFailure | undefined): void;
  /** It was to be read from the disk, and is not there. */
  missing(entry: Entry): void;
}

const AT_ONCE = 16;
/** Attempts when somebody is told of the failure. */
const ATTEMPTS = 4;
/** Milliseconds for which a durable order is tried whose failure would reach no error action: restarts do not prolong it. */
const PATIENCE = 24 * 3_600_000;

export class ActionQueue {
  readonly #options: QueueOptions;
  readonly #quota: QueueQuota;
  readonly #breaker: CircuitBreaker;
  #waiting: Entry[] = [];
  /** Index of the first in `#waiting`: shifting an array of many is slow. */
  #first = 0;
  #later: { readonly due: number; readonly entry: Entry }[] = [];
  readonly #batches: BatchedActions | undefined;
  #underWay = 0;
  #closed = false;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#quota = new QueueQuota(options.usage);
    this.#breaker = new CircuitBreaker(options.clock);
    const { batching } = options;
    this.#batches = batching === undefined ? undefined : new BatchedActions(batching, () => this.#pump());
  }

  get kind(): string {
    return this.#options.kind ?? '';
  }

  /** Orders that wait or are under way. */
  get size(): number {
    return this.#quota.orders;
  }

  /** Whether an order would find room; of `bytes`, and on disk or not. */
  hasRoom(bytes: number, onDisk: boolean): boolean {
    return this.#quota.has(bytes, onDisk);
  }

  put(entry: Entry): void {
    this.putBack(entry);
    this.#pump();
  }

  /** For orders that are found on disk at a start: they begin with the first tick. */
  putBack(entry: Entry): void {
    this.#quota.take(entry);
    this.#wait(entry);
  }

  /** Begins what is due again; `now` in monotonic ms. */
  tick(now: number): void {
    if (this.#later.some(({ due }) => due <= now)) {
      for (const { due, entry } of this.#later) if (due <= now) this.#wait(entry);
      this.#later = this.#later.filter(({ due }) => due > now);
    }
    this.#pump();
  }

  /** Starts nothing any more. */
  close(): void {
    this.#closed = true;
    this.#batches?.clear();
  }

  #wait(entry: Entry): void {
    if (this.#batches === undefined) this.#waiting.push(entry);
    else this.#batches.add(entry);
  }

  #next(): [Entry, ...Entry[]] | undefined {
    if (this.#batches !== undefined) return this.#batches.next();
    const entry = this.#shift();
    return entry === undefined ? undefined : [entry];
  }

  #shift(): Entry | undefined {
    const entry = this.#waiting[this.#first];
    if (entry === undefined) return undefined;
    this.#first += 1;
    if (this.#first > 1024 && this.#first * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return entry;
  }

  #pump(): void {
    const { atOnce = AT_ONCE } = this.#options;
    while (!this.#closed && this.#underWay < this.#breaker.limit(atOnce)) {
      const entries = this.#next();
      if (entries === undefined) return;
      this.#start(entries);
    }
  }

  #start(entries: [Entry, ...Entry[]]): void {
    this.#underWay += 1;
    void this.#attempt(entries).finally(() => {
      this.#underWay -= 1;
      this.#pump();
    });
  }

  async #attempt(entries: readonly [Entry, ...Entry[]]): Promise<void> {
    const { run, clock } = this.#options;
    const found: Entry[] = [];
    const orders: KeptOrder[] = [];
    for (const entry of entries) {
      const order = entry.order ?? (await this.#fetch(entry));
      if (order === undefined) continue;
      found.push(entry);
      orders.push(order);
      if (entry.since === 0) entry.since = clock.monotonic();
      entry.attempts += 1;
    }
    const [first, ...others] = orders;
    if (first === undefined || this.#closed) return;
    try {
      await run([first, ...others]);
    } catch (error) {
      this.#failed(found, orders, asActionError(error));
      return;
    }
    this.#breaker.success();
    for (const [i, entry] of found.entries()) {
      this.#quota.giveBack(entry);
      this.#options.done(entry, orders[i] as KeptOrder);
    }
  }

  /** Undefined when it is not there, or can't be read now: then it comes again. */
  async #fetch(entry: Entry): Promise<KeptOrder | undefined> {
    try {
      const order = await this.#options.read(entry.at);
      if (order !== undefined) return order;
    } catch {
      this.#postpone(entry);
      return undefined;
    }
    this.#quota.giveBack(entry);
    this.#options.missing(entry);
    return undefined;
  }

  #failed(entries: readonly Entry[], orders: readonly KeptOrder[], error: ActionError): void {
    // What the end of the server cut short has not failed: it is on disk, if it is durable.
    if (this.#closed) return;
    const again = entries.map((entry) => error.passing && this.#mayTryAgain(entry));
    const { batching } = this.#options;
    const count = again.filter((tried) => !tried).length;
    const batchFailure = batching === undefined ? undefined : { count, byTopic: batching.byTopic };
    for (const [i, entry] of entries.entries()) {
      if (again[i]) {
        this.#postpone(entry);
        if (this.#isPatient(entry)) this.#breaker.failure();
      } else {
        this.#quota.giveBack(entry);
        this.#options.failed(entry, orders[i] as KeptOrder, error, batchFailure);
      }
    }
  }

  #postpone(entry: Entry): void {
    // What failed together does not come again together.
    const pause = pauseAfter(entry.attempts) * (0.8 + 0.4 * Math.random());
    this.#later.push({ due: this.#options.clock.monotonic() + pause, entry });
  }

  /** Promised, and nobody would be told: it has time. */
  #isPatient(entry: Entry): boolean {
    return entry.at > 0 && this.#options.type.attempts === undefined && !this.#options.tells();
  }

  #mayTryAgain(entry: Entry): boolean {
    const { type, clock } = this.#options;
    const took = clock.monotonic() - entry.since;
    const { attempts, attemptsWithinMs = Number.POSITIVE_INFINITY } = type;
    if (attempts !== undefined) return entry.attempts < attempts && took < attemptsWithinMs;
    if (entry.attempts < ATTEMPTS) return true;
    return this.#isPatient(entry) && entry.age + took < PATIENCE;
  }
}

const asActionError = (error: unknown): ActionError =>
  error instanceof ActionError ? error : new ActionError('an unexpected fault of the server', false, error);
