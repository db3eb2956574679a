/** How long to wait before the next attempt; and whether a peer is away, so that orders that have time leave it alone. */
import type { Clock } from '../runtime/clock.ts';

/** Milliseconds from an attempt to the next: 0.5, 1.5, 4.5 seconds and so on. */
const FIRST_PAUSE = 500;
const PAUSE_GROWS = 3;
const LONGEST_PAUSE = 60_000;

/** Milliseconds after so many attempts. */
export const pauseAfter = (attempts: number): number =>
  Math.min(FIRST_PAUSE * PAUSE_GROWS ** Math.max(attempts - 1, 0), LONGEST_PAUSE);

export class Absence {
  readonly #clock: Clock;
  /** In a row. */
  #misses = 0;
  /** Monotonic ms. */
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Orders that may be under way of the `usual` number: one at a time finds out whether the peer is back. */
  most(usual: number): number {
    if (this.#misses === 0) return usual;
    return this.#clock.monotonic() < this.#until ? 0 : 1;
  }

  /** The peer could not be reached. Those that were under way together count once. */
  missed(): void {
    const now = this.#clock.monotonic();
    if (this.#misses > 0 && now < this.#until) return;
    this.#misses += 1;
    this.#until = now + pauseAfter(this.#misses);
  }

  reached(): void {
    this.#misses = 0;
  }
}
