/**
 * The bell between whoever changes rights (policies, attachments, certificates, things) and whoever holds live
 * connections. A ring names the certificates concerned; listeners judge them afresh. Rung after the commit.
 */

export interface RightsChange {
  readonly accountId: string;
  /** Ids of the certificates whose rights may differ now. */
  readonly certificateIds: readonly string[];
}

export class RightsChanges {
  readonly #listeners = new Set<(change: RightsChange) => void>();
  #count = 0;

  /** Rings so far: who judged at another count may have judged by what is no longer so. */
  get count(): number {
    return this.#count;
  }

  /** Listens until the returned function is called. */
  on(listener: (change: RightsChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ring(accountId: string, certificateIds: Iterable<string>): void {
    const change = { accountId, certificateIds: [...new Set(certificateIds)] };
    if (change.certificateIds.length === 0) return;
    this.#count += 1;
    for (const listener of this.#listeners) listener(change);
  }
}
