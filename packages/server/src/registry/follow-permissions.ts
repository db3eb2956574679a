/** Follows what the permissions of certificates hang on, and publishes whose have changed. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { PermissionChanges } from '../policies/permission-changes.ts';
import { policies, policyAttachments } from '../policies/store.ts';
import type { Background } from '../runtime/background.ts';
import type { Changes } from '../store/changes.ts';
import { type ClaimRecord, claims } from '../store/claims.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { certificatesUnder } from './policy-principals.ts';
import {
  type CertificateRecord,
  certificates,
  type ThingRecord,
  type ThingTypeRecord,
  thingPrincipals,
  things,
  thingTypes,
} from './store.ts';
import { certificateIdsOf, certificatesOn } from './thing-principals.ts';

export interface PermissionChangesOptions {
  readonly changes: Changes;
  readonly inRegion: (region: string) => Store;
  /** For what may concern a fleet, and is not waited for. */
  readonly background: Background;
  readonly permissionChanges: PermissionChanges;
}

/** Begins to follow; gives the function that ends it. */
export function followPermissions({ changes, inRegion, background, permissionChanges }: PermissionChangesOptions): () => void {
  /** Certificates that the policy governs, page by page. */
  async function* governed({ region, accountId }: Place, policyName: string): AsyncGenerator<Set<string>> {
    const store = inRegion(region);
    for await (const { items } of pages(store, policyAttachments, { index: 'byPolicy', prefix: [accountId, policyName] }))
      yield new Set(items.flatMap(({ target }) => certificatesUnder(accountId, target)));
  }

  /** Certificates on the type's things, page by page. */
  async function* ofType({ region, accountId }: Place, thingTypeName: string, rest: () => Promise<void>) {
    const store = inRegion(region);
    for await (const { items } of pages(store, things, { index: 'byType', prefix: [accountId, thingTypeName] })) {
      yield await store.read(async (tx) => {
        const found: string[] = [];
        for (const { thingName } of items) found.push(...(await certificatesOn(tx, accountId, thingName)));
        return found;
      });
      await rest();
    }
  }

  /** Certificates on the thing, page by page. */
  async function* ofThing({ region, accountId }: Place, thingName: string): AsyncGenerator<string[]> {
    for await (const { items } of pages(inRegion(region), thingPrincipals, { prefix: [accountId, thingName] }))
      yield items.flatMap(({ principal }) => certificateIdsOf(principal));
  }

  const ends = [
    changes.on(certificates, ({ key: [, id], before, after, wasDamaged = false }) => {
      const isChanged = wasDamaged || (before !== undefined && !sameCertificate(before, after));
      if (isChanged) permissionChanges.publish([String(id)]);
    }),
    // Which of several registrations counts for devices that name no host. Its release comes with the certificate's end.
    changes.on(claims, ({ before, after }) => {
      if (after?.kind === 'certificate' && !sameHolder(before, after)) permissionChanges.publish([after.name]);
    }),
    changes.on(policyAttachments, ({ place, key: [, , target] }) => {
      permissionChanges.publish(certificatesUnder(place.accountId, String(target)));
    }),
    changes.on(policies, ({ place, key: [, policyName], before, after, wasDamaged = false }) => {
      if (!wasDamaged && before?.defaultVersionId === after?.defaultVersionId) return undefined;
      return permissionChanges.publishPages(governed(place, String(policyName)));
    }),
    changes.on(thingPrincipals, ({ key: [, , principal] }) => {
      permissionChanges.publish(certificateIdsOf(String(principal)));
    }),
    changes.on(things, ({ place, key: [, thingName], before, after, wasDamaged = false }) => {
      if (!wasDamaged && (before === undefined || sameForPolicies(before, after))) return undefined;
      return permissionChanges.publishPages(ofThing(place, String(thingName)));
    }),
    changes.on(thingTypes, ({ place, key: [, name], before, after, wasDamaged = false }) => {
      if (!wasDamaged && samePropagation(before, after)) return;
      const work = `thing-type/${place.region}/${place.accountId}/${name}`;
      background.start(work, (rest) => permissionChanges.publishPages(ofType(place, String(name), rest)));
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

const sameHolder = (before: ClaimRecord | undefined, after: ClaimRecord): boolean =>
  before?.accountId === after.accountId && before.region === after.region;

const sameCertificate = (before: CertificateRecord, after: CertificateRecord | undefined): boolean =>
  after !== undefined &&
  before.status === after.status &&
  before.certificatePem === after.certificatePem &&
  before.caCertificateId === after.caCertificateId;

/** Policies may read a thing's type and attributes. */
const sameForPolicies = (before: ThingRecord, after: ThingRecord | undefined): boolean =>
  before.thingTypeName === after?.thingTypeName && JSON.stringify(before.attributes) === JSON.stringify(after?.attributes);

const samePropagation = (before: ThingTypeRecord | undefined, after: ThingTypeRecord | undefined): boolean =>
  before === undefined || JSON.stringify(before.propagatingAttributes) === JSON.stringify(after?.propagatingAttributes);
