/** Limits how much work is done in one turn of the event loop; more waits for the next turns, and other work runs between. */

export class TurnBudget {
  /** Units of work of one turn. */
  readonly #perTurn: number;
  #spent = 0;
  #next: Promise<void> | undefined;

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

/** Budgets of many owners: what one has to do takes nothing of another's. */
export class TurnBudgets {
  readonly #perTurn: number;
  readonly #ofOwners = new Map<string, { readonly budget: TurnBudget; users: number }>();

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  /** Does work within the owner's budget. */
  async use<R>(owner: string, work: (budget: TurnBudget) => Promise<R>): Promise<R> {
    const own = this.#ofOwners.get(owner) ?? { budget: new TurnBudget(this.#perTurn), users: 0 };
    this.#ofOwners.set(owner, own);
    own.users += 1;
    try {
      return await work(own.budget);
    } finally {
      own.users -= 1;
      if (own.users === 0) this.#ofOwners.delete(owner);
    }
  }
}
