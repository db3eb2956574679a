/** The newest records, in memory: for a new one the oldest goes of the account that has the most, so that none pushes out another's. */

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

export class NewestByAccount<Item extends Numbered> {
  readonly #most: number;
  readonly #queues = new Map<string, Queue<Item>>();
  /** None is larger by more than one. */
  #largest = new Queue<Item>();
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(accountId: string, item: Item): void {
    const queue = this.#queues.get(accountId) ?? new Queue<Item>();
    this.#queues.set(accountId, queue);
    queue.add(item);
    if (queue.size > this.#largest.size) this.#largest = queue;
    if (this.#size < this.#most) this.#size += 1;
    else this.#largest.dropOldest();
  }

  /** Newest first: those of the accounts that are named, or of all. */
  *newestFirst(accountIds?: readonly string[]): Generator<Item> {
    const names = accountIds ?? [...this.#queues.keys()];
    const readers = names.flatMap((name) => {
      const queue = this.#queues.get(name);
      return queue === undefined ? [] : [{ queue, index: 0 }];
    });
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
