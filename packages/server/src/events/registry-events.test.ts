/** Registry events, exact to the member and its place (fact sheet 2, section 23; developer guide, page registry-events). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_PENDING } from '../broker/messaging.ts';
import type { ChangeSubscriber } from '../store/changes.ts';
import { storedChanges } from '../store/durable-changes.ts';
import { caller, MINUTE, RegistryFixture } from '../testing/registry-fixture.ts';
import { registryEventSubscription, registryPublisher } from './registry-publisher.ts';

const ALL = ['THING', 'THING_TYPE', 'THING_TYPE_ASSOCIATION', 'THING_GROUP', 'THING_GROUP_MEMBERSHIP', 'THING_GROUP_HIERARCHY'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const { accountId } = caller;
const arnOf = (resource: string): string => `arn:aws:iot:us-east-1:${accountId}:${resource}`;

type Published = readonly [topic: string, payload: string];

/** The registry with events of these kinds switched on; gives what was published since last asked. */
async function openWith(kinds: readonly string[]) {
  const bench = await RegistryFixture.open();
  const published: Published[] = [];
  const messaging = {
    hasReceivers: () => true,
    publish: (_place: object, topic: string, payload: Buffer) => {
      published.push([topic, payload.toString()]);
      return NOTHING_PENDING;
    },
    stored: (): Promise<void> | undefined => undefined,
  };
  const warnings: object[] = [];
  const log = { warn: (members: object) => void warnings.push(members) };
  await bench.feed.load([registryEventSubscription]);
  const publisher = registryPublisher({ clock: bench.clock, log, messaging, enabled: { of: () => new Set(kinds) } });
  // The store of this test has no regions.
  const { region } = caller;
  const take: ChangeSubscriber['take'] = (changes) =>
    publisher.take(changes.map((change) => ({ ...change, place: { region, accountId } })));
  bench.feed.begin([{ ...publisher, take }]);
  const events = async (): Promise<Published[]> => {
    await bench.feed.settled();
    return published.splice(0).map(([topic, payload]) => [topic.replace('$aws/events/', ''), payload] as const);
  };
  return { bench, events, messaging, warnings };
}

const idOf = (event: Published | undefined): string => (JSON.parse(event?.[1] ?? '{}') as { eventId: string }).eventId;

test('a thing: created, updated and deleted, with its version and null for what it has not', async () => {
  const { bench, events } = await openWith(ALL);
  await using _ = bench;
  const { thingId } = await bench.call('CreateThing', { thingName: 'lamp', attributePayload: { attributes: { room: 'hall' } } });
  const told = await events();
  const timestamp = bench.clock.at;
  const payload = (operation: string, versionNumber: number, more: object = {}, event = told[0]) => {
    const head = { eventType: 'THING_EVENT', eventId: idOf(event), timestamp, operation, accountId };
    const attributes = { room: 'hall' };
    return JSON.stringify({ ...head, thingId, thingName: 'lamp', versionNumber, thingTypeName: null, attributes, ...more });
  };
  assert.match(idOf(told[0]), UUID);
  assert.deepEqual(told, [['thing/lamp/created', payload('CREATED', 1)]]);
  await bench.call('UpdateThing', { thingName: 'lamp', attributePayload: { attributes: { room: 'attic' } } });
  const updated = await events();
  const attributes = { room: 'attic' };
  assert.deepEqual(updated, [['thing/lamp/updated', payload('UPDATED', 2, { attributes }, updated[0])]]);
  await bench.call('DeleteThing', { thingName: 'lamp' });
  const deleted = await events();
  assert.deepEqual(deleted, [['thing/lamp/deleted', payload('DELETED', 2, { attributes }, deleted[0])]]);
});

test('a thing in a billing group is no other thing: nothing is told', async () => {
  const { bench, events } = await openWith(ALL);
  await using _ = bench;
  await bench.call('CreateThing', { thingName: 'lamp' });
  await bench.call('CreateBillingGroup', { billingGroupName: 'b' });
  await events();
  await bench.call('AddThingToBillingGroup', { thingName: 'lamp', billingGroupName: 'b' });
  assert.deepEqual(await events(), []);
});

