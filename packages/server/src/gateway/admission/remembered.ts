/**
 * What the store says of a certificate and a client id, remembered so that a fleet that reconnects costs no look-ups.
 * The bell of changed rights forgets a certificate; an answer read while the bell rang is not remembered at all.
 */
import type { RightsChanges } from '../../policies/rights-changes.ts';

/** Certificates remembered at most, and client ids of one; the longest unused are forgotten first. */
const MAX_CERTIFICATES = 10_000;
const MAX_CLIENT_IDS = 4;

export class Remembered<T extends object> {
  readonly #changes: RightsChanges;
  readonly #known = new Map<string, Map<string, T>>();

  constructor(changes: RightsChanges) {
    this.#changes = changes;
    changes.on(({ certificateIds }) => {
      if (certificateIds === undefined) this.#known.clear();
      else for (const id of certificateIds) this.#known.delete(id);
    });
  }

  /** The remembered facts, or those that `load` gives; `undefined` is never remembered. */
  async get(certificateId: string, clientId: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const byClient = this.#known.get(certificateId);
    const known = byClient?.get(clientId);
    if (byClient !== undefined && known !== undefined) {
      this.#known.delete(certificateId);
      this.#known.set(certificateId, byClient);
      return known;
    }
    const { count } = this.#changes;
    const facts = await load();
    if (facts !== undefined && !this.#changes.changedSince(certificateId, count)) this.#keep(certificateId, clientId, facts);
    return facts;
  }

  #keep(certificateId: string, clientId: string, facts: T): void {
    const byClient = this.#known.get(certificateId) ?? new Map<string, T>();
    byClient.set(clientId, facts);
    if (byClient.size > MAX_CLIENT_IDS) byClient.delete(byClient.keys().next().value ?? '');
    this.#known.set(certificateId, byClient);
    if (this.#known.size > MAX_CERTIFICATES) this.#known.delete(this.#known.keys().next().value ?? '');
  }
}
