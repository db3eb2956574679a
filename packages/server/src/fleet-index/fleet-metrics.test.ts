/**
 * Fleet metrics: as the API takes them, and what comes of them by the clock (facts 33; developer guide,
 * managing-fleet-metrics).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { caller, stranger } from '../testing/operations-fixture.ts';
import { fleetMetricEmission, fleetMetricFigures } from './fleet-metric-emission.ts';
import { IndexFixture } from './fleet-index.fixture.ts';
import { fleetMetricPoints, fleetMetrics, MAX_POINTS } from './store.ts';

type Created = IotOperations['CreateFleetMetric']['input'];

const MINUTE = 60_000;
const { signal } = new AbortController();
const arn = (name: string): string => `arn:aws:iot:us-east-1:${caller.accountId}:fleetmetric/${name}`;

const COUNT: Created = {
  metricName: 'cold',
  queryString: 'attributes.temperature<10',
  aggregationType: { name: 'Statistics', values: ['count', 'sum', 'average'] },
  aggregationField: 'attributes.temperature',
  period: 60,
};

const indexing = (customFields = [{ name: 'attributes.temperature', type: 'Number' as const }], connectivity = true) => ({
  thingIndexingConfiguration: {
    thingIndexingMode: 'REGISTRY' as const,
    thingConnectivityIndexingMode: connectivity ? ('STATUS' as const) : ('OFF' as const),
    customFields,
  },
});

/** An index of three things with temperatures 5, 7 and 20. */
async function openIndex(): Promise<IndexFixture> {
  const bench = await IndexFixture.open();
  await bench.call('UpdateIndexingConfiguration', indexing());
  for (const temperature of ['5', '7', '20'])
    await bench.call('CreateThing', { thingName: `t${temperature}`, attributePayload: { attributes: { temperature } } });
  await bench.settled();
  return bench;
}

const emission = (bench: IndexFixture) =>
  fleetMetricEmission({
    clock: bench.clock,
    fleetIndex: bench.fleetIndex,
    inRegion: () => bench.store,
    regions: async () => [caller.region],
    log: { warn: (_members, text) => bench.warnings.push(text) },
  });

/** Moves the clock on, and has what is due evaluated. */
async function after(bench: IndexFixture, minutes: number): Promise<void> {
  bench.clock.at += minutes * MINUTE;
  await emission(bench).run(signal);
}

const points = async (bench: IndexFixture, metricName = 'cold') =>
  (
    await bench.store.read((tx) => tx.scan(fleetMetricPoints, { index: 'byTime', prefix: [caller.accountId, metricName] }))
  ).items.map(({ at, values }) => [new Date(at).toISOString().slice(11, 19), values]);

