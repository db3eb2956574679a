/**
 * The bell of IAM: whatever changes users, groups, roles, policies or keys of an account rings it after the commit. What was
 * remembered of the account under another number is void; connections that signed with IAM credentials are judged again.
 */
export class IamChanges {
  #total = 0;
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Set<(accountId: string) => void>();

  /** Rings of all accounts so far. */
  get total(): number {
    return this.#total;
  }

  /** Rings of the account so far. */
  count(accountId: string): number {
    return this.#counts.get(accountId) ?? 0;
  }

  /** Listens until the returned function is called. */
  on(listener: (accountId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ring(accountId: string): void {
    this.#total += 1;
    this.#counts.set(accountId, this.count(accountId) + 1);
    for (const listener of this.#listeners) listener(accountId);
  }
}