test('a thing type: created, deprecated, undeprecated, deleted', async () => {
  const { bench, events } = await openWith(ALL);
  await using _ = bench;
  const propagatingAttributes = [{ userPropertyKey: 'room', thingAttribute: 'room' }];
  const { thingTypeId } = await bench.call('CreateThingType', {
    thingTypeName: 'bulb',
    thingTypeProperties: { searchableAttributes: ['room'], mqtt5Configuration: { propagatingAttributes } },
  });
  const payload = (event: Published | undefined, operation: string, deprecationDate: number | null) =>
    JSON.stringify({
      eventType: 'THING_TYPE_EVENT',
      eventId: idOf(event),
      timestamp: bench.clock.at,
      operation,
      accountId,
      thingTypeId,
      thingTypeName: 'bulb',
      isDeprecated: deprecationDate !== null,
      deprecationDate,
      searchableAttributes: ['room'],
      propagatingAttributes,
      description: null,
    });
  const [created] = await events();
  assert.deepEqual(created, ['thingType/bulb/created', payload(created, 'CREATED', null)]);
  const deprecatedAt = bench.clock.at;
  await bench.call('DeprecateThingType', { thingTypeName: 'bulb' });
  // Once more is no change.
  await bench.call('DeprecateThingType', { thingTypeName: 'bulb' });
  const [deprecated, ...more] = await events();
  assert.deepEqual(more, []);
  assert.deepEqual(deprecated, ['thingType/bulb/updated', payload(deprecated, 'UPDATED', deprecatedAt)]);
  await bench.call('DeprecateThingType', { thingTypeName: 'bulb', undoDeprecate: true });
  const [undone] = await events();
  assert.deepEqual(undone, ['thingType/bulb/updated', payload(undone, 'UPDATED', null)]);
  await bench.call('DeprecateThingType', { thingTypeName: 'bulb' });
  bench.clock.at += 5 * MINUTE;
  await bench.call('DeleteThingType', { thingTypeName: 'bulb' });
  const deleted = (await events()).at(-1);
  assert.deepEqual(deleted, ['thingType/bulb/deleted', payload(deleted, 'DELETED', deprecatedAt)]);
});

test('the event of a thing type has its propagating attributes as they are, also when they change', async () => {
  const { bench, events } = await openWith(['THING_TYPE']);
  await using _ = bench;
  await bench.call('CreateThingType', { thingTypeName: 'bulb' });
  const propagatingAttributes = [{ userPropertyKey: 'id', connectionAttribute: 'iot:ClientId' }];
  const thingTypeProperties = { mqtt5Configuration: { propagatingAttributes } };
  await bench.call('UpdateThingType', { thingTypeName: 'bulb', thingTypeProperties });
  const told = (await events()).map(([topic, payload]) => {
    const { propagatingAttributes: shown } = JSON.parse(payload) as { propagatingAttributes: unknown };
    return [topic, shown];
  });
  assert.deepEqual(told, [
    ['thingType/bulb/created', []],
    ['thingType/bulb/updated', propagatingAttributes],
  ]);
});

