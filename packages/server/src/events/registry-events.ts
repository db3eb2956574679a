/**
 * Registry events: what a change of a record means on `$aws/events/...` (developer guide, page registry-events). The members
 * and their order are the guide's; what has no value is null.
 */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { type MembershipRecord, memberships, type ThingGroupRecord, thingGroups } from '../registry/groups/store.ts';
import { type ThingRecord, type ThingTypeRecord, things, thingTypes } from '../registry/store.ts';
import type { Change } from '../store/changes.ts';
import type { Collection } from '../store/contract.ts';

/** The switches of registry events. */
export type RegistryEventKind =
  | 'THING'
  | 'THING_TYPE'
  | 'THING_TYPE_ASSOCIATION'
  | 'THING_GROUP'
  | 'THING_GROUP_MEMBERSHIP'
  | 'THING_GROUP_HIERARCHY';

export interface RegistryEvent {
  readonly kind: RegistryEventKind;
  readonly topic: string;
  /** JSON. */
  readonly payload: string;
}

/** Records whose changes are events, with the switches of those events. */
export const EVENTS_OF: ReadonlyMap<string | undefined, readonly RegistryEventKind[]> = new Map([
  [things.changes, ['THING', 'THING_TYPE_ASSOCIATION'] as const],
  [thingTypes.changes, ['THING_TYPE'] as const],
  [thingGroups.changes, ['THING_GROUP', 'THING_GROUP_HIERARCHY'] as const],
  [memberships.changes, ['THING_GROUP_MEMBERSHIP'] as const],
]);

type EventOperation = 'CREATED' | 'UPDATED' | 'DELETED' | 'ADDED' | 'REMOVED';

/** An event before it has an id and a time. */
interface Draft {
  readonly kind: RegistryEventKind;
  /** Behind `$aws/events/` and before the operation. */
  readonly subject: string;
  readonly operation: EventOperation;
  readonly members: (head: EventHead) => object;
}

interface EventHead {
  readonly eventId: string;
  readonly timestamp: number;
  readonly operation: EventOperation;
  readonly accountId: string;
}

/** The state that was made, changed, or is gone, and what was done; undefined where nothing is told of. */
function stateOf<T extends object>(
  { before, after }: Change<T>,
  isSame: (a: T, b: T) => boolean,
): { readonly state: T; readonly operation: EventOperation } | undefined {
  if (after === undefined) return before === undefined ? undefined : { state: before, operation: 'DELETED' };
  if (before === undefined) return { state: after, operation: 'CREATED' };
  return isSame(before, after) ? undefined : { state: after, operation: 'UPDATED' };
}

/** What was given up and what was taken on, where they differ. */
function* exchange<T>(
  before: T | undefined,
  after: T | undefined,
  isSame: (a: T, b: T) => boolean,
): Generator<readonly [EventOperation, T]> {
  if (before !== undefined && after !== undefined && isSame(before, after)) return;
  if (before !== undefined) yield ['REMOVED', before];
  if (after !== undefined) yield ['ADDED', after];
}

function* ofThing(change: Change<ThingRecord>): Generator<Draft> {
  const told = stateOf(change, (a, b) => a.version === b.version);
  if (told !== undefined) {
    const { thingId, thingName, version, thingTypeName = null, attributes } = told.state;
    yield {
      kind: 'THING',
      subject: `thing/${thingName}`,
      operation: told.operation,
      members: ({ eventId, timestamp, operation, accountId }) => ({
        eventType: 'THING_EVENT',
        eventId,
        timestamp,
        operation,
        accountId,
        thingId,
        thingName,
        versionNumber: version,
        thingTypeName,
        attributes,
      }),
    };
  }
  const typed = (record: ThingRecord | undefined) => (record?.thingTypeName === undefined ? undefined : record);
  const associations = exchange(typed(change.before), typed(change.after), (a, b) => a.thingTypeName === b.thingTypeName);
  for (const [done, { thingId, thingName, thingTypeName }] of associations)
    yield {
      kind: 'THING_TYPE_ASSOCIATION',
      subject: `thingTypeAssociation/thing/${thingName}/thingType/${thingTypeName}`,
      operation: done,
      members: ({ eventId, timestamp, operation }) => ({
        eventId,
        eventType: 'THING_TYPE_ASSOCIATION_EVENT',
        operation,
        thingId,
        thingName,
        thingTypeName,
        timestamp,
      }),
    };
}

