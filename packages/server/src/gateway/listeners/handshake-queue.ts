/**
 * Handshakes begin a few at a time. Each is a millisecond of signing and verifying in two pieces; a thousand that arrive
 * together would delay all other connections by a second. So few begin in a turn of the event loop, and few are under way,
 * for the second pieces come together too. A handshake that takes long gives its place to the next one and may still finish:
 * clients that begin handshakes and leave them there block no other.
 */

export interface HandshakeQueueOptions<T> {
  /** Begun in one turn of the event loop. */
  readonly perTurn: number;
  readonly underWay: number;
  /** Milliseconds for which one under way keeps its place. */
  readonly patience: number;
  readonly begin: (item: T) => void;
}

export class HandshakeQueue<T> {
  readonly #options: HandshakeQueueOptions<T>;
  readonly #underWay = new Set<T>();
  #waiting: T[] = [];
  #begun = 0;
  #scheduled = false;

  constructor(options: HandshakeQueueOptions<T>) {
    this.#options = options;
  }

  offer(item: T): void {
    this.#waiting.push(item);
    this.#advance();
  }

  /** A handshake has ended, well or not, or has taken too long. */
  ended(item: T): void {
    if (this.#underWay.delete(item)) this.#advance();
  }

  #advance(): void {
    const { perTurn, underWay, patience, begin } = this.#options;
    let at = 0;
    for (; at < this.#waiting.length && this.#begun < perTurn && this.#underWay.size < underWay; at += 1) {
      const item = this.#waiting[at] as T;
      this.#begun += 1;
      this.#underWay.add(item);
      setTimeout(() => this.ended(item), patience).unref();
      begin(item);
    }
    if (at > 0) this.#waiting = this.#waiting.slice(at);
    if (this.#begun > 0 && !this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#next);
    }
  }

  readonly #next = (): void => {
    this.#scheduled = false;
    this.#begun = 0;
    this.#advance();
  };
}
