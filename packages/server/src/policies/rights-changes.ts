/**
 * The bell between whoever changes rights (policies, attachments, certificates, things) and whoever holds live
 * connections. A ring names the certificates concerned; listeners judge them afresh. Rung after the commit.
 */
import { DamagedRecordError } from '../store/damage.ts';

export interface RightsChange {
  readonly accountId: string;
  /** Ids of the certificates whose rights may differ now; all certificates where it is not known which. */
  readonly certificateIds: readonly string[] | undefined;
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
    const ids = [...new Set(certificateIds)];
    if (ids.length > 0) this.#tell({ accountId, certificateIds: ids });
  }

  /** Rings for each page of certificates; for all where a damaged record keeps from reading which they are. */
  async ringPages(accountId: string, pages: AsyncIterable<Iterable<string>>): Promise<void> {
    try {
      for await (const ids of pages) this.ring(accountId, ids);
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      this.#tell({ accountId, certificateIds: undefined });
    }
  }

  #tell(change: RightsChange): void {
    this.#count += 1;
    for (const listener of this.#listeners) listener(change);
  }
}
