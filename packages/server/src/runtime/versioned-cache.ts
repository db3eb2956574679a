/**
 * The one kind of cache of what the store can void: each answer is kept with the count of changes before it was read, and
 * counts as long as what it was read from has not changed since. The count is to be read before the store: an answer that
 * was read while something changed is void.
 */
export class VersionedCache<T> {
  readonly #max: number;
  /** The least recently used come first. */
  readonly #answers = new Map<string, { readonly since: number; readonly answer: T }>();

  /** `max`: number of answers that are kept. */
  constructor(max: number) {
    this.#max = max;
  }

  /** `changed`: the count at which what the answer was read from has changed last. */
  get(key: string, changed: number): T | undefined {
    const found = this.#answers.get(key);
    if (found === undefined) return undefined;
    this.#answers.delete(key);
    if (found.since < changed) return undefined;
    this.#answers.set(key, found);
    return found.answer;
  }

  set(key: string, since: number, answer: T): void {
    this.#answers.delete(key);
    this.#answers.set(key, { since, answer });
    if (this.#answers.size > this.#max) this.#answers.delete(this.#answers.keys().next().value ?? '');
  }
}
