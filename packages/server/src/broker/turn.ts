/**
 * How much is done in one turn of the event loop. A message visits each of its receivers, those that will not take it too:
 * some hundred messages for a thousand receivers are work for a moment, and a flood of them would leave nobody else a turn.
 * Beyond a share of it, what was read from a client waits for the next turn, and the client is not read from meanwhile.
 */

/** Visits of receivers in one turn: about ten milliseconds. */
const MOST_VISITS = 100_000;
/** Visits from which on a turn's end is looked for. */
const SOME_VISITS = 2_000;

/** Somebody whose bytes wait for their turn. */
export interface Deferred {
  /** The turn has come. */
  goOn(): void;
}

export class Turn {
  #visits = 0;
  #scheduled = false;
  #deferred: Deferred[] = [];

  /** Whether this turn has had its share. */
  get spent(): boolean {
    return this.#visits > MOST_VISITS;
  }

  add(visits: number): void {
    this.#visits += visits;
    if (this.#visits > SOME_VISITS) this.#schedule();
  }

  defer(deferred: Deferred): void {
    this.#deferred.push(deferred);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#scheduled = false;
    this.#visits = 0;
    const waiting = this.#deferred;
    this.#deferred = [];
    let at = 0;
    for (; at < waiting.length && !this.spent; at += 1) waiting[at]?.goOn();
    // Who did not come to it is first in the next turn.
    if (at === waiting.length) return;
    this.#deferred = [...waiting.slice(at), ...this.#deferred];
    this.#schedule();
  };
}
