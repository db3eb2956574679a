/**
 * Whose permissions have changed: what follows policies, attachments, certificates and things publishes the certificates
 * concerned here, and who holds live connections or remembers permissions listens.
 */
import { DamagedRecordError } from '../store/damage.ts';

export interface RightsChange {
  /** Ids of the certificates whose permissions may differ now; undefined where it is not known which: all of them. */
  readonly certificateIds: readonly string[] | undefined;
}

/** Certificates of which it is known when they changed last; for older ones the answer is "perhaps". */
const MAX_RECENT = 10_000;

export class RightsChanges {
  readonly #listeners = new Set<(change: RightsChange) => void>();
  /** By certificate: the count of its last change. The longest unchanged come first. */
  readonly #recent = new Map<string, number>();
  /** What was read at an older count may be void for any certificate. */
  #floor = 0;
  #count = 0;

  /** Changes so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether permissions of the certificate may have changed since there were so many changes. */
  changedSince(certificateId: string, count: number): boolean {
    return count < this.#floor || (this.#recent.get(certificateId) ?? 0) > count;
  }

  /** Listens until the returned function is called. */
  on(listener: (change: RightsChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(certificateIds: Iterable<string>): void {
    const ids = [...new Set(certificateIds)];
    if (ids.length === 0) return;
    this.#count += 1;
    for (const id of ids) {
      this.#recent.delete(id);
      this.#recent.set(id, this.#count);
    }
    while (this.#recent.size > MAX_RECENT) {
      const [oldest] = this.#recent;
      if (oldest === undefined) break;
      this.#recent.delete(oldest[0]);
      this.#floor = Math.max(this.#floor, oldest[1]);
    }
    this.#tell({ certificateIds: ids });
  }

  /** Publishes page by page; all certificates where a damaged record keeps from reading which they are. */
  async publishPages(pages: AsyncIterable<Iterable<string>>): Promise<void> {
    try {
      for await (const ids of pages) this.publish(ids);
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      this.#count += 1;
      this.#floor = this.#count;
      this.#recent.clear();
      this.#tell({ certificateIds: undefined });
    }
  }

  #tell(change: RightsChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
