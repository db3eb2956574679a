/** Work that is shared out over turns of the event loop, so that large answers of one account hold nobody else up. */

/** Units of work of one turn. */
const PER_TURN = 4_000;

export class TurnBudget {
  #spent = 0;
  #next: Promise<void> | undefined;

  /** Resolves once the work may be done: at once, or in one of the next turns. */
  async take(units: number): Promise<void> {
    while (this.#spent >= PER_TURN) await this.#nextTurn();
    this.#spent += units;
    void this.#nextTurn();
  }

  #nextTurn(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#spent = 0;
        this.#next = undefined;
        resolve();
      });
    });
    return this.#next;
  }
}
