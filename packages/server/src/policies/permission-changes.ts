/**
 * Changes of the permissions of certificates: published when policies, attachments, certificates or things change, and
 * heard by the parts that hold live connections.
 */
import { DamagedRecordError } from '../store/damage.ts';

export interface PermissionChange {
  /** Ids of the certificates whose permissions may differ now; undefined where it is not known which: all of them. */
  readonly certificateIds: readonly string[] | undefined;
}

/** Certificates whose last change is known. */
const MAX_RECENT = 10_000;

export class PermissionChanges {
  readonly #listeners = new Set<(change: PermissionChange) => void>();
  /** By certificate: the count of its last change. The longest unchanged come first. */
  readonly #recent = new Map<string, number>();
  /** Count of the last change that is not known by certificate: any may have changed then. */
  #floor = 0;
  #count = 0;

  /** Changes so far. */
  get count(): number {
    return this.#count;
  }

  /** The count of the certificate's last change, or a higher one where that is not known any more. */
  versionOf(certificateId: string): number {
    return Math.max(this.#floor, this.#recent.get(certificateId) ?? 0);
  }

  /** Listens until the returned function is called. */
  on(listener: (change: PermissionChange) => void): () => void {
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
    this.#notify({ certificateIds: ids });
  }

  /** Publishes page by page; all certificates where it can't be read which they are. Fails then, but for a damaged record. */
  async publishPages(pages: AsyncIterable<Iterable<string>>): Promise<void> {
    try {
      for await (const ids of pages) this.publish(ids);
    } catch (error) {
      this.#count += 1;
      this.#floor = this.#count;
      this.#recent.clear();
      this.#notify({ certificateIds: undefined });
      if (!(error instanceof DamagedRecordError)) throw error;
    }
  }

  #notify(change: PermissionChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
