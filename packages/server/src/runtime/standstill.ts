/**
 * Standstills: the process was stopped or starved, its machine paused. What peers sent meanwhile lies unread in their sockets,
 * and timers fire before it is read: so silence is judged only a while after a standstill.
 */
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** Milliseconds between two looks that make a standstill. */
const LATE = 1_500;
/** Milliseconds that peers get after a standstill. */
export const GRACE = 5_000;
/** Milliseconds after which clients begin to give up, so that the operator sees them come back all at once. */
const LONG = 5_000;

export class Standstill {
  readonly clock: Clock;
  #last: number;
  /** Monotonic ms until when silence is not judged; 0 once it has been judged since the last standstill. */
  #until = 0;
  readonly #listeners: ((milliseconds: number) => void)[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
    this.#last = clock.monotonic();
  }

  /** Told of each standstill, with its length. */
  on(listener: (milliseconds: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Called by timers, a few times a second. */
  look(): void {
    const now = this.clock.monotonic();
    const elapsed = now - this.#last;
    this.#last = now;
    if (elapsed < LATE || this.#until !== 0) return;
    this.#until = now + GRACE;
    for (const listener of this.#listeners) listener(elapsed);
  }

  /**
   * Whether silence may be judged now. A process that stands still again and again still judges, once after each grace.
   */
  mayJudge(): boolean {
    this.look();
    if (this.#until === 0) return true;
    if (this.clock.monotonic() < this.#until) return false;
    this.#until = 0;
    return true;
  }
}

/** Says of each long standstill how long it was: what comes after it (clients that have given up come back) is its work. */
export const tellStandstills = (standstill: Standstill, log: Logger): void =>
  standstill.on((milliseconds) => {
    if (milliseconds < LONG) return;
    const seconds = Math.round(milliseconds / 1000);
    log.warn({ event: 'stood-still', seconds }, 'the server stood still: its machine was paused, or gave it no time');
  });
