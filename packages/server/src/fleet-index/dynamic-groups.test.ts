/** Dynamic thing groups: who is in them, whatever changes (fact sheet, section 21.3). */
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { thingGroups } from '../registry/groups/store.ts';
import { caller } from '../testing/operations-fixture.ts';
import type { AccountIndex } from './account-index.ts';
import { DynamicGroups } from './dynamic-groups.ts';
import { IndexFixture } from './fleet-index.fixture.ts';

let index: IndexFixture;
beforeEach(async () => {
  await index?.[Symbol.asyncDispose]();
  index = await IndexFixture.open();
  await index.call('UpdateIndexingConfiguration', {
    thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY', thingConnectivityIndexingMode: 'STATUS' },
  });
  await index.settled();
});
after(() => index[Symbol.asyncDispose]());

const create = async (thingGroupName: string, queryString: string) => {
  index.clock.at += 1000;
  return index.call('CreateDynamicThingGroup', { thingGroupName, queryString });
};

const thing = (thingName: string, attributes: Record<string, string> = {}) =>
  index.call('CreateThing', { thingName, attributePayload: { attributes } });

const members = async (thingGroupName: string): Promise<string[]> => {
  await index.settled();
  const { things = [] } = await index.call('ListThingsInThingGroup', { thingGroupName });
  return things.toSorted();
};

const groupsOf = async (thingName: string): Promise<string[]> => {
  await index.settled();
  const { thingGroups = [] } = await index.call('ListThingGroupsForThing', { thingName });
  return thingGroups.map(({ groupName = '' }) => groupName).toSorted();
};

test('queries that are slow to match leave their turn to others', async () => {
  for (let i = 0; i < 10; i += 1) await create(`group-${i}`, 'attributes.floor:none');
  await index.settled();
  let now = 0;
  const clock = { now: () => now, monotonic: () => (now += 2) };
  const groups = new DynamicGroups({
    clock,
    inRegion: () => index.store,
    log: { warn: () => undefined },
    indexOf: () => undefined,
  });
  await groups.load(caller);
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 1);
  const unmatched = {
    thingName: 'a',
    thingId: 'id',
    attributes: {},
    version: 1,
    groupNames: [],
    dynamicGroups: [],
    staticGroups: 0,
  };
  const sources = { connectivity: false, classicShadow: false, namedShadows: false, locations: [] };
  await groups.regroup(caller, [unmatched, unmatched], sources);
  clearInterval(counting);
  assert.ok(turns > 0);
});