test('a thing type on a thing: added, exchanged, removed with the thing; the event has no account', async () => {
  const { bench, events } = await openWith(['THING_TYPE_ASSOCIATION']);
  await using _ = bench;
  for (const thingTypeName of ['bulb', 'tube']) await bench.call('CreateThingType', { thingTypeName });
  const { thingId } = await bench.call('CreateThing', { thingName: 'lamp', thingTypeName: 'bulb' });
  const [added] = await events();
  assert.deepEqual(added, [
    'thingTypeAssociation/thing/lamp/thingType/bulb/added',
    JSON.stringify({
      eventId: idOf(added),
      eventType: 'THING_TYPE_ASSOCIATION_EVENT',
      operation: 'ADDED',
      thingId,
      thingName: 'lamp',
      thingTypeName: 'bulb',
      timestamp: bench.clock.at,
    }),
  ]);
  await bench.call('UpdateThing', { thingName: 'lamp', thingTypeName: 'tube' });
  await bench.call('UpdateThing', { thingName: 'lamp', attributePayload: { attributes: { a: '1' } } });
  await bench.call('DeleteThing', { thingName: 'lamp' });
  assert.deepEqual(
    (await events()).map(([topic]) => topic.replace('thingTypeAssociation/thing/lamp/thingType/', '')),
    ['bulb/removed', 'tube/added', 'tube/removed'],
  );
});

test('a thing group below another one: the group and the hierarchy, with all its ancestors', async () => {
  const { bench, events } = await openWith(ALL);
  await using _ = bench;
  const { thingGroupId: rootId } = await bench.call('CreateThingGroup', { thingGroupName: 'root' });
  const [root] = await events();
  const payload = (event: Published | undefined, group: object) =>
    JSON.stringify({
      eventType: 'THING_GROUP_EVENT',
      eventId: idOf(event),
      timestamp: bench.clock.at,
      operation: 'CREATED',
      accountId,
      thingGroupId: rootId,
      thingGroupName: 'root',
      versionNumber: 1,
      parentGroupName: null,
      parentGroupId: null,
      description: null,
      rootToParentThingGroups: [],
      attributes: {},
      dynamicGroupMappingId: null,
      ...group,
    });
  assert.match(idOf(root), /^[0-9a-f]{32}$/);
  assert.deepEqual(root, ['thingGroup/root/created', payload(root, {})]);
  const { thingGroupId } = await bench.call('CreateThingGroup', {
    thingGroupName: 'leaf',
    parentGroupName: 'root',
    thingGroupProperties: { thingGroupDescription: 'd', attributePayload: { attributes: { a: '1' } } },
  });
  const leaf = {
    thingGroupId,
    thingGroupName: 'leaf',
    parentGroupName: 'root',
    parentGroupId: rootId,
    description: 'd',
    rootToParentThingGroups: [{ groupArn: arnOf('thinggroup/root'), groupId: rootId }],
    attributes: { a: '1' },
  };
  const hierarchy = (event: Published | undefined, operation: string) =>
    JSON.stringify({
      eventType: 'THING_GROUP_HIERARCHY_EVENT',
      eventId: idOf(event),
      timestamp: bench.clock.at,
      operation,
      accountId,
      thingGroupId: rootId,
      thingGroupName: 'root',
      childGroupId: thingGroupId,
      childGroupName: 'leaf',
    });
  const made = await events();
  assert.deepEqual(made, [
    ['thingGroup/leaf/created', payload(made[0], leaf)],
    ['thingGroupHierarchy/thingGroup/root/childThingGroup/leaf/added', hierarchy(made[1], 'ADDED')],
  ]);
  await bench.call('UpdateThingGroup', { thingGroupName: 'leaf', thingGroupProperties: { thingGroupDescription: 'd' } });
  const [updated, ...rest] = await events();
  const second = { ...leaf, operation: 'UPDATED', versionNumber: 2 };
  assert.deepEqual(updated?.[0], 'thingGroup/leaf/updated');
  assert.deepEqual(JSON.parse(updated?.[1] ?? ''), JSON.parse(payload(updated, second)));
  assert.deepEqual(rest, []);
  await bench.call('DeleteThingGroup', { thingGroupName: 'leaf' });
  const gone = await events();
  assert.deepEqual(
    gone.map(([topic]) => topic),
    ['thingGroup/leaf/deleted', 'thingGroupHierarchy/thingGroup/root/childThingGroup/leaf/removed'],
  );
  assert.equal(gone[1]?.[1], hierarchy(gone[1], 'REMOVED'));
});

