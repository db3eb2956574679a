/**
 * The cache of answers from the store: each answer is kept with the version of the records that it was read from, and is
 * valid while the version is the same. Read the version before the store: an answer that was read during a change then has
 * the older version, and is void.
 */
export class VersionedCache<T> {
  readonly #max: number;
  /** The least recently used come first. */
  readonly #answers = new Map<string, { readonly version: number; readonly answer: T }>();

  /** `max`: number of answers that are kept. */
  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, version: number): T | undefined {
    const found = this.#answers.get(key);
    if (found === undefined) return undefined;
    this.#answers.delete(key);
    if (found.version !== version) return undefined;
    this.#answers.set(key, found);
    return found.answer;
  }

  set(key: string, version: number, answer: T): void {
    this.#answers.delete(key);
    this.#answers.set(key, { version, answer });
    if (this.#answers.size > this.#max) this.#answers.delete(this.#answers.keys().next().value ?? '');
  }
}
