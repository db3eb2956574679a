/**
 * How many certificates wait for their activation, by CA and account: what just-in-time registration registers is bounded by
 * it, as any device with a certificate of the CA causes a record. Kept in memory, by the changes of certificates.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { type CertificateRecord, certificates } from '../registry/store.ts';
import type { Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';

export interface PendingCountsDeps {
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly limitsOf: (accountId: string) => PendingLimits;
}

/** Where the account has its own. */
export interface PendingLimits {
  readonly pendingCertificates?: number;
  readonly pendingCertificatesOfCa?: number;
}

type Pending = Pick<CertificateRecord, 'status' | 'accountId' | 'caCertificateId'>;

const caKey = ({ accountId, region }: Place, caCertificateId: string): string => `${accountId}/${region}/${caCertificateId}`;

export class PendingCounts {
  readonly #deps: PendingCountsDeps;
  /** By account id, and by account, region and CA. */
  readonly #counts = new Map<string, number>();

  constructor(deps: PendingCountsDeps) {
    this.#deps = deps;
  }

  /** Counts what is stored. Called before anything is registered. */
  async load(): Promise<void> {
    const { regions, inRegion } = this.#deps;
    for (const region of await regions())
      for await (const { items } of pages(inRegion(region), certificates, { index: 'pending', prefix: [], skipDamaged: true }))
        for (const record of items) this.#add(region, record, 1);
  }

  /** Begins to follow changes; gives the function that ends it. */
  follow(changes: Changes): () => void {
    return changes.on(certificates, ({ place: { region }, before, after }) => {
      if (before !== undefined) this.#add(region, before, -1);
      if (after !== undefined) this.#add(region, after, 1);
    });
  }

  /** A place for one more certificate until its record is stored: called then, the result gives it back. Text says what is full. */
  reserve(place: Place, caCertificateId: string): (() => void) | string {
    const own = this.#deps.limitsOf(place.accountId);
    const { pendingCertificates = LIMITS.pendingCertificates, pendingCertificatesOfCa = LIMITS.pendingCertificatesOfCa } = own;
    if (this.#count(caKey(place, caCertificateId)) >= pendingCertificatesOfCa)
      return `${pendingCertificatesOfCa} certificates of the CA ${caCertificateId} are PENDING_ACTIVATION, which is the limit (pendingCertificatesOfCa)`;
    if (this.#count(place.accountId) >= pendingCertificates)
      return `${pendingCertificates} certificates of the account are PENDING_ACTIVATION, which is the limit (pendingCertificates)`;
    const reserved = { status: 'PENDING_ACTIVATION', accountId: place.accountId, caCertificateId } as const;
    this.#add(place.region, reserved, 1);
    return () => this.#add(place.region, reserved, -1);
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  #add(region: string, { status, accountId, caCertificateId }: Pending, by: 1 | -1): void {
    if (status !== 'PENDING_ACTIVATION' || caCertificateId === undefined) return;
    for (const key of [accountId, caKey({ accountId, region }, caCertificateId)]) {
      const count = this.#count(key) + by;
      if (count > 0) this.#counts.set(key, count);
      else this.#counts.delete(key);
    }
  }
}
