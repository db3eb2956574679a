/** Work that is shared out over turns of the event loop, so that large answers of one account hold nobody else up. */

export class TurnBudget {
  readonly #perTurn: number;
  #spent = 0;
  #next: Promise<void> | undefined;

  /** `perTurn` in units of work, as the caller counts it. */
  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** Resolves once the work may be done: at once, or in one of the next turns. */
  async take(units: number): Promise<void> {
    while (this.#spent >= this.#perTurn) await this.#nextTurn();
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