describe('the operations', () => {
  test('create, describe, list, delete', async () => {
    await using bench = await openIndex();
    const named = { metricName: 'cold', metricArn: arn('cold') };
    assert.deepEqual(await bench.call('CreateFleetMetric', { ...COUNT, description: 'cold things', unit: 'Count' }), named);
    const { creationDate, lastModifiedDate, ...told } = await bench.call('DescribeFleetMetric', { metricName: 'cold' });
    assert.deepEqual(told, {
      ...COUNT,
      ...{ description: 'cold things', unit: 'Count', version: 1, metricArn: arn('cold') },
      ...{ queryVersion: '2017-09-30', indexName: 'AWS_Things' },
    });
    assert.deepEqual([creationDate, lastModifiedDate], [new Date(bench.clock.at), new Date(bench.clock.at)]);
    await bench.call('CreateFleetMetric', { ...COUNT, metricName: 'another' });
    const { fleetMetrics: page, nextToken } = await bench.call('ListFleetMetrics', { maxResults: 1 });
    assert.deepEqual(page, [{ metricName: 'another', metricArn: arn('another') }]);
    assert.deepEqual((await bench.call('ListFleetMetrics', { nextToken })).fleetMetrics, [named]);
    assert.deepEqual((await bench.call('ListFleetMetrics', {}, stranger)).fleetMetrics, []);
    await bench.refuses('VersionConflictException', 'DeleteFleetMetric', { metricName: 'cold', expectedVersion: 2 });
    await bench.call('DeleteFleetMetric', { metricName: 'cold', expectedVersion: 1 });
    await bench.call('DeleteFleetMetric', { metricName: 'cold' });
    await bench.refuses('ResourceNotFoundException', 'DescribeFleetMetric', { metricName: 'cold' });
  });

  test('the same again is the one that there is, another one of its name is not', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    await bench.call('CreateFleetMetric', { ...COUNT, indexName: 'AWS_Things', unit: 'None' });
    await bench.refuses('ResourceAlreadyExistsException', 'CreateFleetMetric', { ...COUNT, period: 120 });
  });

  test('update: what is given, with a version more', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    const update = { metricName: 'cold', indexName: 'AWS_Things' };
    await bench.call('UpdateFleetMetric', { ...update, period: 300, description: 'slower', expectedVersion: 1 });
    const told = await bench.call('DescribeFleetMetric', { metricName: 'cold' });
    assert.deepEqual([told.version, told.period, told.description, told.queryString], [2, 300, 'slower', COUNT.queryString]);
    await bench.refuses('VersionConflictException', 'UpdateFleetMetric', { ...update, period: 60, expectedVersion: 1 });
    await bench.refuses('InvalidQueryException', 'UpdateFleetMetric', { ...update, queryString: 'a AND' });
    await bench.refuses('InvalidAggregationException', 'UpdateFleetMetric', { ...update, aggregationField: 'attributes.x' });
    await bench.refuses('ResourceNotFoundException', 'UpdateFleetMetric', { ...update, metricName: 'none' });
    await bench.refuses('ResourceNotFoundException', 'UpdateFleetMetric', { ...update, indexName: 'none' });
  });

  test('what can’t be asked for', async () => {
    await using bench = await openIndex();
    const unfit: [code: string, more: Partial<Created>][] = [
      ['InvalidQueryException', { queryString: '(' }],
      ['InvalidQueryException', { queryString: Array.from({ length: 13 }, (_, i) => `a${i}`).join(' ') }],
      ['InvalidQueryException', { queryVersion: '2020-01-01' }],
      ['ResourceNotFoundException', { indexName: 'none' }],
      ['ResourceNotFoundException', { indexName: 'AWS_ThingGroups' }],
      ['InvalidRequestException', { period: 90 }],
      ['InvalidAggregationException', { aggregationField: 'attributes.humidity' }],
      ['InvalidAggregationException', { aggregationType: { name: 'Statistics', values: ['median'] } }],
      ['InvalidAggregationException', { aggregationType: { name: 'Statistics', values: [] } }],
      ['InvalidAggregationException', { aggregationType: { name: 'Statistics', values: ['sum', 'sum'] } }],
      ['InvalidAggregationException', { aggregationType: { name: 'Cardinality', values: ['5'] } }],
      ['InvalidAggregationException', { aggregationType: { name: 'Percentiles', values: ['101'] } }],
      ['InvalidAggregationException', { aggregationType: { name: 'Percentiles', values: ['1', '2', '3', '4', '5', '6'] } }],
      [
        'InvalidAggregationException',
        { aggregationType: { name: 'Percentiles', values: ['50'] }, aggregationField: 'registry.thingTypeName' },
      ],
    ];
    for (const [code, more] of unfit) await bench.refuses(code, 'CreateFleetMetric', { ...COUNT, ...more });
    await bench.refuses('ResourceNotFoundException', 'CreateFleetMetric', COUNT, /indexing is off/, stranger);
    for (let i = 0; i < 100; i += 1) await bench.call('CreateFleetMetric', { ...COUNT, metricName: `m${i}` });
    await bench.refuses('LimitExceededException', 'CreateFleetMetric', COUNT);
  });

  test('an index, a source or a custom field that one uses is not taken away', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    const off = { thingIndexingConfiguration: { thingIndexingMode: 'OFF' as const } };
    await bench.refuses('InvalidRequestException', 'UpdateIndexingConfiguration', off, /fleet metric cold/);
    await bench.refuses('InvalidRequestException', 'UpdateIndexingConfiguration', indexing([]), /fleet metric cold/);
    await bench.call('UpdateIndexingConfiguration', indexing(undefined, false));
    await bench.call('UpdateIndexingConfiguration', indexing());
    const online = { ...COUNT, metricName: 'online', queryString: 'connectivity.connected:true' };
    await bench.settled();
    await bench.call('CreateFleetMetric', online);
    await bench.refuses(
      'InvalidRequestException',
      'UpdateIndexingConfiguration',
      indexing(undefined, false),
      /fleet metric online/,
    );
    for (const metricName of ['cold', 'online']) await bench.call('DeleteFleetMetric', { metricName });
    await bench.call('UpdateIndexingConfiguration', off);
  });
});

