/** Deletion of groups: the group goes at once, and what may be a fleet of things leaves it page by page. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { policyAttachments } from '../../policies/store.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Store, WriteTransaction } from '../../store/contract.ts';
import { schedule } from '../../store/due-records.ts';
import type { DueHandler } from '../../store/due-work.ts';
import { refuseOtherVersion } from '../expected-version.ts';
import { things } from '../store.ts';
import { dropTags } from '../tags.ts';
import { billingGroupArn, withoutBillingGroup } from './billing-groups.ts';
import { billingGroups, memberships, thingGroups } from './store.ts';
import { refuseOther, thingGroupArn } from './thing-groups.ts';

/** Things that leave a group in one transaction. */
const PAGE = 100;

/** Removes things from a group that is gone, and gives how many. */
type RemoveThings = (tx: WriteTransaction, accountId: string, groupId: string) => Promise<number>;

const removeMembers: RemoveThings = async (tx, accountId, groupId) => {
  const { items } = await tx.scan(memberships, { index: 'byGroup', prefix: [accountId, groupId], limit: PAGE });
  for (const { thingName, groupName } of items) await tx.delete(memberships, [accountId, thingName, groupName]);
  return items.length;
};

const removeBilled: RemoveThings = async (tx, accountId, groupId) => {
  const { items } = await tx.scan(things, { index: 'byBillingGroup', prefix: [accountId, groupId], limit: PAGE });
  for (const thing of items) await tx.put(things, withoutBillingGroup(thing));
  return items.length;
};

/** By kind of due work. */
const REMOVE: Readonly<Record<'thing-group-deletion' | 'billing-group-deletion', RemoveThings>> = {
  'thing-group-deletion': removeMembers,
  'billing-group-deletion': removeBilled,
};
type Kind = keyof typeof REMOVE;

/** What a deletion still has to do. */
interface DeletedGroup extends Place {
  readonly groupId: string;
}

/** Removes the first page of things in this transaction; what is left is scheduled. */
async function removeThings(tx: WriteTransaction, kind: Kind, group: DeletedGroup, now: number): Promise<void> {
  const { region, accountId, groupId } = group;
  const removed = await REMOVE[kind](tx, accountId, groupId);
  if (removed === PAGE)
    await schedule(tx, { kind, id: `${region}/${groupId}`, accountId, at: now, data: { region, accountId, groupId } });
}

export interface GroupDeletion {
  readonly groupName: string;
  readonly expectedVersion: number | undefined;
}

/** Deletes a thing group of this kind with its tags and policies; one that is not there is no error. */
export async function deleteThingGroup(
  tx: WriteTransaction,
  place: Place,
  kind: 'static' | 'dynamic',
  { groupName, expectedVersion }: GroupDeletion,
  now: number,
): Promise<void> {
  const { accountId } = place;
  const record = await tx.get(thingGroups, [accountId, groupName]);
  if (record === undefined) return;
  refuseOther(record, kind, expectedVersion);
  const children = await tx.scan(thingGroups, { index: 'byParent', prefix: [accountId, groupName], limit: 1 });
  // Developer guide, page thing-groups; Terraform waits and tries again when it reads this text.
  if (children.items.length > 0)
    fail('InvalidRequestException', `Cannot delete thing group : ${groupName} when there are still child groups attached to it.`);
  const target = thingGroupArn(place, groupName);
  const attached = await tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, target] });
  for (const { policyName } of attached.items) await tx.delete(policyAttachments, [accountId, policyName, target]);
  await dropTags(tx, accountId, target);
  await tx.delete(thingGroups, [accountId, groupName]);
  await removeThings(tx, 'thing-group-deletion', { ...place, groupId: record.groupId }, now);
}

/** Deletes a billing group with its tags; one that is not there is no error, and its things are in none then. */
export async function deleteBillingGroup(
  tx: WriteTransaction,
  place: Place,
  { groupName, expectedVersion }: GroupDeletion,
  now: number,
): Promise<void> {
  const { accountId } = place;
  const record = await tx.get(billingGroups, [accountId, groupName]);
  if (record === undefined) return;
  refuseOtherVersion(`billing group ${groupName}`, record.version, expectedVersion);
  await dropTags(tx, accountId, billingGroupArn(place, groupName));
  await tx.delete(billingGroups, [accountId, groupName]);
  await removeThings(tx, 'billing-group-deletion', { ...place, groupId: record.groupId }, now);
}

export interface GroupDeletionOptions {
  readonly inRegion: (region: string) => Store;
  readonly clock: Clock;
}

/** The handlers of what deletions have left to do. */
export const groupDeletions = ({ inRegion, clock }: GroupDeletionOptions): readonly DueHandler[] =>
  (['thing-group-deletion', 'billing-group-deletion'] as const).map((kind) => ({
    kind,
    concurrency: 2,
    take: async ({ data, signal }) => {
      const { region, accountId, groupId } = data as DeletedGroup;
      for (;;) {
        const removed = await inRegion(region).write((tx) => REMOVE[kind](tx, accountId, groupId));
        if (removed < PAGE) return 'done';
        if (signal.aborted) return { again: clock.now() };
      }
    },
  }));
