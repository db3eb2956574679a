/** What repeats itself, such as refusals of one peer: within a time some are let through, and the others are counted. */
import type { Clock } from './clock.ts';

export interface RepeatLimit {
  /** How many of one key are let through within the time. */
  readonly max: number;
  readonly perMs: number;
}

interface Seen {
  /** Monotonic milliseconds of the first one within the time. */
  since: number;
  passed: number;
  leftOut: number;
}

/** Keys that are remembered at most; the one that came first is forgotten for a new one. */
const MAX_KEYS = 10_000;

export class RepeatLimiter {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #limit: RepeatLimit;
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Pick<Clock, 'monotonic'>, limit: RepeatLimit) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** How many of the key were left out before this one; undefined when this one is to be left out as well. */
  admit(key: string): number | undefined {
    const now = this.#clock.monotonic();
    const seen = this.#seen.get(key);
    if (seen !== undefined && now - seen.since < this.#limit.perMs) {
      if (seen.passed < this.#limit.max) {
        seen.passed += 1;
        return 0;
      }
      seen.leftOut += 1;
      return undefined;
    }
    this.#seen.delete(key);
    if (this.#seen.size >= MAX_KEYS) this.#seen.delete(this.#seen.keys().next().value ?? key);
    this.#seen.set(key, { since: now, passed: 1, leftOut: 0 });
    return seen?.leftOut ?? 0;
  }
}