test('a membership: added and removed with one id, also where thing or group is deleted', async () => {
  const { bench, events } = await openWith(['THING_GROUP_MEMBERSHIP']);
  await using _ = bench;
  const { thingGroupId: groupId } = await bench.call('CreateThingGroup', { thingGroupName: 'g' });
  const { thingId } = await bench.call('CreateThing', { thingName: 'lamp' });
  await bench.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'g' });
  await bench.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'g' });
  const [record] = await bench.memberships();
  const payload = (event: Published | undefined, operation: string) =>
    JSON.stringify({
      eventType: 'THING_GROUP_MEMBERSHIP_EVENT',
      eventId: idOf(event),
      timestamp: bench.clock.at,
      operation,
      accountId,
      groupArn: arnOf('thinggroup/g'),
      groupId,
      thingArn: arnOf('thing/lamp'),
      thingId,
      membershipId: record?.membershipId,
    });
  const added = await events();
  assert.deepEqual(added, [['thingGroupMembership/thingGroup/g/thing/lamp/added', payload(added[0], 'ADDED')]]);
  await bench.call('DeleteThingGroup', { thingGroupName: 'g' });
  const removed = await events();
  assert.deepEqual(removed, [['thingGroupMembership/thingGroup/g/thing/lamp/removed', payload(removed[0], 'REMOVED')]]);
  await bench.call('CreateThingGroup', { thingGroupName: 'g' });
  await bench.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'g' });
  await bench.call('DeleteThing', { thingName: 'lamp' });
  assert.deepEqual(
    (await events()).map(([topic]) => topic.split('/').at(-1)),
    ['added', 'removed'],
  );
});

test('each switch is for its own kind, and what no account wants is not stored', async () => {
  for (const kind of ALL) {
    const { bench, events } = await openWith([kind]);
    await using _ = bench;
    await bench.call('CreateThingType', { thingTypeName: 'bulb' });
    await bench.call('CreateThing', { thingName: 'lamp', thingTypeName: 'bulb' });
    await bench.call('CreateThingGroup', { thingGroupName: 'root' });
    await bench.call('CreateThingGroup', { thingGroupName: 'leaf', parentGroupName: 'root' });
    await bench.call('AddThingToThingGroup', { thingName: 'lamp', thingGroupName: 'leaf' });
    const types = new Set((await events()).map(([, payload]) => (JSON.parse(payload) as { eventType: string }).eventType));
    assert.deepEqual([...types], [`${kind}_EVENT`]);
  }
  const { bench, events } = await openWith([]);
  await using _ = bench;
  await bench.feed.end();
  await bench.call('CreateThing', { thingName: 'lamp' });
  assert.deepEqual(await events(), []);
  assert.deepEqual(await bench.store.read((tx) => tx.scanRows(storedChanges, 0, { after: 0, rows: 9, bytes: 1e6 })), []);
});

test('an event that can’t be stored for its account keeps no other from being told; a full disk has all told again', async () => {
  const { bench, events, messaging, warnings } = await openWith(['THING']);
  await using _ = bench;
  const failures: Error[] = [new Error('the queue is full')];
  messaging.stored = () => {
    const failure = failures.shift();
    return failure === undefined ? undefined : Promise.reject(failure);
  };
  const topics = async (): Promise<string[]> => (await events()).map(([topic]) => topic);
  await bench.call('CreateThing', { thingName: 'lamp' });
  await bench.call('CreateThing', { thingName: 'fan' });
  assert.deepEqual(await topics(), ['thing/lamp/created', 'thing/fan/created'], 'each once');
  assert.deepEqual(
    warnings.map((members) => ('event' in members ? members.event : undefined)),
    ['registry-event-dropped'],
  );
  failures.push(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
  await bench.call('CreateThing', { thingName: 'door' });
  assert.ok((await topics()).includes('thing/door/created'));
  assert.deepEqual(warnings.length, 1, 'a full disk is not the account’s fault');
});
