/**
 * The order of changes of one shadow while it is being made. A change is tried first in the order of its thing; one that
 * finds no shadow is done anew in the order of all writes, behind what has come meanwhile. So changes that come while some
 * are done anew wait until these have been, and all are done in the order in which they came.
 */

interface Turns {
  /** Changes that have begun. */
  underWay: number;
  /** Those of them that are being done anew. */
  anew: number;
  /** Each begins a change that waits until those have ended that have begun. */
  waiting: (() => void)[];
}

export class ShadowTurns {
  /** By shadow, while changes of it are under way. */
  readonly #byShadow = new Map<string, Turns>();

  /** Does `first`, and where that gives nothing `anew`. */
  run<T>(shadow: string, first: () => Promise<T | undefined>, anew: () => Promise<T>): Promise<T> {
    let turns = this.#byShadow.get(shadow);
    if (turns === undefined) {
      turns = { underWay: 0, anew: 0, waiting: [] };
      this.#byShadow.set(shadow, turns);
    }
    const { waiting } = turns;
    if (turns.anew === 0 && waiting.length === 0) return this.#change(shadow, turns, first, anew);
    return new Promise((resolve) => waiting.push(() => resolve(this.#change(shadow, turns, first, anew))));
  }

  async #change<T>(shadow: string, turns: Turns, first: () => Promise<T | undefined>, anew: () => Promise<T>): Promise<T> {
    turns.underWay += 1;
    try {
      const done = await first();
      if (done !== undefined) return done;
      turns.anew += 1;
      try {
        return await anew();
      } finally {
        turns.anew -= 1;
      }
    } finally {
      turns.underWay -= 1;
      if (turns.underWay === 0) this.#goOn(shadow, turns);
    }
  }

  #goOn(shadow: string, turns: Turns): void {
    const { waiting } = turns;
    if (waiting.length === 0) this.#byShadow.delete(shadow);
    turns.waiting = [];
    for (const begin of waiting) begin();
  }
}
