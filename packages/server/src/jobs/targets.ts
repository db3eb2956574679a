/** Targets of jobs: things and thing groups, static and dynamic, by their ARNs. */
import { nameInPlace, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { type MembershipRecord, memberships, thingGroups } from '../registry/groups/store.ts';
import { things } from '../registry/store.ts';
import type { ReadTransaction } from '../store/contract.ts';
import type { JobRecord, JobTarget } from './store.ts';

/** Targets of a job (General Reference, AWS IoT Device Management quotas). */
export const MAX_TARGETS = 100;

async function targetOf(tx: ReadTransaction, place: Place, arn: string): Promise<JobTarget> {
  const { accountId } = place;
  const thingName = nameInPlace(arn, place, 'thing');
  if (thingName !== undefined)
    return (await tx.get(things, [accountId, thingName])) === undefined
      ? fail('ResourceNotFoundException', `Thing ${thingName} does not exist`)
      : { arn, name: thingName };
  const groupName = nameInPlace(arn, place, 'thinggroup') ?? fail('InvalidRequestException', `Invalid target ARN: ${arn}`);
  const group = await tx.get(thingGroups, [accountId, groupName]);
  return group === undefined
    ? fail('ResourceNotFoundException', `Thing group ${groupName} does not exist`)
    : { arn, name: groupName, groupId: group.groupId };
}

/** The targets that these ARNs name, each once; all of them are there. */
export async function resolveTargets(tx: ReadTransaction, place: Place, arns: readonly string[]): Promise<JobTarget[]> {
  const targets: JobTarget[] = [];
  for (const arn of new Set(arns)) targets.push(await targetOf(tx, place, arn));
  return targets;
}

/** How a thing is a target: by a membership, or, without one, by its own name. */
export interface TargetWay {
  readonly membershipId: string | undefined;
  readonly groupId: string | undefined;
}

/**
 * How a thing is a target of a job beside its being in a group; undefined where it is none. Another thing that has its name by
 * now is not it.
 */
export async function otherWay(
  tx: ReadTransaction,
  { accountId, targets }: JobRecord,
  { thingName, thingId, groupId: leftGroupId }: Pick<MembershipRecord, 'thingName' | 'thingId' | 'groupId'>,
): Promise<TargetWay | undefined> {
  if (targets.some(({ name, groupId }) => groupId === undefined && name === thingName)) {
    const thing = await tx.get(things, [accountId, thingName]);
    return thing?.thingId === thingId ? { membershipId: undefined, groupId: undefined } : undefined;
  }
  const groupIds = new Set(targets.flatMap(({ groupId }) => groupId ?? []));
  const { items } = await tx.scan(memberships, { prefix: [accountId, thingName] });
  const found = items.find(
    (each) => each.thingId === thingId && each.groupId !== leftGroupId && each.hierarchy.some((id) => groupIds.has(id)),
  );
  return found === undefined ? undefined : { membershipId: found.membershipId, groupId: found.groupId };
}
