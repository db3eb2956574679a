/** What the store says of a certificate and a client id, so that a fleet that connects again costs no look-ups. */
import type { PermissionChanges } from '../../../policies/permission-changes.ts';
import { VersionedCache } from '../../../runtime/versioned-cache.ts';

/** Certificates at most, and client ids of one; the longest unused are forgotten first. */
const MAX_CERTIFICATES = 10_000;
const MAX_CLIENT_IDS = 4;

export class CertificateFactsCache<T extends object> {
  readonly #changes: PermissionChanges;
  readonly #byCertificate = new VersionedCache<Map<string, T>>(MAX_CERTIFICATES);

  constructor(changes: PermissionChanges) {
    this.#changes = changes;
  }

  /** The known facts, or those that `load` gives; `undefined` is never kept. */
  async get(certificateId: string, clientId: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const since = this.#changes.count;
    let byClient = this.#byCertificate.get(certificateId, this.#changes.versionOf(certificateId));
    const known = byClient?.get(clientId);
    if (known !== undefined) return known;
    const facts = await load();
    // Certificates that nobody has registered take no place of those that are.
    if (facts === undefined) return undefined;
    if (byClient === undefined) {
      byClient = new Map();
      this.#byCertificate.set(certificateId, since, byClient);
    }
    byClient.set(clientId, facts);
    if (byClient.size > MAX_CLIENT_IDS) byClient.delete(byClient.keys().next().value ?? '');
    return facts;
  }
}
