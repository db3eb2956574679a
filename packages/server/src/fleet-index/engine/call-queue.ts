/** Calls that wait for the thread: the accounts take turns, and each has as many as are bounded. */

export class CallQueue<T> {
  readonly #max: number;
  /** By owner; the owner whose turn is next comes first. */
  readonly #waiting = new Map<string, T[]>();

  /** `max`: calls of one owner that wait at most. */
  constructor(max: number) {
    this.#max = max;
  }

  /** False where the owner has too many already. */
  add(owner: string, call: T): boolean {
    const calls = this.#waiting.get(owner);
    if (calls === undefined) this.#waiting.set(owner, [call]);
    else if (calls.length >= this.#max) return false;
    else calls.push(call);
    return true;
  }

  /** The next call; its owner goes behind the others. */
  take(): T | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [owner, calls] = first;
    this.#waiting.delete(owner);
    const call = calls.shift();
    if (calls.length > 0) this.#waiting.set(owner, calls);
    return call;
  }
}
