/**
 * The milliseconds of one turn of the event loop that may be spent on messages. A message visits each of its receivers,
 * those that will not take it too, and a flood for many receivers would keep all other work waiting. Beyond the budget,
 * what was read from a client waits for the next turn, and the client is not read from meanwhile. Accounts take turns,
 * whatever each has waiting; of one account's clients those that send little go before those that send much.
 */
import type { Clock } from '../../runtime/clock.ts';

/** Milliseconds of a turn for large chunks, and for small ones, whose few bytes can't be much work. */
const SHARE = 10;
const LITTLE_SHARE = 40;
/** Bytes of a small chunk at most. */
const LITTLE = 1024;
/** Bytes for a receiver that cost as much as another visit, as a power of two. */
const VISIT_BYTES = 12;
/** Visits of receivers from one look at the clock to the next: about a tenth of a millisecond. */
const VISITS = 1_000;

/** A client whose bytes wait for another turn of the event loop. */
export interface Deferred {
  /** The account; undefined before it is known. */
  readonly owner: object | undefined;
  /** How many there are. */
  readonly unread: number;
  /** Handles them. */
  readDeferred(): void;
}

/** The owner of what has none yet. */
const NOBODY = {};

export class LoopBudget {
  readonly #clock: Clock;
  /** Since the clock was looked at. */
  #visits = 0;
  /** Monotonic milliseconds of the first look in this turn, and how long it has been busy since. */
  #began = 0;
  #busy = 0;
  #scheduled = false;
  #deferred: Deferred[] = [];
  /** The number of the service that an owner has had last. */
  readonly #lastServed = new WeakMap<object, number>();
  #served = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether this turn has had its share, for a chunk of so many bytes. */
  isExhaustedFor(bytes: number): boolean {
    return this.#busy > (bytes <= LITTLE ? LITTLE_SHARE : SHARE);
  }

  /** Counts visits, of which each copies so many bytes. */
  add(visits: number, bytes = 0): void {
    this.#visits += visits * (1 + (bytes >> VISIT_BYTES));
    if (this.#visits < VISITS) return;
    this.#visits = 0;
    this.#schedule();
    this.#busy = this.#clock.monotonic() - this.#began;
  }

  defer(deferred: Deferred): void {
    this.#deferred.push(deferred);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#began = this.#clock.monotonic();
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#scheduled = false;
    this.#busy = 0;
    const waiting = this.#inTurn(this.#deferred.sort((a, b) => a.unread - b.unread));
    this.#deferred = [];
    let at = 0;
    for (let next = waiting[0]; next !== undefined && !this.isExhaustedFor(next.unread); next = waiting[at]) {
      at += 1;
      this.#served += 1;
      this.#lastServed.set(next.owner ?? NOBODY, this.#served);
      next.readDeferred();
    }
    // Clients left over keep their place ahead of new ones of the same size.
    if (at === waiting.length) return;
    this.#deferred = [...waiting.slice(at), ...this.#deferred];
    this.#schedule();
  };

  /** What waits with the first of each owner in front, then the second of each, and so on; who was served last is the last. */
  #inTurn(waiting: readonly Deferred[]): readonly Deferred[] {
    const byOwner = Map.groupBy(waiting, ({ owner }) => owner ?? NOBODY);
    if (byOwner.size < 2) return waiting;
    const owners = [...byOwner.keys()].sort((a, b) => (this.#lastServed.get(a) ?? 0) - (this.#lastServed.get(b) ?? 0));
    const queues = owners.map((owner) => byOwner.get(owner) ?? []);
    const longest = Math.max(...queues.map(({ length }) => length));
    return Array.from({ length: longest }, (_, rank) => queues.flatMap((queue) => queue[rank] ?? [])).flat();
  }
}
