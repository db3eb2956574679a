/** Follows what the permissions of certificates hang on, and publishes whose have changed. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { PermissionChanges } from '../policies/permission-changes.ts';
import { policies, policyAttachments } from '../policies/store.ts';
import type { Background } from '../runtime/background.ts';
import type { Changes } from '../store/changes.ts';
import { type ClaimRecord, claims } from '../store/claims.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { memberships, thingGroups } from './groups/store.ts';
import { certificatesUnder, groupNameIn } from './policy-principals.ts';
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

type CertificatePages = AsyncGenerator<string[]>;

/** Things of a group whose certificates are looked for in one turn of the event loop. */
const THINGS_IN_TURN = 100;
/** Pages of certificates that the writer of a change waits for, where the change may concern a fleet. */
const MAX_AWAITED = 20;

/** The next pages of a walk, `count` at most. */
async function* firstOf(walk: CertificatePages, count: number): CertificatePages {
  for (let i = 0; i < count; i += 1) {
    const { value, done } = await walk.next();
    if (done === true) return;
    yield value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What is left of a walk, with a rest after each page. */
async function* restingAfter(walk: CertificatePages, rest: () => Promise<void>): CertificatePages {
  for await (const page of walk) {
    yield page;
    await rest();
  }
}

/** Begins to follow; gives the function that ends it. */
export function followPermissions({ changes, inRegion, background, permissionChanges }: PermissionChangesOptions): () => void {
  /** Certificates on these things. */
  const onAll = ({ region, accountId }: Place, named: readonly { readonly thingName: string }[]): Promise<string[]> =>
    inRegion(region).read(async (tx) => {
      const found: string[] = [];
      for (const { thingName } of named) found.push(...(await certificatesOn(tx, accountId, thingName)));
      return found;
    });

  /** Certificates that the policy is attached to, page by page. Names of groups that it is attached to go into `groupNames`. */
  async function* governed({ region, accountId }: Place, policyName: string, groupNames: string[]): CertificatePages {
    const store = inRegion(region);
    for await (const { items } of pages(store, policyAttachments, { index: 'byPolicy', prefix: [accountId, policyName] })) {
      groupNames.push(...items.flatMap(({ target }) => groupNameIn(accountId, target) ?? []));
      yield items.flatMap(({ target }) => certificatesUnder(accountId, target));
    }
  }

  /** Certificates on the things of a group and of the groups below it, page by page. */
  async function* inGroup(place: Place, groupId: string): CertificatePages {
    const scan = { index: 'byHierarchy', prefix: [place.accountId, groupId] };
    for await (const { items } of pages(inRegion(place.region), memberships, scan))
      for (let i = 0; i < items.length; i += THINGS_IN_TURN) yield await onAll(place, items.slice(i, i + THINGS_IN_TURN));
  }

  /** Certificates that a policy governs by a group that it is attached to, page by page. */
  async function* governedByGroup(place: Place, groupName: string): CertificatePages {
    const { region, accountId } = place;
    const group = await inRegion(region).read((tx) => tx.get(thingGroups, [accountId, groupName]));
    if (group !== undefined) yield* inGroup(place, group.groupId);
  }

  /** Certificates that a policy governs by these groups, page by page. */
  async function* governedByGroups(place: Place, groupNames: readonly string[]): CertificatePages {
    for (const groupName of groupNames) yield* governedByGroup(place, groupName);
  }

  /** Publishes the first pages before it resolves, and the others, of which there may be many, in the background. */
  async function publishFleet(work: string, walk: CertificatePages): Promise<void> {
    await permissionChanges.publishPages(firstOf(walk, MAX_AWAITED));
    background.start(work, (rest) => permissionChanges.publishPages(restingAfter(walk, rest)));
  }

  /** Certificates on the type's things, page by page. */
  async function* ofType({ region, accountId }: Place, thingTypeName: string, rest: () => Promise<void>) {
    const store = inRegion(region);
    for await (const { items } of pages(store, things, { index: 'byType', prefix: [accountId, thingTypeName] })) {
      yield await onAll({ region, accountId }, items);
      await rest();
    }
  }

  /** Certificates on the thing, page by page. */
  async function* ofThing({ region, accountId }: Place, thingName: string): CertificatePages {
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
      const groupName = groupNameIn(place.accountId, String(target));
      if (groupName !== undefined)
        return publishFleet(`policies-of-group/${placeKey(place)}/${groupName}`, governedByGroup(place, groupName));
      permissionChanges.publish(certificatesUnder(place.accountId, String(target)));
      return undefined;
    }),
    changes.on(policies, async ({ place, key: [, name], before, after, wasDamaged = false }) => {
      if (!wasDamaged && before?.defaultVersionId === after?.defaultVersionId) return;
      const groupNames: string[] = [];
      await permissionChanges.publishPages(governed(place, String(name), groupNames));
      if (groupNames.length > 0) await publishFleet(`policy/${placeKey(place)}/${name}`, governedByGroups(place, groupNames));
    }),
    changes.on(memberships, ({ place, key: [, thingName] }) => permissionChanges.publishPages(ofThing(place, String(thingName)))),
    // Memberships of a group that is gone count at once for nothing, and are removed page by page.
    changes.on(thingGroups, ({ place, before, after }) => {
      if (before === undefined || after !== undefined) return undefined;
      return publishFleet(`group/${before.groupId}`, inGroup(place, before.groupId));
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
