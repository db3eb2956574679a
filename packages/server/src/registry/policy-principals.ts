/** What the policies domain asks about certificates and things. Thing groups come with the groups' own room. */
import { defined } from '@thingkeep/wire/defined.ts';
import { nameInPlace, parseArn } from '@thingkeep/wire/arn.ts';
import { readCertificate } from '../authority/read-certificate.ts';
import type { PolicyTags, PolicyTargets, PrincipalFacts } from '../policies/principals.ts';
import type { ReadTransaction } from '../store/contract.ts';
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

/** Ids of the certificates whose permissions hang on a policy's target. */
export const certificatesUnder = (accountId: string, arn: string): string[] => {
  const id = certificateIdIn(accountId, arn);
  return id === undefined ? [] : [id];
};

export const policyTargets: PolicyTargets = {
  exists: async (tx, accountId, arn) => (await certificateOf(tx, accountId, arn)) !== undefined,
  inheritsFrom: async () => [],
};

export const principalFacts: PrincipalFacts = {
  certificateDer: async (tx, accountId, arn) => {
    const record = await certificateOf(tx, accountId, arn);
    return record === undefined ? undefined : readCertificate(record.certificatePem).der;
  },
  thing: async (tx, accountId, thingName) => {
    const record = await tx.get(things, [accountId, thingName]);
    if (record === undefined) return undefined;
    const { thingTypeName, attributes } = record;
    return { thingName, attributes, groupArns: [], ...defined({ thingTypeName }) };
  },
  isAttached: async (tx, accountId, thingName, principal) =>
    (await tx.get(thingPrincipals, [accountId, thingName, principal])) !== undefined,
};

export const policyTags: PolicyTags = { put: putTags, remove: dropTags };
