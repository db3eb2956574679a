/**
 * Token buckets: how much of something may pass at a moment, a second's worth at once at most. Time is what the caller
 * says it is, in monotonic milliseconds; there are no timers, and nothing is allocated in passing.
 */

/** Below what anybody counts: a token that rounding has made a little smaller is a whole one. */
const ROUNDING = 1e-6;

export class Bucket {
  readonly #perSecond: number;
  readonly #max: number;
  /** Tokens spent since the clock's zero, those that overflowed the bucket among them. */
  #spent = Number.NEGATIVE_INFINITY;

  /** `perSecond` 0 is a bucket that is never empty. It begins full. */
  constructor(perSecond: number, max = perSecond) {
    this.#perSecond = perSecond;
    this.#max = max;
  }

  /** Whole tokens in the bucket; negative as long as more was spent than it held. */
  level(now: number): number {
    if (this.#perSecond === 0) return Number.POSITIVE_INFINITY;
    return Math.min(this.#max, Math.floor(this.#poured(now) - this.#spent + ROUNDING));
  }

  /** Whether it is as if nothing had been spent. */
  full(now: number): boolean {
    return this.level(now) >= this.#max;
  }

  /** Takes tokens, whether or not they are there: who must not have them asks for the level first. */
  spend(tokens: number, now: number): void {
    if (this.#perSecond !== 0) this.#spent = Math.max(this.#spent, this.#poured(now) - this.#max) + tokens;
  }

  /** Takes one token if there is one. */
  take(now: number): boolean {
    if (this.level(now) < 1) return false;
    this.spend(1, now);
    return true;
  }

  #poured(now: number): number {
    return (now * this.#perSecond) / 1000;
  }
}

/** A bucket for each key, remembered while it is not full. */
export class Buckets {
  readonly #perSecond: number;
  readonly #max: number;
  /** In the order of their last use: those at the front are full first. */
  readonly #byKey = new Map<string, Bucket>();

  constructor(perSecond: number, max = perSecond) {
    this.#perSecond = perSecond;
    this.#max = max;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Whole tokens in the key's bucket. */
  level(key: string, now: number): number {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known.level(now);
    return this.#perSecond === 0 ? Number.POSITIVE_INFINITY : this.#max;
  }

  spend(key: string, tokens: number, now: number): void {
    if (this.#perSecond === 0) return;
    for (const [name, bucket] of this.#byKey) {
      if (!bucket.full(now)) break;
      this.#byKey.delete(name);
    }
    const bucket = this.#byKey.get(key) ?? new Bucket(this.#perSecond, this.#max);
    bucket.spend(tokens, now);
    this.#byKey.delete(key);
    this.#byKey.set(key, bucket);
  }

  /** Takes one token of the key if there is one. */
  take(key: string, now: number): boolean {
    if (this.level(key, now) < 1) return false;
    this.spend(key, 1, now);
    return true;
  }
}
