/** ActionOutbox that may wait: a few milliseconds of it in each turn of the event loop, first come, first served. */
import type { Clock } from '../runtime/clock.ts';

/** Milliseconds of a turn. */
export const SLICE = 5;

export class Slices {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does the work when its turn has come. Resolves with what it gives, rejects with what it throws. */
  run<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error as Error);
        }
      });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#slice);
  }

  readonly #slice = (): void => {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    const began = this.#clock.monotonic();
    let at = 0;
    do waiting[at++]?.();
    while (at < waiting.length && this.#clock.monotonic() - began < SLICE);
    if (at < waiting.length) this.#waiting = [...waiting.slice(at), ...this.#waiting];
    if (this.#waiting.length > 0) this.#schedule();
  };
}