describe('the values', () => {
  test('come by the period, with its beginning as their time; a missed period stays empty', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    await after(bench, 0);
    assert.deepEqual(await points(bench), [], 'the first comes with the next period');
    await after(bench, 1);
    await after(bench, 0.5);
    const values = { count: 2, sum: 12, average: 6 };
    assert.deepEqual(await points(bench), [['12:01:00', values]]);
    await bench.call('DeleteThing', { thingName: 't7' });
    await bench.settled();
    await after(bench, 10);
    assert.deepEqual(await points(bench), [
      ['12:01:00', values],
      ['12:11:00', { count: 1, sum: 5, average: 5 }],
    ]);
    await bench.call('DeleteThing', { thingName: 't5' });
    await bench.settled();
    await after(bench, 1);
    // Developer guide: where no thing matches, count is 0 and nothing else is emitted.
    assert.deepEqual((await points(bench)).at(-1), ['12:12:00', { count: 0 }]);
  });

  test('percentiles and cardinality', async () => {
    await using bench = await openIndex();
    const aggregationType = { name: 'Percentiles' as const, values: ['0', '50', '100'] };
    await bench.call('CreateFleetMetric', { ...COUNT, queryString: '*', aggregationType });
    const different = { name: 'Cardinality' as const, values: [] };
    await bench.call('CreateFleetMetric', { ...COUNT, metricName: 'kinds', queryString: '*', aggregationType: different });
    await after(bench, 1);
    assert.deepEqual(await points(bench), [['12:01:00', { 0: 5, 50: 7, 100: 20 }]]);
    assert.deepEqual(await points(bench, 'kinds'), [['12:01:00', { cardinality: 3 }]]);
    const figures = [];
    for await (const each of fleetMetricFigures({ inRegion: () => bench.store, regions: async () => ['us-east-1'] }))
      figures.push([each.accountId, each.metricName, each.values]);
    assert.deepEqual(figures, [
      [caller.accountId, 'cold', { 0: 5, 50: 7, 100: 20 }],
      [caller.accountId, 'kinds', { cardinality: 3 }],
    ]);
  });

  test('the last 1,440 are kept, and go with their metric', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    const { accountId } = caller;
    const { at } = bench.clock;
    await bench.store.write(async (tx) => {
      for (let i = 0; i < MAX_POINTS; i += 1) {
        const slot = (at / MINUTE - i) % MAX_POINTS;
        await tx.put(fleetMetricPoints, { accountId, metricName: 'cold', slot, at: at - i * MINUTE, values: { count: 1 } });
      }
    });
    const [oldest] = await points(bench);
    await after(bench, 1);
    const kept = await points(bench);
    assert.equal(kept.length, MAX_POINTS);
    assert.notDeepEqual(kept[0], oldest);
    await bench.call('DeleteFleetMetric', { metricName: 'cold' });
    assert.deepEqual(await points(bench), []);
  });

  test('a metric that can’t be answered any more has none, and holds no other up', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    const [record] = (await bench.store.read((tx) => tx.scan(fleetMetrics, { prefix: [] }))).items;
    assert(record !== undefined);
    await bench.store.write(async (tx) => {
      await tx.put(fleetMetrics, { ...record, metricName: 'a', queryString: '(((' });
      await tx.put(fleetMetrics, { ...record, metricName: 'b', aggregationField: 'attributes.gone' });
      await tx.put(fleetMetrics, { ...record, metricName: 'c', accountId: stranger.accountId });
      // As an attacker of the data file, or a later release, might leave it.
      await tx.put(fleetMetrics, { ...record, metricName: 'd', aggregationType: null as never });
    });
    await after(bench, 1);
    assert.equal((await points(bench)).length, 1);
    for (const name of ['a', 'b', 'c', 'd']) assert.deepEqual(await points(bench, name), []);
    assert.deepEqual(bench.warnings, ['a fleet metric could not be evaluated']);
    await after(bench, 1);
    assert.equal((await points(bench)).length, 2);
  });

  test('a metric that changes or goes while it is evaluated keeps its change', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    bench.clock.at += MINUTE;
    const running = emission(bench).run(signal);
    await bench.call('UpdateFleetMetric', { metricName: 'cold', indexName: 'AWS_Things', period: 300 });
    await running;
    assert.equal((await bench.call('DescribeFleetMetric', { metricName: 'cold' })).period, 300);
    bench.clock.at += 5 * MINUTE;
    const again = emission(bench).run(signal);
    await bench.call('DeleteFleetMetric', { metricName: 'cold' });
    await again;
    assert.deepEqual((await bench.store.read((tx) => tx.scan(fleetMetrics, { prefix: [] }))).items, []);
  });

  test('an account whose evaluations take long holds no other up: it has five seconds of a look', async () => {
    await using bench = await openIndex();
    await bench.call('CreateFleetMetric', COUNT);
    const [record] = (await bench.store.read((tx) => tx.scan(fleetMetrics, { prefix: [] }))).items;
    assert(record !== undefined);
    // The slow account's come first: they are due before.
    await bench.store.write(async (tx) => {
      for (let i = 0; i < 80; i += 1) {
        const slow = { ...record, accountId: stranger.accountId, metricName: `m${i}`, dueAt: record.dueAt - 1 };
        await tx.put(fleetMetrics, slow);
      }
    });
    const asked: string[] = [];
    let isGone = false;
    const { thread } = bench.fleetIndex;
    const index = bench.fleetIndex.find(caller, 'AWS_Things');
    const slowIndex = {
      find: () => index,
      configurationOf: () => bench.fleetIndex.configurationOf(caller),
      thread: {
        callForServer: async (...args: Parameters<typeof thread.callForServer>) => {
          if (isGone) throw new ThingkeepError('ServiceUnavailableException', 'The index could not answer.');
          asked.push(args[0]);
          // Of the slow account each takes two seconds.
          if (asked.length <= 3) bench.clock.at += 2_000;
          return { count: 1 };
        },
      },
    };
    const options = {
      clock: bench.clock,
      fleetIndex: slowIndex as never,
      inRegion: () => bench.store,
      regions: async () => [caller.region],
      log: { warn: (_members: object, text: string) => bench.warnings.push(text) },
    };
    bench.clock.at += MINUTE;
    await fleetMetricEmission(options).run(signal);
    assert.equal(asked.length, 4, 'three of the slow account, one of the other');
    assert.equal((await points(bench)).length, 1);
    // A period whose evaluation ends without an answer has no value, and is not evaluated again: its query may be why.
    isGone = true;
    bench.clock.at += MINUTE;
    await fleetMetricEmission(options).run(signal);
    isGone = false;
    await fleetMetricEmission(options).run(signal);
    assert.equal((await points(bench)).length, 1);
    bench.clock.at += MINUTE;
    await fleetMetricEmission(options).run(signal);
    assert.equal((await points(bench)).length, 2);
    assert.deepEqual(bench.warnings, []);
  });
});
