/** Which things are in which thing groups: what may be added and removed, and by whom. */
import { randomUUID } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../../store/contract.ts';
import { type ThingRecord, things } from '../store.ts';
import { getThing } from '../things.ts';
import { type GroupReference, type MembershipRecord, memberships, type ThingGroupRecord, thingGroups } from './store.ts';
import { getThingGroup, thingGroupArn } from './thing-groups.ts';

/** Developer guide, page thing-groups: groups that a thing is in at most, dynamic ones among them. */
export const MAX_GROUPS_OF_THING = 10;

/** A membership, and the group that it is in. */
export interface Membership {
  readonly membership: MembershipRecord;
  readonly group: ThingGroupRecord;
}

/** The memberships of a thing, by the names of the groups; those of groups that are gone are left out. */
export async function membershipsOf(tx: ReadTransaction, accountId: string, thingName: string): Promise<Membership[]> {
  const { items } = await tx.scan(memberships, { prefix: [accountId, thingName] });
  if (items.length === 0) return [];
  const groups = await tx.getMany(
    thingGroups,
    items.map(({ groupName }) => [accountId, groupName]),
  );
  return items.flatMap((membership, i) => {
    const group = groups[i];
    return group?.groupId === membership.groupId ? [{ membership, group }] : [];
  });
}

/**
 * ARNs of the groups whose policies govern a thing: its static groups, and their ancestors (developer guide, pages thing-groups
 * and dynamic-thing-groups).
 */
export async function groupArnsOf(tx: ReadTransaction, place: Place, thingName: string): Promise<string[]> {
  const present = await membershipsOf(tx, place.accountId, thingName);
  return present
    .filter(({ group }) => group.query === undefined)
    .flatMap(({ group }) => [group, ...group.ancestors])
    .map(({ groupName }) => thingGroupArn(place, groupName));
}

/** Puts a thing into a group, without a check. */
export async function putMembership(
  tx: WriteTransaction,
  { accountId, thingName, thingId }: ThingRecord,
  { groupName, groupId, ancestors, query }: ThingGroupRecord,
  now: number,
): Promise<void> {
  await tx.put(memberships, {
    accountId,
    thingName,
    thingId,
    groupName,
    groupId,
    membershipId: randomUUID(),
    hierarchy: [...ancestors.map((ancestor) => ancestor.groupId), groupId],
    isByQuery: query !== undefined,
    joinedAt: now,
  });
}

export interface MembershipChange {
  readonly thingName: string;
  readonly groupName: string;
}

export interface AddThingOptions {
  readonly now: number;
  /** At the limit, the newest of the thing's dynamic groups makes room. */
  readonly overrideDynamicGroups?: boolean | undefined;
}

async function staticGroup(tx: ReadTransaction, accountId: string, groupName: string): Promise<ThingGroupRecord> {
  const group = await getThingGroup(tx, accountId, groupName);
  if (group.query !== undefined)
    fail('InvalidRequestException', `Things can not be added to or removed from dynamic thing group ${groupName}`);
  return group;
}

/** Removes the thing from the newest of its dynamic groups where it is in as many groups as it may be. */
async function makeRoom(
  tx: WriteTransaction,
  thingName: string,
  present: readonly Membership[],
  overrides: boolean,
): Promise<void> {
  if (present.length < MAX_GROUPS_OF_THING) return;
  const dynamic = present.filter(({ group }) => group.query !== undefined).sort((a, b) => b.group.createdAt - a.group.createdAt);
  const newest = dynamic[0]?.membership;
  if (newest === undefined || !overrides)
    return fail(
      'InvalidRequestException',
      `Thing ${thingName} is already in the maximum number of thing groups (${MAX_GROUPS_OF_THING})`,
    );
  await tx.delete(memberships, [newest.accountId, newest.thingName, newest.groupName]);
}

/**
 * Adds a thing to a static group; one that is in it stays so. Of a hierarchy a thing can be in one group only (developer
 * guide, page thing-groups).
 */
export async function addThingToGroup(
  tx: WriteTransaction,
  accountId: string,
  { thingName, groupName }: MembershipChange,
  { now, overrideDynamicGroups = false }: AddThingOptions,
): Promise<void> {
  const thing = await getThing(tx, accountId, thingName);
  const group = await staticGroup(tx, accountId, groupName);
  const present = await membershipsOf(tx, accountId, thingName);
  if (present.some(({ membership }) => membership.groupId === group.groupId)) return;
  const root = group.ancestors[0]?.groupId ?? group.groupId;
  const related = present.find(({ membership }) => membership.hierarchy[0] === root);
  if (related !== undefined)
    fail(
      'InvalidRequestException',
      `Thing ${thingName} can not be added to ${groupName}: it is in ${related.membership.groupName}, a group of the same hierarchy`,
    );
  await makeRoom(tx, thingName, present, overrideDynamicGroups);
  await putMembership(tx, thing, group, now);
}

/** Removes a thing from a static group; one that is not in it stays so. */
export async function removeThingFromGroup(
  tx: WriteTransaction,
  accountId: string,
  { thingName, groupName }: MembershipChange,
): Promise<void> {
  await getThing(tx, accountId, thingName);
  await staticGroup(tx, accountId, groupName);
  await tx.delete(memberships, [accountId, thingName, groupName]);
}

/**
 * Has a thing in these dynamic groups and in no other, as far as there are still such groups, it has room, and it is there
 * (developer guide, page dynamic-thing-groups: the first of the list come first).
 */
export async function setDynamicMemberships(
  tx: WriteTransaction,
  accountId: string,
  thingName: string,
  wanted: readonly GroupReference[],
  now: number,
): Promise<void> {
  const thing = await tx.get(things, [accountId, thingName]);
  if (thing === undefined) return;
  const present = await membershipsOf(tx, accountId, thingName);
  const isWanted = (groupId: string): boolean => wanted.some((each) => each.groupId === groupId);
  const left = present.filter(({ group }) => group.query === undefined || isWanted(group.groupId));
  for (const each of present)
    if (!left.includes(each)) await tx.delete(memberships, [accountId, thingName, each.group.groupName]);
  let room = MAX_GROUPS_OF_THING - left.length;
  for (const { groupName, groupId } of wanted) {
    if (room <= 0 || left.some(({ group }) => group.groupId === groupId)) continue;
    const group = await tx.get(thingGroups, [accountId, groupName]);
    if (group?.groupId !== groupId || group.query === undefined) continue;
    await putMembership(tx, thing, group, now);
    room -= 1;
  }
}

/** Removes a thing that is deleted from all groups. */
export async function dropMemberships(tx: WriteTransaction, accountId: string, thingName: string): Promise<void> {
  const { items } = await tx.scan(memberships, { prefix: [accountId, thingName] });
  for (const { groupName } of items) await tx.delete(memberships, [accountId, thingName, groupName]);
}
