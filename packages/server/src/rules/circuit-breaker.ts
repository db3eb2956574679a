/** How long to wait before the next attempt; and whether a peer is away, so that orders that have time leave it alone. */
import type { Clock } from '../runtime/clock.ts';

/** Milliseconds from an attempt to the next: 0.5, 1.5, 4.5 seconds and so on. */
const FIRST_PAUSE = 500;
const PAUSE_GROWS = 3;
const LONGEST_PAUSE = 60_000;

/** Milliseconds after so many attempts. */
export const pauseAfter = (attempts: number): number =>
  Math.min(FIRST_PAUSE * PAUSE_GROWS ** Math.max(attempts - 1, 0), LONGEST_PAUSE);

/** Opens when a peer can't be reached, longer each time; one attempt at a time finds out whether it is back. */
export class CircuitBreaker {
  readonly #clock: Clock;
  /** In a row. */
  #failures = 0;
  /** Monotonic ms. */
  #until = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Orders that may be under way of the `usual` number: one at a time while the circuit is open. */
  limit(usual: number): number {
    if (this.#failures === 0) return usual;
    return this.#clock.monotonic() < this.#until ? 0 : 1;
  }

  /** The peer could not be reached. Those that were under way together count once. */
  failure(): void {
    const now = this.#clock.monotonic();
    if (this.#failures > 0 && now < this.#until) return;
    this.#failures += 1;
    this.#until = now + pauseAfter(this.#failures);
  }

  success(): void {
    this.#failures = 0;
  }
}
