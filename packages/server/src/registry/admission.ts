/** What the device gateway asks when a device shows up: whose certificate is this, and which thing is it? */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { subjectHashOf } from './ca-certificates.ts';
import { groupArnsOf } from './groups/memberships.ts';
import {
  type CaCertificateRecord,
  type CertificateRecord,
  caCertificates,
  certificates,
  type ThingRecord,
  type ThingTypeRecord,
  thingPrincipals,
  things,
  thingTypes,
} from './store.ts';

/** The certificate's registrations in the region, of all accounts, `limit` at most; which of them counts is what claims say. */
export const findCertificate = async (tx: ReadTransaction, certificateId: string, limit: number): Promise<CertificateRecord[]> =>
  (await tx.scan(certificates, { index: 'byId', prefix: [certificateId], limit })).items;

/** The accounts that have CA certificates of this subject, each by the first of its own. */
async function accountsOfSubject(tx: ReadTransaction, subjectHash: string, limit: number): Promise<CaCertificateRecord[]> {
  const firsts: CaCertificateRecord[] = [];
  while (firsts.length < limit) {
    const last = firsts.at(-1);
    const beyond = last === undefined ? {} : { beyond: [last.accountId] };
    const scan = { index: 'bySubject', prefix: [subjectHash], limit: 1, ...beyond };
    const [first] = (await tx.scan(caCertificates, scan)).items;
    if (first === undefined) break;
    firsts.push(first);
  }
  return firsts;
}

/**
 * CA certificates of the region whose subject is this name (DER), of one account or all; `limit` at most. Where there are more,
 * each account has its share: anyone can give CAs the name of another's, and has ten of them at most beside it.
 */
export async function findIssuers(
  tx: ReadTransaction,
  name: Buffer,
  limit: number,
  accountId?: string,
): Promise<CaCertificateRecord[]> {
  const subjectHash = subjectHashOf(name);
  const prefix = [subjectHash, ...(accountId === undefined ? [] : [accountId])];
  const { items, next } = await tx.scan(caCertificates, { index: 'bySubject', prefix, limit });
  if (next === undefined || accountId !== undefined) return items;
  const firsts = await accountsOfSubject(tx, subjectHash, limit);
  const share = Math.floor(limit / firsts.length);
  if (share === 1) return firsts;
  const found: CaCertificateRecord[] = [];
  for (const { accountId: owner } of firsts)
    found.push(...(await tx.scan(caCertificates, { index: 'bySubject', prefix: [subjectHash, owner], limit: share })).items);
  return found;
}

export interface ConnectedThing {
  readonly thing: ThingRecord;
  readonly thingType?: ThingTypeRecord;
  /** Whether the principal is attached to it exclusively. */
  readonly exclusive: boolean;
  /** ARNs of the groups whose policies govern it. */
  readonly groupArns: readonly string[];
}

/**
 * User properties that the thing's type wants on the messages of its connection, as names and values; an attribute that the
 * thing does not have is left out (developer guide, page thing-types-propagating-attributes).
 */
export const propagated = ({ thing, thingType }: ConnectedThing, clientId: string): (readonly [string, string])[] =>
  (thingType?.propagatingAttributes ?? []).flatMap(({ userPropertyKey, thingAttribute, connectionAttribute }) => {
    const ofConnection = connectionAttribute === 'iot:ClientId' ? clientId : thing.thingName;
    const { attributes } = thing;
    const ofThing = (name: string): string | undefined => (Object.hasOwn(attributes, name) ? attributes[name] : undefined);
    const value = thingAttribute === undefined ? ofConnection : ofThing(thingAttribute);
    const name = userPropertyKey ?? thingAttribute ?? connectionAttribute;
    return value === undefined || name === undefined ? [] : [[name, value] as const];
  });

/**
 * The thing of a connection: the principal's exclusive thing, else the thing that is named as the client id and to
 * which the principal is attached (developer guide, pages exclusive-thing and thing-policy-variables).
 */
export async function thingOf(
  tx: ReadTransaction,
  place: Place,
  principalArn: string,
  clientId: string,
): Promise<ConnectedThing | undefined> {
  const { accountId } = place;
  const first = await tx.scan(thingPrincipals, { index: 'byPrincipal', prefix: [accountId, principalArn], limit: 1 });
  const only = first.items[0];
  if (only === undefined) return undefined;
  const attachment = only.exclusive ? only : await tx.get(thingPrincipals, [accountId, clientId, principalArn]);
  if (attachment === undefined) return undefined;
  const thing = await tx.get(things, [accountId, attachment.thingName]);
  if (thing === undefined) return undefined;
  const thingType = thing.thingTypeName === undefined ? undefined : await tx.get(thingTypes, [accountId, thing.thingTypeName]);
  const groupArns = await groupArnsOf(tx, place, thing.thingName);
  return { thing, thingType, exclusive: attachment.exclusive, groupArns };
}
