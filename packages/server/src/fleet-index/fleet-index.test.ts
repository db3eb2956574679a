/** The fleet index beside the registry: what is configured, what is found, and that it is always what the store says. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import type { IndexedShadow } from './documents/sources.ts';
import { IndexFile } from './engine/index-file.ts';
import { thingGroups } from '../registry/groups/store.ts';
import { IndexFixture } from './fleet-index.fixture.ts';
import { fleetMetrics } from './store.ts';

let index: IndexFixture;
const shadows = new Map<string, IndexedShadow>();
const open = () =>
  IndexFixture.open({
    shadows: async (_place, thingName, names) => ({
      classic: shadows.get(thingName),
      named: Object.fromEntries(
        names.flatMap((name) =>
          shadows.has(`${thingName}/${name}`) ? [[name, shadows.get(`${thingName}/${name}`) as IndexedShadow]] : [],
        ),
      ),
    }),
  });
beforeEach(async () => {
  await index?.[Symbol.asyncDispose]();
  shadows.clear();
  index = await open();
});
after(() => index[Symbol.asyncDispose]());

const switchOn = (more: object = {}) =>
  index.call('UpdateIndexingConfiguration', {
    thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY', ...more },
    thingGroupIndexingConfiguration: { thingGroupIndexingMode: 'ON' },
  });

test('section 29: nothing is indexed before it is configured', async () => {
  assert.deepEqual(await index.call('GetIndexingConfiguration', {}), {
    thingIndexingConfiguration: {
      thingIndexingMode: 'OFF',
      thingConnectivityIndexingMode: 'OFF',
      deviceDefenderIndexingMode: 'OFF',
      namedShadowIndexingMode: 'OFF',
    },
    thingGroupIndexingConfiguration: { thingGroupIndexingMode: 'OFF' },
  });
  assert.deepEqual(await index.call('ListIndices', {}), { indexNames: [] });
  await index.refuses('ResourceNotFoundException', 'DescribeIndex', { indexName: 'AWS_Things' });
  await index.refuses('ResourceNotFoundException', 'SearchIndex', { queryString: '*' });
  await index.refuses('IndexNotReadyException', 'GetThingConnectivityData', { thingName: 't' });
});

test('section 29: an index that is switched on has what was there, and follows what changes', async () => {
  await index.call('CreateThingType', { thingTypeName: 'Pump' });
  await index.call('CreateThing', {
    thingName: 'early',
    thingTypeName: 'Pump',
    attributePayload: { attributes: { floor: '3' } },
  });
  await switchOn();
  assert.deepEqual(await index.found('thingTypeName:pump'), ['early']);
  assert.deepEqual(await index.call('DescribeIndex', { indexName: 'AWS_Things' }), {
    indexName: 'AWS_Things',
    indexStatus: 'ACTIVE',
    schema: 'REGISTRY',
  });
  assert.deepEqual((await index.call('ListIndices', {})).indexNames, ['AWS_Things', 'AWS_ThingGroups']);
  await index.call('CreateThing', { thingName: 'late', attributePayload: { attributes: { floor: '4' } } });
  assert.deepEqual(await index.found('attributes.floor>3'), ['late']);
  await index.call('UpdateThing', { thingName: 'early', attributePayload: { attributes: { floor: '9' } } });
  assert.deepEqual((await index.found('attributes.floor>3')).toSorted(), ['early', 'late']);
  await index.call('DeleteThing', { thingName: 'late' });
  assert.deepEqual(await index.found('*'), ['early']);
});

test('section 29: groups and billing groups of a thing are found by thingGroupNames', async () => {
  await switchOn();
  await index.call('CreateThingGroup', { thingGroupName: 'root' });
  await index.call('CreateThingGroup', {
    thingGroupName: 'child',
    parentGroupName: 'root',
    thingGroupProperties: { thingGroupDescription: 'Ground floor', attributePayload: { attributes: { a: '1' } } },
  });
  await index.call('CreateBillingGroup', { billingGroupName: 'pay' });
  for (const thingName of ['a', 'b']) await index.call('CreateThing', { thingName });
  await index.call('AddThingToThingGroup', { thingName: 'a', thingGroupName: 'child' });
  await index.call('AddThingToBillingGroup', { thingName: 'b', billingGroupName: 'pay' });
  assert.deepEqual(await index.found('thingGroupNames:child'), ['a']);
  assert.deepEqual(await index.found('thingGroupNames:pay'), ['b']);
  await index.call('RemoveThingFromThingGroup', { thingName: 'a', thingGroupName: 'child' });
  assert.deepEqual(await index.found('thingGroupNames:*'), ['b']);
  const { thingGroups = [], things } = await index.call('SearchIndex', {
    indexName: 'AWS_ThingGroups',
    queryString: 'parentGroupNames:root',
  });
  assert.deepEqual(things, []);
  const [{ thingGroupId, ...group } = {}] = thingGroups;
  assert.match(thingGroupId ?? '', /^[0-9a-f-]{36}$/);
  assert.deepEqual(group, {
    thingGroupName: 'child',
    thingGroupDescription: 'Ground floor',
    attributes: { a: '1' },
    parentGroupNames: ['root'],
  });
  await index.call('DeleteThingGroup', { thingGroupName: 'child' });
  await index.settled();
  assert.deepEqual((await index.call('SearchIndex', { indexName: 'AWS_ThingGroups', queryString: 'child' })).thingGroups, []);
});

test('section 29: shadows are indexed as the configuration says', async () => {
  await index.call('CreateThing', { thingName: 't' });
  shadows.set('t', { reported: { battery: 71 }, version: 1 });
  shadows.set('t/cfg', { reported: { mode: 'eco' }, version: 1 });
  await switchOn();
  assert.deepEqual(await index.found('shadow.reported.battery>70'), []);
  await switchOn({ thingIndexingMode: 'REGISTRY_AND_SHADOW' });
  assert.deepEqual(await index.found('shadow.reported.battery>70'), ['t']);
  assert.deepEqual(await index.found('shadow.name.cfg.reported.mode:eco'), []);
  await switchOn({ namedShadowIndexingMode: 'ON', filter: { namedShadowNames: ['cfg'] } });
  assert.deepEqual(await index.found('shadow.reported.battery>70'), []);
  assert.deepEqual(await index.found('shadow.name.cfg.reported.mode:eco'), ['t']);
  assert.equal((await index.call('DescribeIndex', { indexName: 'AWS_Things' })).schema, 'MULTI_INDEXING_MODE');
  shadows.set('t/cfg', { reported: { mode: 'full' }, version: 2 });
  index.fleetIndex.markThing({ region: 'us-east-1', accountId: '123456789012' }, 't');
  assert.deepEqual(await index.found('shadow.name.cfg.reported.mode:full'), ['t']);
});

test('section 32: connectivity of a thing is that of the client with its name, or of its exclusive connection', async () => {
  await switchOn({ thingConnectivityIndexingMode: 'STATUS' });
  for (const thingName of ['t', 'x', 'never']) await index.call('CreateThing', { thingName });
  index.clock.at = 5000;
  index.follower.connected(index.connection('t', { version: 3 }));
  index.follower.connected(index.connection('client', { thingName: 'x' }));
  index.follower.connected(index.connection('no-thing'));
  await index.settled();
  const data = (thingName: string) => index.call('GetThingConnectivityData', { thingName });
  assert.deepEqual(await data('t'), { thingName: 't', connected: true, timestamp: new Date(5000), disconnectReason: 'NONE' });
  assert.deepEqual(await data('never'), {
    thingName: 'never',
    connected: false,
    timestamp: undefined,
    disconnectReason: 'UNKNOWN',
  });
  await index.refuses('ResourceNotFoundException', 'GetThingConnectivityData', { thingName: 'no-thing' });
  assert.deepEqual(await index.found('connectivity.connected:true'), ['t', 'x']);
  index.clock.at = 9000;
  index.follower.disconnected(index.connection('t', { version: 3 }), 'CONNECTION_LOST');
  assert.deepEqual(await index.found('connectivity.disconnectReason:CONNECTION_LOST AND connectivity.timestamp>=9000'), ['t']);
  assert.deepEqual(await data('t'), {
    thingName: 't',
    connected: false,
    timestamp: new Date(9000),
    disconnectReason: 'CONNECTION_LOST',
  });
  const { things: [found] = [] } = await index.call('SearchIndex', { queryString: 'thingName:t' });
  assert.deepEqual(found?.connectivity, { connected: false, timestamp: 9000, disconnectReason: 'CONNECTION_LOST' });
  assert.deepEqual(await index.found('connectivity.connected:false'), ['t', 'never'], 'also one that never connected');
  assert.deepEqual(await index.found('connectivity.connected:false AND connectivity.timestamp:*'), ['t']);
  const { things: [never] = [] } = await index.call('SearchIndex', { queryString: 'thingName:never' });
  assert.deepEqual(never?.connectivity, { connected: false });
  assert.deepEqual(await index.found('NOT connectivity.connected:true'), ['t', 'never']);
  assert.deepEqual(await index.found('true'), [], 'a term without a field does not look at connectivity');
  index.clock.at = 12_000;
  await index.follower.load(['us-east-1']);
  assert.equal((await data('x')).connected, false, 'at a start nobody is connected');
});

test('section 31: aggregations over managed and custom fields', async () => {
  await switchOn({ customFields: [{ name: 'attributes.watts', type: 'Number' }] });
  for (let i = 0; i < 13; i += 1)
    await index.call('CreateThing', {
      thingName: `t${i}`,
      attributePayload: { attributes: { watts: String(i < 4 ? 1 : i < 9 ? 2 : 3), color: i % 2 ? 'Red' : 'Blue' } },
    });
  await index.settled();
  const field = { queryString: '*', aggregationField: 'attributes.watts' };
  const { statistics } = await index.call('GetStatistics', field);
  assert.deepEqual([statistics?.count, statistics?.sum, statistics?.minimum, statistics?.maximum], [13, 26, 1, 3]);
  assert.equal((await index.call('GetStatistics', { queryString: '*' })).statistics?.sum, 13, 'registry.version is the default');
  assert.deepEqual((await index.call('GetStatistics', { queryString: '*', aggregationField: 'thingName' })).statistics, {
    count: 13,
  });
  assert.equal((await index.call('GetCardinality', field)).cardinality, 3);
  const { percentiles } = await index.call('GetPercentiles', { ...field, percents: [30, 70] });
  assert.deepEqual(
    percentiles?.map(({ percent, value = 0 }) => [percent, Math.round(value * 10)]),
    [
      [30, 14],
      [70, 26],
    ],
  );
  assert.deepEqual(
    (await index.call('GetPercentiles', field)).percentiles?.map(({ percent }) => percent),
    [1, 5, 25, 50, 75, 95, 99],
  );
  const buckets = { bucketsAggregationType: { termsAggregation: { maxBuckets: 2 } } };
  assert.deepEqual(await index.call('GetBucketsAggregation', { ...field, ...buckets }), {
    totalCount: 13,
    buckets: [
      { keyValue: '2', count: 5 },
      { keyValue: '1', count: 4 },
    ],
  });
  for (const aggregationField of ['attributes.color', 'foo', 'shadow.version', 'constructor', '__proto__'])
    await index.refuses('InvalidAggregationException', 'GetCardinality', { queryString: '*', aggregationField });
  await index.refuses('InvalidAggregationException', 'GetCardinality', { queryString: '*' });
  await index.refuses('InvalidAggregationException', 'GetPercentiles', { queryString: '*', aggregationField: 'thingName' });
  await index.refuses('InvalidQueryException', 'GetStatistics', { queryString: 'a AND' });
  await index.refuses('InvalidQueryException', 'SearchIndex', { queryString: '*', queryVersion: '2018-01-01' });
});

test('section 31.1: pages of a search, and a token of another query', async () => {
  await switchOn();
  for (let i = 0; i < 25; i += 1) await index.call('CreateThing', { thingName: `t${i}` });
  await index.settled();
  const names = new Set<string>();
  let nextToken: string | undefined;
  do {
    const page = await index.call('SearchIndex', { queryString: 't*', maxResults: 10, nextToken });
    for (const { thingName = '' } of page.things ?? []) names.add(thingName);
    ({ nextToken } = page);
  } while (nextToken !== undefined);
  assert.equal(names.size, 25);
  const first = await index.call('SearchIndex', { queryString: 't*', maxResults: 10 });
  await index.refuses('InvalidRequestException', 'SearchIndex', { queryString: 't1*', nextToken: first.nextToken });
  await index.refuses('InvalidRequestException', 'SearchIndex', { queryString: 't*', nextToken: 'bm9uZQ==' });
});

test('section 29: what a configuration may not say', async () => {
  const bad = [
    { thingIndexingMode: 'OFF', thingConnectivityIndexingMode: 'STATUS' },
    { thingIndexingMode: 'OFF', namedShadowIndexingMode: 'ON', filter: { namedShadowNames: ['a'] } },
    { thingIndexingMode: 'REGISTRY', namedShadowIndexingMode: 'ON' },
    { thingIndexingMode: 'REGISTRY', customFields: [{ name: 'shadow.reported.a', type: 'Number' }] },
    { thingIndexingMode: 'REGISTRY', customFields: [{ name: 'thingName', type: 'String' }] },
    {
      thingIndexingMode: 'REGISTRY',
      customFields: [
        { name: 'attributes.a', type: 'String' },
        { name: 'attributes.a', type: 'Number' },
      ],
    },
    {
      thingIndexingMode: 'REGISTRY',
      customFields: Array.from({ length: 6 }, (_, i) => ({ name: `attributes.a${i}`, type: 'String' })),
    },
    { thingIndexingMode: 'REGISTRY', filter: { geoLocations: [{ name: 'shadow.reported.at' }] } },
    { thingIndexingMode: 'REGISTRY_AND_SHADOW', filter: { geoLocations: [{ name: 'attributes.at' }] } },
    {
      thingIndexingMode: 'REGISTRY',
      namedShadowIndexingMode: 'ON',
      filter: { namedShadowNames: Array.from({ length: 11 }, (_, i) => `n${i}`) },
    },
  ] as const;
  for (const thingIndexingConfiguration of bad)
    await index.refuses('InvalidRequestException', 'UpdateIndexingConfiguration', { thingIndexingConfiguration } as never);
  await switchOn({
    thingIndexingMode: 'REGISTRY_AND_SHADOW',
    namedShadowIndexingMode: 'ON',
    filter: {
      namedShadowNames: ['$package', ...Array.from({ length: 10 }, (_, i) => `n${i}`)],
      geoLocations: [{ name: 'shadow.reported.at', order: 'LonLat' }],
    },
  });
});

test('a configuration replaces what it gives as a whole, and leaves the other index alone', async () => {
  await switchOn({ thingConnectivityIndexingMode: 'STATUS', customFields: [{ name: 'attributes.a', type: 'Number' }] });
  await index.call('UpdateIndexingConfiguration', { thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } });
  const { thingIndexingConfiguration: given, thingGroupIndexingConfiguration } = await index.call('GetIndexingConfiguration', {});
  assert.deepEqual([given?.customFields, given?.thingConnectivityIndexingMode], [undefined, 'OFF']);
  assert.equal(thingGroupIndexingConfiguration?.thingGroupIndexingMode, 'ON');
  assert.deepEqual(
    given?.managedFields?.map(({ name }) => name),
    ['thingName', 'thingId', 'registry.thingTypeName', 'registry.thingGroupNames', 'registry.version'],
  );
  await index.call('UpdateIndexingConfiguration', { thingIndexingConfiguration: { thingIndexingMode: 'OFF' } });
  await index.refuses('ResourceNotFoundException', 'SearchIndex', { queryString: '*' });
});

test('a stored query that can not be read any more keeps no configuration from being updated', async () => {
  await switchOn({ thingConnectivityIndexingMode: 'STATUS' });
  await index.settled();
  const dynamic = { thingGroupName: 'online', queryString: 'connectivity.connected:true' };
  await index.call('CreateDynamicThingGroup', dynamic);
  await index.call('CreateFleetMetric', {
    ...{ metricName: 'online', queryString: 'connectivity.connected:true', period: 60 },
    ...{ aggregationType: { name: 'Statistics', values: ['count'] }, aggregationField: 'registry.version' },
  });
  const off = { thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' as const } };
  await index.refuses('InvalidRequestException', 'UpdateIndexingConfiguration', off);
  const { accountId } = index.connection('t').place;
  await index.store.write(async (tx) => {
    const group = (await tx.get(thingGroups, [accountId, 'online'])) ?? assert.fail('no group');
    const query = group.query && { ...group.query, queryString: 'once:(valid' };
    await tx.put(thingGroups, { ...group, ...(query && { query }) });
    const metric = (await tx.get(fleetMetrics, [accountId, 'online'])) ?? assert.fail('no metric');
    await tx.put(fleetMetrics, { ...metric, queryString: 'once:(valid' });
  });
  await index.call('UpdateIndexingConfiguration', off);
  await index.call('DeleteFleetMetric', { metricName: 'online' });
  await index.call('UpdateIndexingConfiguration', { thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } });
});

test('a damaged record is left out, and keeps no other from being indexed', async () => {
  await using index = await IndexFixture.open();
  for (const thingName of ['a', 'broken', 'c']) await index.call('CreateThing', { thingName });
  index.damaged.add('broken');
  await index.call('UpdateIndexingConfiguration', { thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } });
  assert.deepEqual((await index.found('*')).toSorted(), ['a', 'c']);
  assert.equal((await index.call('DescribeIndex', { indexName: 'AWS_Things' })).indexStatus, 'ACTIVE');
  index.damaged.clear();
  await index.call('UpdateThing', { thingName: 'broken', attributePayload: { attributes: { floor: '1' } } });
  assert.deepEqual((await index.found('*')).toSorted(), ['a', 'broken', 'c']);
});

test('accounts do not see each other', async () => {
  await switchOn();
  await index.call('CreateThing', { thingName: 'mine' });
  await index.settled();
  const stranger = { ...(index as unknown as { caller: object }).caller, accountId: '210987654321' } as never;
  await index.refuses('ResourceNotFoundException', 'SearchIndex', { queryString: '*' }, /./, stranger);
  await index.call('UpdateIndexingConfiguration', { thingIndexingConfiguration: { thingIndexingMode: 'REGISTRY' } }, stranger);
  await index.settled();
  assert.deepEqual((await index.call('SearchIndex', { queryString: '*' }, stranger)).things, []);
});

/** All rows of the index, by names. */
function content(path: string): unknown {
  const file = new IndexFile(path, () => 0);
  const rows = file.rows({
    text: `SELECT indexes.name AS of, documents.name, documents.shown AS document, fields.name AS field,
        CASE typeof(value) WHEN 'blob' THEN hex(value) ELSE value END AS value, terms.shown
      FROM terms JOIN documents ON documents.id = terms.id JOIN fields ON fields.id = terms.field JOIN indexes ON indexes.id = documents.index_id
      ORDER BY indexes.name, documents.name, fields.name, value`,
    values: [],
  });
  file.close();
  return rows;
}

