/**
 * Certificates that were made for devices over MQTT and wait for their owners. A device has its certificate by a token, which it
 * gets once: bound to the certificate, the account and region, and the principal that has asked, for an hour. Only the token's
 * hash is stored. A certificate that nobody takes is deleted (developer guide, page fleet-provision-api).
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { policyAttachments } from '../policies/store.ts';
import { deleteCertificate } from '../registry/certificate-records.ts';
import { certificateArn } from '../registry/certificates.ts';
import { certificates, thingPrincipals } from '../registry/store.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import { cancel, schedule } from '../store/due-records.ts';
import type { DueHandler } from '../store/due-work.ts';
import { type OwnershipRecord, ownershipCounts, ownerships } from './store.ts';

/** Milliseconds. */
export const OWNERSHIP_LASTS = 3_600_000;
/** Certificates that wait at a time: a claim is in every device of a fleet, and any of them may ask without end. */
export const MAX_WAITING = { account: 5_000, claim: 1_000 };

const KIND = 'untaken-certificate';

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Who asks for a certificate, and where. */
export interface OwnershipClaimant {
  readonly place: Place;
  /** The id of the claim certificate, or what another identity has. */
  readonly principal: string;
}

/** The sender of a request, by its connection. */
export interface FleetRequester extends OwnershipClaimant {
  readonly clientId: string;
}

/** The count of an account has this claim. */
const OF_ACCOUNT = '';

async function changeCount(tx: WriteTransaction, accountId: string, claim: string, by: 1 | -1): Promise<number> {
  const before = (await tx.get(ownershipCounts, [accountId, claim]))?.count ?? 0;
  const count = Math.max(0, before + by);
  if (count === 0) await tx.delete(ownershipCounts, [accountId, claim]);
  else await tx.put(ownershipCounts, { accountId, claim, count });
  return count;
}

const itemOf = ({ accountId, region }: Place, tokenHash: string): string => `${region}/${accountId}/${tokenHash}`;

/** Gives the token of a certificate that the same transaction keeps. Fails with LimitExceededException where too many wait. */
export async function offerCertificate(
  tx: WriteTransaction,
  { place, principal }: OwnershipClaimant,
  certificateId: string,
  now: number,
): Promise<string> {
  const { accountId, region } = place;
  const ofAccount = await changeCount(tx, accountId, OF_ACCOUNT, 1);
  const ofClaim = await changeCount(tx, accountId, principal, 1);
  if (ofAccount > MAX_WAITING.account || ofClaim > MAX_WAITING.claim)
    fail('LimitExceededException', 'Too many certificates wait for their owners: each is deleted an hour after it was made.');
  const token = randomBytes(48).toString('base64url');
  const expiresAt = now + OWNERSHIP_LASTS;
  const record: OwnershipRecord = { accountId, tokenHash: hashOf(token), certificateId, claim: principal, expiresAt };
  await tx.put(ownerships, record);
  const item = { kind: KIND, id: itemOf(place, record.tokenHash), accountId, at: expiresAt };
  await schedule(tx, { ...item, data: { region, accountId, tokenHash: record.tokenHash } });
  return token;
}

/** What the token gives its claimant; undefined for one that is unknown, another one's, used, or over. */
export async function ownershipOf(
  tx: ReadTransaction,
  { place, principal }: OwnershipClaimant,
  token: string,
  now: number,
): Promise<OwnershipRecord | undefined> {
  const found = await tx.get(ownerships, [place.accountId, hashOf(token)]);
  return found === undefined || found.claim !== principal || found.expiresAt <= now ? undefined : found;
}

async function forget(tx: WriteTransaction, { accountId, tokenHash, claim }: OwnershipRecord): Promise<void> {
  await tx.delete(ownerships, [accountId, tokenHash]);
  await changeCount(tx, accountId, OF_ACCOUNT, -1);
  await changeCount(tx, accountId, claim, -1);
}

/** Uses the token up: it counts no more, and its certificate stays. */
export async function takeCertificate(tx: WriteTransaction, place: Place, record: OwnershipRecord): Promise<void> {
  await forget(tx, record);
  await cancel(tx, KIND, itemOf(place, record.tokenHash));
}

/** Whether anybody has activated the certificate or given it something. */
async function isTaken(tx: ReadTransaction, place: Place, certificateId: string): Promise<boolean> {
  const { accountId } = place;
  const record = await tx.get(certificates, [accountId, certificateId]);
  if (record?.status !== 'PENDING_ACTIVATION') return true;
  const arn = certificateArn(place, certificateId);
  const things = await tx.scan(thingPrincipals, { index: 'byPrincipal', prefix: [accountId, arn], limit: 1 });
  const policies = await tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, arn], limit: 1 });
  return things.items.length > 0 || policies.items.length > 0;
}

const text = (data: object, name: string): string => {
  const value: unknown = Object.entries(data).find(([member]) => member === name)?.[1];
  return typeof value === 'string' ? value : '';
};

/** Deletes certificates that nobody has taken in time. */
export const untakenCertificates = (inRegion: (region: string) => Store): DueHandler => ({
  kind: KIND,
  concurrency: 4,
  take: async (item) => {
    const place = { accountId: text(item.data, 'accountId'), region: text(item.data, 'region') };
    await inRegion(place.region).write(async (tx) => {
      if (!(await item.settle(tx, 'done'))) return;
      const record = await tx.get(ownerships, [place.accountId, text(item.data, 'tokenHash')]);
      if (record === undefined) return;
      await forget(tx, record);
      if (!(await isTaken(tx, place, record.certificateId))) await deleteCertificate(tx, place, record.certificateId, false);
    });
    return 'done';
  },
});
