/**
 * The one kind of cache of what the store can void: each answer is kept with the version of what it was read from, and
 * counts only as long as that is the version still. Read the version before the store: an answer that was read while
 * something changed is of the version before, and void.
 */
export class VersionedCache<T> {
  readonly #max: number;
  /** The longest unused come first. */
  readonly #answers = new Map<string, { readonly version: number; readonly answer: T }>();

  /** `max`: answers that are kept. */
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
