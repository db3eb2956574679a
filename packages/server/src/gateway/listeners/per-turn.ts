/**
 * Begins a few things in each turn of the event loop, in the order in which they came. A TLS handshake is half a
 * millisecond of signing and more: a thousand that arrive together would hold up everybody else for a second.
 */
export class PerTurn<T> {
  readonly #most: number;
  readonly #begin: (item: T) => void;
  #begun = 0;
  #waiting: T[] = [];
  #scheduled = false;

  constructor(most: number, begin: (item: T) => void) {
    this.#most = most;
    this.#begin = begin;
  }

  offer(item: T): void {
    if (this.#begun >= this.#most) this.#waiting.push(item);
    else {
      this.#begun += 1;
      this.#begin(item);
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#scheduled = false;
    const now = this.#waiting.splice(0, this.#most);
    this.#begun = now.length;
    for (const item of now) this.#begin(item);
    if (now.length > 0) this.#schedule();
  };
}
