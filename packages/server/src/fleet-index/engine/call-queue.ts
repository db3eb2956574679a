/** Calls that wait for the thread. Their owners take turns. */

export class CallQueue<T> {
  /** By owner; the owner whose turn is next comes first. */
  readonly #waiting = new Map<string, T[]>();

  /** `max`: calls of the owner that wait at most. False where it has so many already. */
  add(owner: string, call: T, max: number): boolean {
    const calls = this.#waiting.get(owner);
    if (calls === undefined) this.#waiting.set(owner, [call]);
    else if (calls.length >= max) return false;
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
