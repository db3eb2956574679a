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
  /** Resolves once those that have begun are done, whatever came of them. */
  done: Promise<unknown>;
}

export class ShadowTurns {
  /** By shadow, while changes of it are under way. */
  readonly #byShadow = new Map<string, Turns>();

  /** Does `first`, and where that gives nothing `anew`. */
  async run<T>(shadow: string, first: () => Promise<T | undefined>, anew: () => Promise<T>): Promise<T> {
    for (;;) {
      const before = this.#byShadow.get(shadow);
      if (before === undefined || before.anew === 0) break;
      await before.done;
    }
    const turns = this.#byShadow.get(shadow) ?? { underWay: 0, anew: 0, done: Promise.resolve() };
    this.#byShadow.set(shadow, turns);
    turns.underWay += 1;
    const change = this.#change(shadow, turns, first, anew);
    turns.done = Promise.allSettled([turns.done, change]).then(() => undefined);
    return change;
  }

  async #change<T>(shadow: string, turns: Turns, first: () => Promise<T | undefined>, anew: () => Promise<T>): Promise<T> {
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
      if (turns.underWay === 0) this.#byShadow.delete(shadow);
    }
  }
}