function* ofThingType(change: Change<ThingTypeRecord>): Generator<Draft> {
  const told = stateOf(change, (a, b) => isDeepStrictEqual(a, b));
  if (told === undefined) return;
  const {
    thingTypeId,
    thingTypeName,
    deprecatedAt = null,
    searchableAttributes,
    propagatingAttributes,
    description = null,
  } = told.state;
  yield {
    kind: 'THING_TYPE',
    subject: `thingType/${thingTypeName}`,
    operation: told.operation,
    members: ({ eventId, timestamp, operation, accountId }) => ({
      eventType: 'THING_TYPE_EVENT',
      eventId,
      timestamp,
      operation,
      accountId,
      thingTypeId,
      thingTypeName,
      isDeprecated: deprecatedAt !== null,
      deprecationDate: deprecatedAt,
      searchableAttributes,
      propagatingAttributes,
      description,
    }),
  };
}

function* ofThingGroup(change: Change<ThingGroupRecord>): Generator<Draft> {
  const told = stateOf(change, (a, b) => a.version === b.version);
  if (told === undefined) return;
  const { groupId, groupName, version, ancestors, description = null, attributes, query } = told.state;
  const parent = ancestors.at(-1);
  yield {
    kind: 'THING_GROUP',
    subject: `thingGroup/${groupName}`,
    operation: told.operation,
    members: ({ eventId, timestamp, operation, accountId }) => ({
      eventType: 'THING_GROUP_EVENT',
      eventId: eventId.replaceAll('-', ''),
      timestamp,
      operation,
      accountId,
      thingGroupId: groupId,
      thingGroupName: groupName,
      versionNumber: version,
      parentGroupName: parent?.groupName ?? null,
      parentGroupId: parent?.groupId ?? null,
      description,
      rootToParentThingGroups: ancestors.map((ancestor) => ({
        groupArn: iotArn(change.place, 'thinggroup', ancestor.groupName),
        groupId: ancestor.groupId,
      })),
      attributes,
      dynamicGroupMappingId: query === undefined ? null : groupId,
    }),
  };
  if (parent === undefined || told.operation === 'UPDATED') return;
  yield {
    kind: 'THING_GROUP_HIERARCHY',
    subject: `thingGroupHierarchy/thingGroup/${parent.groupName}/childThingGroup/${groupName}`,
    operation: told.operation === 'CREATED' ? 'ADDED' : 'REMOVED',
    members: ({ eventId, timestamp, operation, accountId }) => ({
      eventType: 'THING_GROUP_HIERARCHY_EVENT',
      eventId,
      timestamp,
      operation,
      accountId,
      thingGroupId: parent.groupId,
      thingGroupName: parent.groupName,
      childGroupId: groupId,
      childGroupName: groupName,
    }),
  };
}

function* ofMembership({ before, after, place }: Change<MembershipRecord>): Generator<Draft> {
  for (const [done, { thingName, thingId, groupName, groupId, membershipId }] of exchange(
    before,
    after,
    (a, b) => a.membershipId === b.membershipId,
  ))
    yield {
      kind: 'THING_GROUP_MEMBERSHIP',
      subject: `thingGroupMembership/thingGroup/${groupName}/thing/${thingName}`,
      operation: done,
      members: ({ eventId, timestamp, operation, accountId }) => ({
        eventType: 'THING_GROUP_MEMBERSHIP_EVENT',
        eventId,
        timestamp,
        operation,
        accountId,
        groupArn: iotArn(place, 'thinggroup', groupName),
        groupId,
        thingArn: iotArn(place, 'thing', thingName),
        thingId,
        membershipId,
      }),
    };
}

const isOf = <T extends object>(change: Change<object>, of: Collection<T>): change is Change<T> => change.kind === of.changes;

function draftsOf(change: Change<object>): Iterable<Draft> {
  if (isOf(change, things)) return ofThing(change);
  if (isOf(change, thingTypes)) return ofThingType(change);
  if (isOf(change, thingGroups)) return ofThingGroup(change);
  return isOf(change, memberships) ? ofMembership(change) : [];
}

/** A UUID that is the same each time for one event: what is published twice can be known by it. */
function eventIdOf({ number, before, after }: Change<object>, topic: string, { region, accountId }: Place): string {
  const told = JSON.stringify([number, topic, region, accountId, after ?? before]);
  const hex = createHash('sha256').update(told).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20, 32)].join('-');
}

/** The events of a change, of these kinds. */
export function* registryEvents(change: Change<object>, kinds: ReadonlySet<string>, now: number): Generator<RegistryEvent> {
  const { place } = change;
  for (const { kind, subject, operation, members } of draftsOf(change)) {
    if (!kinds.has(kind)) continue;
    const topic = `$aws/events/${subject}/${operation.toLowerCase()}`;
    const eventId = eventIdOf(change, topic, place);
    const payload = JSON.stringify(members({ eventId, timestamp: now, operation, accountId: place.accountId }));
    yield { kind, topic, payload };
  }
}
