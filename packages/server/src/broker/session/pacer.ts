/** Whoever waits for a rate: asked at each tick of the broker whether it can go on, so that no connection needs a timer. */

/** `done` waits no longer, `moved` has had its turn and waits on, `stuck` got nothing. */
export type Progress = 'done' | 'moved' | 'stuck';

export interface Paced {
  /** Time has passed: goes on with what waits, as far as it may. */
  goOn(): Progress;
}

export class Pacer {
  readonly #waiting = new Set<Paced>();

  /** False when it waits already. */
  wait(paced: Paced): boolean {
    if (this.#waiting.has(paced)) return false;
    this.#waiting.add(paced);
    return true;
  }

  /** Those who get something go to the end: where an account's rate is not enough for all, each has its turn. */
  tick(): void {
    if (this.#waiting.size === 0) return;
    for (const paced of [...this.#waiting]) {
      const progress = paced.goOn();
      if (progress === 'stuck') continue;
      this.#waiting.delete(paced);
      if (progress === 'moved') this.#waiting.add(paced);
    }
  }
}