test('a fill that fails is tried again a second later', async (t) => {
  await create('high', 'attributes.floor>3');
  await index.settled();
  await index.store.write(async (tx) => {
    const group = await tx.get(thingGroups, [caller.accountId, 'high']);
    assert.ok(group?.query !== undefined);
    await tx.put(thingGroups, { ...group, query: { ...group.query, status: 'BUILDING' } });
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: object[] = [];
  let attempts = 0;
  const indexOf = (): AccountIndex | undefined => {
    attempts += 1;
    if (attempts === 1) throw new Error('the thread has ended');
    return index.fleetIndex.find(caller, 'AWS_Things');
  };
  const log = { warn: (members: object) => void told.push(members) };
  const groups = new DynamicGroups({ clock: index.clock, inRegion: () => index.store, log, indexOf });
  await groups.load(caller);
  await groups.settled();
  assert.equal(told.length, 1);
  assert.equal((await index.call('DescribeThingGroup', { thingGroupName: 'high' })).status, 'BUILDING');
  t.mock.timers.tick(1000);
  await groups.settled();
  assert.equal((await index.call('DescribeThingGroup', { thingGroupName: 'high' })).status, 'ACTIVE');
  assert.equal(told.length, 1);
});

test('things that match join, those that match no more leave, and the group says when it is whole', async () => {
  await thing('a', { floor: '3' });
  await thing('b', { floor: '4' });
  const made = await create('high', 'attributes.floor>3');
  assert.deepEqual(
    { ...made, thingGroupId: undefined },
    {
      thingGroupName: 'high',
      thingGroupArn: 'arn:aws:iot:us-east-1:123456789012:thinggroup/high',
      thingGroupId: undefined,
      indexName: 'AWS_Things',
      queryString: 'attributes.floor>3',
      queryVersion: '2017-09-30',
    },
  );
  assert.deepEqual(await members('high'), ['b']);
  const described = await index.call('DescribeThingGroup', { thingGroupName: 'high' });
  assert.deepEqual([described.status, described.queryString, described.version], ['ACTIVE', 'attributes.floor>3', 1]);
  await index.call('UpdateThing', { thingName: 'a', attributePayload: { attributes: { floor: '9' } } });
  await index.call('DeleteThing', { thingName: 'b' });
  await thing('c', { floor: '5' });
  assert.deepEqual(await members('high'), ['a', 'c']);
  await index.call('UpdateThing', { thingName: 'a', attributePayload: { attributes: { floor: '1' } } });
  assert.deepEqual(await members('high'), ['c']);
  assert.deepEqual(await index.found('thingGroupNames:high'), ['c']);
});

test('another query brings other things', async () => {
  for (const name of ['a', 'b', 'c']) await thing(name, { kind: name === 'a' ? 'x' : 'y' });
  await create('g', 'attributes.kind:x');
  assert.deepEqual(await members('g'), ['a']);
  const update = { thingGroupName: 'g', thingGroupProperties: { thingGroupDescription: 'd' } };
  assert.equal((await index.call('UpdateDynamicThingGroup', { ...update, queryString: 'attributes.kind:y' })).version, 2);
  assert.deepEqual(await members('g'), ['b', 'c']);
  const { status, queryString, version } = await index.call('DescribeThingGroup', { thingGroupName: 'g' });
  assert.deepEqual([status, queryString, version], ['ACTIVE', 'attributes.kind:y', 2]);
  await index.refuses('VersionConflictException', 'UpdateDynamicThingGroup', { ...update, expectedVersion: 9 });
  await index.call('UpdateDynamicThingGroup', { ...update, expectedVersion: 2 });
  assert.deepEqual(await members('g'), ['b', 'c']);
});

test('connectivity and static groups count; a dynamic group does not look at dynamic groups', async () => {
  await thing('a');
  await thing('b');
  await index.call('CreateThingGroup', { thingGroupName: 'static' });
  await create('online', 'connectivity.connected:true');
  await create('grouped', 'thingGroupNames:static');
  await create('circle', 'NOT thingGroupNames:circle');
  index.follower.connected(index.connection('a'));
  await index.call('AddThingToThingGroup', { thingName: 'b', thingGroupName: 'static' });
  assert.deepEqual(await members('online'), ['a']);
  assert.deepEqual(await members('grouped'), ['b']);
  assert.deepEqual(await members('circle'), ['a', 'b']);
  index.follower.disconnected(index.connection('a'), 'CONNECTION_LOST');
  await index.call('RemoveThingFromThingGroup', { thingName: 'b', thingGroupName: 'static' });
  assert.deepEqual(await members('online'), []);
  assert.deepEqual(await members('grouped'), []);
});

test('a thing is in ten groups: the oldest dynamic ones stay, and a static one may push the newest out', async () => {
  await thing('t');
  for (let i = 0; i < 11; i += 1) await create(`d${String(i).padStart(2, '0')}`, 'thingName:t');
  const numbers = (...of: number[]): string[] => of.map((i) => `d${String(i).padStart(2, '0')}`);
  assert.deepEqual(await groupsOf('t'), numbers(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  assert.ok(index.warnings.includes('a thing belongs to the maximum number of groups already'));
  const { region, accountId } = caller;
  const event = 'AddThingToDynamicThingGroupsFailed';
  assert.deepEqual(index.warned[0], {
    event,
    region,
    accountId,
    thingName: 't',
    leftOut: 0,
    dynamicThingGroupNames: numbers(10),
  });
  await index.call('CreateThingGroup', { thingGroupName: 's' });
  const add = { thingName: 't', thingGroupName: 's' };
  await index.refuses('InvalidRequestException', 'AddThingToThingGroup', add, /maximum number of thing groups/);
  await index.call('AddThingToThingGroup', { ...add, overrideDynamicGroups: true });
  assert.deepEqual(await groupsOf('t'), [...numbers(0, 1, 2, 3, 4, 5, 6, 7, 8), 's']);
  await index.call('DeleteDynamicThingGroup', { thingGroupName: 'd00' });
  await index.call('UpdateThing', { thingName: 't', attributePayload: { attributes: { any: '1' } } });
  assert.deepEqual(await groupsOf('t'), [...numbers(1, 2, 3, 4, 5, 6, 7, 8, 9), 's']);
});

test('what a dynamic group may not be', async () => {
  await index.refuses('InvalidQueryException', 'CreateDynamicThingGroup', { thingGroupName: 'g', queryString: 'a AND' });
  await index.refuses('InvalidQueryException', 'CreateDynamicThingGroup', { thingGroupName: 'g', queryString: 'a b c d e f' });
  await index.refuses('ResourceNotFoundException', 'CreateDynamicThingGroup', {
    thingGroupName: 'g',
    queryString: 'a',
    indexName: 'none',
  });
  await create('g', 'a');
  await create('g', 'a');
  await index.refuses('ResourceAlreadyExistsException', 'CreateDynamicThingGroup', { thingGroupName: 'g', queryString: 'b' });
  await thing('t');
  await index.refuses('InvalidRequestException', 'AddThingToThingGroup', { thingGroupName: 'g', thingName: 't' });
  await index.refuses('InvalidRequestException', 'UpdateThingGroup', { thingGroupName: 'g', thingGroupProperties: {} });
  await index.refuses('InvalidRequestException', 'DeleteThingGroup', { thingGroupName: 'g' });
  await index.refuses('InvalidRequestException', 'CreateThingGroup', { thingGroupName: 'child', parentGroupName: 'g' });
  await index.call('CreateThingGroup', { thingGroupName: 'static' });
  await index.refuses('InvalidRequestException', 'DeleteDynamicThingGroup', { thingGroupName: 'static' });
  await index.call('DeleteDynamicThingGroup', { thingGroupName: 'none' });
  const update = { thingGroupName: 'none', thingGroupProperties: {} };
  await index.refuses('ResourceNotFoundException', 'UpdateDynamicThingGroup', update);
});

test('a source that a dynamic group looks at stays indexed', async () => {
  await create('g', 'connectivity.connected:true');
  const off = { thingIndexingConfiguration: { thingIndexingMode: 'OFF' } } as const;
  const less = { thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } } as const;
  await index.refuses('InvalidRequestException', 'UpdateIndexingConfiguration', off, /dynamic thing group g/);
  await index.refuses('InvalidRequestException', 'UpdateIndexingConfiguration', less, /dynamic thing group g/);
  await index.call('DeleteDynamicThingGroup', { thingGroupName: 'g' });
  await index.call('UpdateIndexingConfiguration', off);
  await index.refuses('InvalidRequestException', 'CreateDynamicThingGroup', { thingGroupName: 'g', queryString: 'a' }, /is off/);
});

test('an account has a hundred dynamic groups', async () => {
  for (let i = 0; i < 100; i += 1) await create(`g${i}`, 'thingName:none');
  await index.refuses('LimitExceededException', 'CreateDynamicThingGroup', { thingGroupName: 'more', queryString: 'a' });
  await create('g7', 'thingName:none');
});

test('after a thousand random changes each group has what its query finds', async () => {
  let seed = 5;
  const random = (n: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  const queries = ['attributes.a>2', 'attributes.b:*', 'thingName:t1*', 'attributes.a:1 OR attributes.b:2', 'NOT attributes.a:*'];
  for (const [i, query] of queries.entries()) await create(`q${i}`, query);
  for (let i = 0; i < 1000; i += 1) {
    const thingName = `t${random(25)}`;
    const attributes = { ...(random(2) === 0 && { a: String(random(5)) }), ...(random(3) === 0 && { b: String(random(3)) }) };
    const step = random(10);
    if (step === 0) await index.call('DeleteThing', { thingName }).catch(() => undefined);
    else if (step < 4) await thing(thingName, attributes).catch(() => undefined);
    else if (step < 9) await index.call('UpdateThing', { thingName, attributePayload: { attributes } }).catch(() => undefined);
    else {
      const queryString = queries[random(queries.length)] as string;
      await index.call('UpdateDynamicThingGroup', { thingGroupName: `q${random(5)}`, thingGroupProperties: {}, queryString });
    }
  }
  for (let i = 0; i < queries.length; i += 1) {
    const found = await members(`q${i}`);
    const { queryString = '', status } = await index.call('DescribeThingGroup', { thingGroupName: `q${i}` });
    assert.equal(status, 'ACTIVE');
    assert.deepEqual(found, (await index.found(queryString)).toSorted(), queryString);
  }
});