test('the index never drifts: after a thousand random changes it is what a rebuilt one is', async () => {
  await switchOn({ thingConnectivityIndexingMode: 'STATUS' });
  let seed = 11;
  const random = (n: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  const thing = (): string => `t${random(30)}`;
  const group = (): string => `g${random(6)}`;
  const steps: (() => Promise<unknown>)[] = [
    () => index.call('CreateThing', { thingName: thing(), attributePayload: { attributes: { a: String(random(5)) } } }),
    () =>
      index.call('UpdateThing', {
        thingName: thing(),
        attributePayload: { attributes: { b: String(random(5)) }, merge: random(2) === 0 },
      }),
    () => index.call('DeleteThing', { thingName: thing() }),
    () => index.call('CreateThingGroup', { thingGroupName: group() }),
    () => index.call('AddThingToThingGroup', { thingName: thing(), thingGroupName: group() }),
    () => index.call('RemoveThingFromThingGroup', { thingName: thing(), thingGroupName: group() }),
    () =>
      index.call('UpdateThingGroup', {
        thingGroupName: group(),
        thingGroupProperties: { thingGroupDescription: `d${random(9)}` },
      }),
    async () => index.follower.connected(index.connection(thing())),
    async () => index.follower.disconnected(index.connection(thing()), 'CLIENT_ERROR'),
  ];
  for (let i = 0; i < 1000; i += 1) await steps[random(steps.length)]?.().catch(() => undefined);
  await index.settled();
  const live = join(index.folder, 'live.db');
  for (const suffix of ['', '-wal']) copyFileSync(join(index.folder, `fleet-index.db${suffix}`), `${live}${suffix}`);
  const before = content(live);
  assert.ok(readFileSync(live).length > 0 && (before as unknown[]).length > 50);
  for (const thingIndexingMode of ['OFF', 'REGISTRY'] as const) {
    const thingConnectivityIndexingMode = thingIndexingMode === 'OFF' ? 'OFF' : 'STATUS';
    await index.call('UpdateIndexingConfiguration', {
      thingIndexingConfiguration: { thingIndexingMode, thingConnectivityIndexingMode },
      thingGroupIndexingConfiguration: { thingGroupIndexingMode: thingIndexingMode === 'OFF' ? 'OFF' : 'ON' },
    });
    await index.settled();
  }
  const rebuilt = join(index.folder, 'rebuilt.db');
  for (const suffix of ['', '-wal']) copyFileSync(join(index.folder, `fleet-index.db${suffix}`), `${rebuilt}${suffix}`);
  assert.deepEqual(before, content(rebuilt));
});
