/** Runs calls one after another: an element answers one at a time, and a second one in between would spoil the first. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `call` when all that were handed in before have ended, however they ended. */
  take<T>(call: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(call, call);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
