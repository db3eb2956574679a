/**
 * Standstills: the process was stopped or starved, or its machine paused. Bytes that peers have sent meanwhile are unread, and
 * timers fire before they are read: so silent peers are disconnected only some time after a standstill.
 */
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** Milliseconds between two checks that mean a standstill. */
const LATE = 1_500;
/** Milliseconds after a standstill in which silent peers are kept. */
export const GRACE = 5_000;
/** Milliseconds of a standstill that is logged: clients begin to give up, and come back all at once. */
const LONG = 5_000;

export class Standstill {
  readonly clock: Clock;
  #last: number;
  /** Monotonic ms until which silent peers are kept; 0 once they were checked after the last standstill. */
  #until = 0;
  readonly #listeners: ((milliseconds: number) => void)[] = [];

  constructor(clock: Clock) {
    this.clock = clock;
    this.#last = clock.monotonic();
  }

  /** Adds a listener, called with the length of each standstill. */
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
   * Whether silent peers may be disconnected now. Under repeated standstills this is so once after each grace.
   */
  mayEnforceDeadlines(): boolean {
    this.look();
    if (this.#until === 0) return true;
    if (this.clock.monotonic() < this.#until) return false;
    this.#until = 0;
    return true;
  }
}

/** Logs long standstills: clients that come back after one are its consequence. */
export const logStandstills = (standstill: Standstill, log: Logger): void =>
  standstill.on((milliseconds) => {
    if (milliseconds < LONG) return;
    const seconds = Math.round(milliseconds / 1000);
    log.warn({ event: 'stood-still', seconds }, 'the server stood still: its machine was paused, or gave it no time');
  });
