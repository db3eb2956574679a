/** Things and thing groups that are indexed, as the store has them: what their documents are made of. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { membershipsOf } from '../registry/groups/memberships.ts';
import { thingGroups } from '../registry/groups/store.ts';
import { things } from '../registry/store.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { DamagedRecordError } from '../store/damage.ts';
import type { Connectivity, ShadowSource, IndexedThing, IndexedThingGroup } from './documents/sources.ts';
import { connectivity, type ConnectivityRecord, type ThingIndexing } from './store.ts';

const connectivityOf = ({ connected, timestamp, disconnectReason, version }: ConnectivityRecord): Connectivity => ({
  ...{ connected, timestamp },
  ...defined({ disconnectReason, version }),
});

/** What is read; undefined where a record of it is damaged: a search leaves it out, as lists do, and others' go on. */
export async function unlessDamaged<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof DamagedRecordError) return undefined;
    throw error;
  }
}

/** A thing without its shadows; undefined where there is none of this name. */
export async function indexedThing(
  tx: ReadTransaction,
  accountId: string,
  thingName: string,
  { thingConnectivityIndexingMode }: ThingIndexing,
): Promise<IndexedThing | undefined> {
  const thing = await tx.get(things, [accountId, thingName]);
  if (thing === undefined) return undefined;
  const groups = (await membershipsOf(tx, accountId, thingName)).toSorted(
    (a, b) => a.membership.joinedAt - b.membership.joinedAt,
  );
  const last = thingConnectivityIndexingMode === 'OFF' ? undefined : await tx.get(connectivity, [accountId, thingName]);
  const { thingId, thingTypeName, attributes, version, billingGroupName } = thing;
  return {
    ...{ thingName, thingId, thingTypeName, attributes, version },
    dynamicGroups: groups.flatMap(({ group }) => (group.query === undefined ? [] : [group])),
    staticGroups: groups.filter(({ group }) => group.query === undefined).length,
    groupNames: [...groups.map(({ group }) => group.groupName), ...(billingGroupName === undefined ? [] : [billingGroupName])],
    connectivity: last && connectivityOf(last),
  };
}

/** The thing with the shadows that are indexed of it. */
export async function withShadows(
  thing: IndexedThing,
  place: Place,
  source: ShadowSource | undefined,
  { thingIndexingMode, namedShadowIndexingMode, namedShadowNames }: ThingIndexing,
): Promise<IndexedThing> {
  const names = namedShadowIndexingMode === 'ON' ? namedShadowNames : [];
  const isClassic = thingIndexingMode === 'REGISTRY_AND_SHADOW';
  if (source === undefined || (!isClassic && names.length === 0)) return thing;
  const { classic, named } = await source.shadows(place, thing.thingName, names);
  return { ...thing, classicShadow: isClassic ? classic : undefined, namedShadows: named };
}

export async function indexedThingGroup(
  tx: ReadTransaction,
  accountId: string,
  groupName: string,
): Promise<IndexedThingGroup | undefined> {
  const group = await tx.get(thingGroups, [accountId, groupName]);
  if (group === undefined) return undefined;
  const { groupId, description, attributes, version, ancestors } = group;
  return {
    ...{ thingGroupName: groupName, thingGroupId: groupId, description, attributes, version },
    parentGroupNames: ancestors.map((ancestor) => ancestor.groupName).toReversed(),
  };
}
