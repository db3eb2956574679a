/** What the policies domain asks about certificates, things and thing groups. */
import { defined } from '@thingkeep/wire/defined.ts';
import { nameInPlace, parseArn } from '@thingkeep/wire/arn.ts';
import { readCertificate } from '../authority/read-certificate.ts';
import type { PolicyTags, PolicyTargets, PrincipalFacts } from '../policies/principals.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { isBeingTransferred } from './certificates.ts';
import { groupArnsOf } from './groups/memberships.ts';
import { thingGroups } from './groups/store.ts';
import { thingGroupArn } from './groups/thing-groups.ts';
import { certificates, thingPrincipals, things } from './store.ts';
import { dropTags, putTags } from './tags.ts';

/** The certificate id in a certificate's ARN of this account. */
const certificateIdIn = (accountId: string, arn: string): string | undefined => {
  const region = parseArn(arn)?.region;
  return region === undefined ? undefined : nameInPlace(arn, { accountId, region }, 'cert');
};

const certificateOf = async (tx: ReadTransaction, accountId: string, arn: string) => {
  const id = certificateIdIn(accountId, arn);
  return id === undefined ? undefined : tx.get(certificates, [accountId, id]);
};

/** Ids of the certificates that a policy's target is. */
export const certificatesUnder = (accountId: string, arn: string): string[] => {
  const id = certificateIdIn(accountId, arn);
  return id === undefined ? [] : [id];
};

/** The name in a thing group's ARN of this account. */
export const groupNameIn = (accountId: string, arn: string): string | undefined => {
  const region = parseArn(arn)?.region;
  return region === undefined ? undefined : nameInPlace(arn, { accountId, region }, 'thinggroup');
};

const groupOf = async (tx: ReadTransaction, accountId: string, arn: string) => {
  const name = groupNameIn(accountId, arn);
  return name === undefined ? undefined : tx.get(thingGroups, [accountId, name]);
};

export const policyTargets: PolicyTargets = {
  exists: async (tx, accountId, arn) =>
    ((await groupOf(tx, accountId, arn)) ?? (await certificateOf(tx, accountId, arn))) !== undefined,
  isBeingTransferred: async (tx, accountId, arn) => isBeingTransferred(await certificateOf(tx, accountId, arn)),
  isDynamicGroup: async (tx, accountId, arn) => (await groupOf(tx, accountId, arn))?.query !== undefined,
  inheritsFrom: async (tx, accountId, arn) => {
    const region = parseArn(arn)?.region ?? '';
    const ancestors = (await groupOf(tx, accountId, arn))?.ancestors ?? [];
    return ancestors.map(({ groupName }) => thingGroupArn({ accountId, region }, groupName));
  },
};

export const principalFacts: PrincipalFacts = {
  certificateDer: async (tx, accountId, arn) => {
    const record = await certificateOf(tx, accountId, arn);
    return record === undefined ? undefined : readCertificate(record.certificatePem).der;
  },
  thing: async (tx, place, thingName) => {
    const record = await tx.get(things, [place.accountId, thingName]);
    if (record === undefined) return undefined;
    const { thingTypeName, attributes } = record;
    return { thingName, attributes, groupArns: await groupArnsOf(tx, place, thingName), ...defined({ thingTypeName }) };
  },
  isAttached: async (tx, accountId, thingName, principal) =>
    (await tx.get(thingPrincipals, [accountId, thingName, principal])) !== undefined,
};

export const policyTags: PolicyTags = { put: putTags, remove: dropTags };
