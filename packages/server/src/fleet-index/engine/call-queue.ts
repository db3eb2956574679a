/**
 * Calls that wait for the thread. The owner whose calls have taken least time comes next, so that one with slow calls has no
 * more of the thread than one with fast ones. Time counts while there are calls: an account without calls gains no credit.
 */

/** What is waiting of an owner. */
interface Waiting<T> {
  readonly calls: T[];
  /** Milliseconds that its calls have taken, from the {@link CallQueue.#least} of its beginning on. */
  readonly spent: number;
}

export interface TakenCall<T> {
  readonly owner: string;
  readonly call: T;
}

export class CallQueue<T> {
  /** By owner; of several with the same time the first is next. */
  readonly #waiting = new Map<string, Waiting<T>>();
  /** Of owners that have had more than the least, and for whom nothing is waiting. */
  readonly #debts = new Map<string, number>();
  /** The time of the owner that had the last turn: who comes now begins there. */
  #least = 0;

  /** `max`: calls of the owner that wait at most. False where it has so many already. */
  add(owner: string, call: T, max: number): boolean {
    const waiting = this.#waiting.get(owner);
    if (waiting === undefined) {
      this.#waiting.set(owner, { calls: [call], spent: Math.max(this.#least, this.#debts.get(owner) ?? 0) });
      this.#debts.delete(owner);
    } else if (waiting.calls.length >= max) return false;
    else waiting.calls.push(call);
    return true;
  }

  /** The next call; its owner goes behind the others with as much time. */
  take(): TakenCall<T> | undefined {
    let owner: string | undefined;
    let next: Waiting<T> | undefined;
    for (const [name, each] of this.#waiting) if (next === undefined || each.spent < next.spent) [owner, next] = [name, each];
    if (owner === undefined || next === undefined) {
      this.#debts.clear();
      return undefined;
    }
    const { calls, spent } = next;
    this.#least = spent;
    for (const [name, debt] of this.#debts) if (debt <= spent) this.#debts.delete(name);
    this.#waiting.delete(owner);
    const call = calls.shift();
    if (calls.length > 0) this.#waiting.set(owner, next);
    else this.#debts.set(owner, spent);
    return call && { owner, call };
  }

  /** Adds what a call that was taken has taken of the thread. */
  charge(owner: string, milliseconds: number): void {
    const waiting = this.#waiting.get(owner);
    if (waiting !== undefined) this.#waiting.set(owner, { ...waiting, spent: waiting.spent + milliseconds });
    else this.#debts.set(owner, (this.#debts.get(owner) ?? this.#least) + milliseconds);
  }
}
