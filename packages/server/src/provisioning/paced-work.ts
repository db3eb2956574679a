/**
 * Work that comes in bursts, begun a few pieces at a time in each turn of the event loop: a fleet that connects at once would
 * have its signatures checked in one go else, and all others wait for it.
 */

/** A piece is a millisecond of reading certificates and checking signatures. */
const PER_TURN = 2;
/** Pieces that wait. */
const MAX_WAITING = 10_000;

export class PacedWork {
  #begun = 0;
  #isScheduled = false;
  #waiting: (() => void)[] = [];

  /** Does the work in its turn; undefined at once where too much waits. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#begun < PER_TURN && this.#waiting.length === 0) {
      this.#begin();
      return work();
    }
    if (this.#waiting.length >= MAX_WAITING) return undefined;
    return new Promise<void>((resolve) => this.#waiting.push(resolve)).then(work);
  }

  #begin(): void {
    this.#begun += 1;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isScheduled = false;
    this.#begun = 0;
    for (const resolve of this.#waiting.splice(0, PER_TURN)) {
      this.#begin();
      resolve();
    }
  };
}
