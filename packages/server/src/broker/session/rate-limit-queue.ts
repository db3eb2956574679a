/** Those that wait for a rate: the broker asks them at each tick to go on, so that no connection needs a timer. */

/** `done` waits no longer, `progress` has had its turn and waits on, `blocked` got nothing. */
export type Progress = 'done' | 'progress' | 'blocked';

export interface RateLimited {
  /** Time has passed: goes on with what waits, as far as it may. */
  drain(): Progress;
}

export class RateLimitQueue {
  readonly #waiting = new Set<RateLimited>();

  /** False when it waits already. */
  wait(limited: RateLimited): boolean {
    if (this.#waiting.has(limited)) return false;
    this.#waiting.add(limited);
    return true;
  }

  /** Those who get something go to the end: where an account's rate is not enough for all, each has its turn. */
  tick(): void {
    if (this.#waiting.size === 0) return;
    for (const limited of [...this.#waiting]) {
      const progress = limited.drain();
      if (progress === 'blocked') continue;
      this.#waiting.delete(limited);
      if (progress === 'progress') this.#waiting.add(limited);
    }
  }
}
