/** Billing groups: their properties and versions, which one a thing is in, and how the API shows one. */
import { randomUUID } from 'node:crypto';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../../store/contract.ts';
import { refuseOtherVersion } from '../expected-version.ts';
import { type ThingRecord, things } from '../store.ts';
import { type GivenTag, putTags } from '../tags.ts';
import { getThing } from '../things.ts';
import { refuseOtherProperties } from './other-properties.ts';
import { type BillingGroupRecord, billingGroups } from './store.ts';

export const billingGroupArn = (place: Place, groupName: string): string => iotArn(place, 'billinggroup', groupName);

export async function getBillingGroup(tx: ReadTransaction, accountId: string, groupName: string): Promise<BillingGroupRecord> {
  const found = await tx.get(billingGroups, [accountId, groupName]);
  return found ?? fail('ResourceNotFoundException', `Billing group ${groupName} does not exist`);
}

export interface NewBillingGroup {
  readonly groupName: string;
  readonly description?: string | undefined;
  readonly tags?: readonly GivenTag[] | undefined;
}

/** Creates a group; the same configuration again gives the group that is there (API reference CreateBillingGroup). */
export async function createBillingGroup(
  tx: WriteTransaction,
  place: Place,
  { groupName, description, tags }: NewBillingGroup,
  now: number,
): Promise<BillingGroupRecord> {
  const { accountId } = place;
  const there = await tx.get(billingGroups, [accountId, groupName]);
  if (there !== undefined) {
    if (there.description === description) return there;
    refuseOtherProperties('Billing', groupName, billingGroupArn(place, groupName));
  }
  const record: BillingGroupRecord = {
    accountId,
    groupName,
    groupId: randomUUID(),
    version: 1,
    createdAt: now,
    ...defined({ description }),
  };
  await tx.put(billingGroups, record);
  await putTags(tx, accountId, billingGroupArn(place, groupName), tags);
  return record;
}

export interface BillingGroupUpdate {
  readonly groupName: string;
  readonly description: string | undefined;
  readonly expectedVersion: number | undefined;
}

/** Replaces the properties of a group. */
export async function updateBillingGroup(
  tx: WriteTransaction,
  accountId: string,
  { groupName, description, expectedVersion }: BillingGroupUpdate,
): Promise<BillingGroupRecord> {
  const { description: _, ...record } = await getBillingGroup(tx, accountId, groupName);
  refuseOtherVersion(`billing group ${groupName}`, record.version, expectedVersion);
  const updated = { ...record, ...defined({ description }), version: record.version + 1 };
  await tx.put(billingGroups, updated);
  return updated;
}

/** The members of a thing's record that say which billing group it is in. */
export const billingGroupMembers = ({ groupName, groupId }: BillingGroupRecord) => ({
  billingGroupName: groupName,
  billingGroupId: groupId,
});

/** Name of the billing group that a thing is in: one that is deleted has it no more, before its record says so. */
export async function billingGroupOf(tx: ReadTransaction, thing: ThingRecord): Promise<string | undefined> {
  const { accountId, billingGroupName, billingGroupId } = thing;
  if (billingGroupName === undefined) return undefined;
  const group = await tx.get(billingGroups, [accountId, billingGroupName]);
  return group !== undefined && group.groupId === billingGroupId ? billingGroupName : undefined;
}

export const withoutBillingGroup = ({ billingGroupName: _name, billingGroupId: _id, ...thing }: ThingRecord): ThingRecord =>
  thing;

/** Puts a thing into a billing group in place of the one that it is in, or into none. Its version stays. */
export async function setBillingGroup(
  tx: WriteTransaction,
  accountId: string,
  thingName: string,
  groupName: string | undefined,
): Promise<void> {
  const thing = await getThing(tx, accountId, thingName);
  const group = groupName === undefined ? undefined : await getBillingGroup(tx, accountId, groupName);
  if (thing.billingGroupId === group?.groupId) return;
  await tx.put(things, { ...withoutBillingGroup(thing), ...(group === undefined ? {} : billingGroupMembers(group)) });
}

export const describedBillingGroup = (place: Place, record: BillingGroupRecord) => ({
  billingGroupName: record.groupName,
  billingGroupId: record.groupId,
  billingGroupArn: billingGroupArn(place, record.groupName),
  version: record.version,
  billingGroupProperties: { billingGroupDescription: record.description },
  billingGroupMetadata: { creationDate: new Date(record.createdAt) },
});
