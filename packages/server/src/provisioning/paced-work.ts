/**
 * Work that comes in bursts: a few pieces begin in each turn of the event loop, and few are under way, as those that wait for
 * one commit go on together. A fleet that connects at once would be worked on in one go else, and all others wait for it.
 */

/** A piece is a millisecond of reading certificates and checking signatures, and another one behind its commit. */
const PER_TURN = 2;
const UNDER_WAY = 8;
/** Pieces that wait. */
const MAX_WAITING = 10_000;

export class PacedWork {
  #begun = 0;
  #underWay = 0;
  #isScheduled = false;
  #waiting: (() => void)[] = [];

  /** Does the work in its turn; undefined at once where too much waits. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#waiting.length >= MAX_WAITING) return undefined;
    return new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#advance();
    })
      .then(work)
      .finally(() => {
        this.#underWay -= 1;
        this.#advance();
      });
  }

  #advance(): void {
    const room = Math.min(PER_TURN - this.#begun, UNDER_WAY - this.#underWay);
    if (room <= 0) return;
    for (const begin of this.#waiting.splice(0, room)) {
      this.#begun += 1;
      this.#underWay += 1;
      begin();
    }
    if (this.#begun === 0 || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#isScheduled = false;
    this.#begun = 0;
    this.#advance();
  };
}
