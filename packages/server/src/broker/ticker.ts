/** What waits for the next tick: clients that were refused too much, rates, and receivers that publishers wait for. */
import type { Clock } from '../runtime/clock.ts';
import type { Standstill } from '../runtime/standstill.ts';
import type { Reading } from './connection/reading.ts';
import type { Congestible } from './messaging.ts';
import { RateLimitQueue } from './session/rate-limit-queue.ts';

export class Ticker {
  readonly rateLimited = new RateLimitQueue();
  readonly #clock: Clock;
  readonly #standstill: Standstill;
  readonly #watched = new Set<Pick<Congestible, 'check'>>();
  #paused: Reading[] = [];
  #now: number;

  constructor(clock: Clock, standstill: Standstill) {
    this.#clock = clock;
    this.#standstill = standstill;
    this.#now = clock.monotonic();
  }

  /** Monotonic ms, as of the last tick: exact enough for deadlines of seconds, and free on the hot path. */
  get now(): number {
    return this.#now;
  }

  /** Reads the clock, and gives its time. */
  readClock(): number {
    this.#now = this.#clock.monotonic();
    return this.#now;
  }

  /** Publishers wait for this receiver: it is checked at the next ticks. */
  watch(receiver: Pick<Congestible, 'check'>): void {
    this.#watched.add(receiver);
  }

  /** A client is not read from before the next tick. */
  pauseUntilNextTick(reading: Reading): void {
    this.#paused.push(reading);
  }

  /** Called a few times a second. */
  tick(): void {
    const now = this.readClock();
    const paused = this.#paused;
    this.#paused = [];
    for (const reading of paused) reading.resumeAfterRefusals();
    this.rateLimited.tick();
    if (!this.#standstill.mayEnforceDeadlines()) return;
    for (const receiver of this.#watched) if (receiver.check(now) === 'done') this.#watched.delete(receiver);
  }
}
