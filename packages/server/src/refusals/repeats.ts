/** What repeats itself, such as refusals of one peer: within a time some are let through, and the others are counted. */
import type { Clock } from '../runtime/clock.ts';

export interface RepeatsOptions {
  /** How many of one key are let through within the time. */
  readonly most: number;
  /** Milliseconds. */
  readonly within: number;
}

interface Seen {
  /** Monotonic milliseconds of the first one within the time. */
  since: number;
  passed: number;
  leftOut: number;
}

/** Keys that are remembered at most; the one that came first is forgotten for a new one. */
const MAX_KEYS = 10_000;

export class Repeats {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #options: RepeatsOptions;
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Pick<Clock, 'monotonic'>, options: RepeatsOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** How many of the key were left out before this one; undefined when this one is to be left out as well. */
  admit(key: string): number | undefined {
    const now = this.#clock.monotonic();
    const seen = this.#seen.get(key);
    if (seen !== undefined && now - seen.since < this.#options.within) {
      if (seen.passed < this.#options.most) {
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
