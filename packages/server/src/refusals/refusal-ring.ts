/** The newest records of a kind, in memory: a new one takes the place of the oldest. */

interface Numbered {
  readonly sequence: number;
}

export class RefusalRing<Item extends Numbered> {
  readonly #most: number;
  readonly #items: Item[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: Item): void {
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#most;
  }

  *newestFirst(): Generator<Item> {
    for (let i = 1; i <= this.#items.length; i += 1) {
      const item = this.#items[(this.#next - i + this.#most) % this.#most];
      if (item !== undefined) yield item;
    }
  }
}

/** The records of two rings in one order, by their numbers. */
export function* newestFirst<Item extends Numbered>(one: RefusalRing<Item>, other: RefusalRing<Item>): Generator<Item> {
  const [ones, others] = [one.newestFirst(), other.newestFirst()];
  let [a, b] = [ones.next(), others.next()];
  while (a.done !== true || b.done !== true) {
    if (b.done === true || (a.done !== true && a.value.sequence > b.value.sequence)) {
      if (a.done !== true) yield a.value;
      a = ones.next();
    } else {
      yield b.value;
      b = others.next();
    }
  }
}
