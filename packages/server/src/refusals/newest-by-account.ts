/**
 * The newest records, in memory: for a new one the oldest goes of the account that has the most, so that none pushes out
 * another's.
 */

interface Numbered {
  readonly sequence: number;
}

/** Records of one account, oldest first. */
class Queue<Item> {
  #items: Item[] = [];
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  add(item: Item): void {
    this.#items.push(item);
  }

  dropOldest(): void {
    this.#first += 1;
    if (this.#first < 1024 || this.#first < this.#items.length / 2) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }

  newest(index: number): Item | undefined {
    return index < this.size ? this.#items[this.#items.length - 1 - index] : undefined;
  }
}

/** The name of peers that could not be placed in an account. */
export const UNIDENTIFIED = '';

interface RecordBounds {
  /** Of all accounts together. */
  readonly max: number;
  readonly maxUnidentified: number;
}

export class NewestByAccount<Item extends Numbered> {
  readonly #bounds: RecordBounds;
  readonly #unidentified = new Queue<Item>();
  readonly #byAccount = new Map<string, Queue<Item>>();
  #size = 0;

  constructor(bounds: RecordBounds) {
    this.#bounds = bounds;
  }

  add(account: string, item: Item): void {
    if (account === UNIDENTIFIED) {
      this.#unidentified.add(item);
      if (this.#unidentified.size > this.#bounds.maxUnidentified) this.#unidentified.dropOldest();
      return;
    }
    const queue = this.#byAccount.get(account) ?? new Queue<Item>();
    this.#byAccount.set(account, queue);
    queue.add(item);
    if (this.#size < this.#bounds.max) this.#size += 1;
    else this.#dropOldest();
  }

  #dropOldest(): void {
    let largest: Queue<Item> | undefined;
    for (const queue of this.#byAccount.values()) if (largest === undefined || queue.size > largest.size) largest = queue;
    largest?.dropOldest();
  }

  /** Newest first: those of one account, or of all, and of unidentified peers. */
  *newestFirst(account?: string): Generator<Item> {
    const owned = account === undefined ? [...this.#byAccount.values()] : [this.#byAccount.get(account)];
    const readers = [...owned, this.#unidentified].flatMap((queue) => (queue === undefined ? [] : [{ queue, index: 0 }]));
    for (;;) {
      let next: { queue: Queue<Item>; index: number } | undefined;
      let newest: Item | undefined;
      for (const reader of readers) {
        const item = reader.queue.newest(reader.index);
        if (item === undefined || (newest !== undefined && item.sequence < newest.sequence)) continue;
        [next, newest] = [reader, item];
      }
      if (next === undefined || newest === undefined) return;
      next.index += 1;
      yield newest;
    }
  }
}
