/** Aggregations over the index file (fact sheet, section 31), by AWS's published samples. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thingDocument } from '../documents/thing-document.ts';
import { parseIndexQuery } from '../query/parse.ts';
import { type AggregatedField, buckets, cardinality, percentiles, statistics } from './aggregates.ts';
import { IndexFile, type IndexKey } from './index-file.ts';

const KEY: IndexKey = { region: 'us-east-1', accountId: '111122223333', name: 'AWS_Things' };
const SOURCES = { connectivity: false, classicShadow: true, namedShadows: false, locations: [] };
const ALL = parseIndexQuery('AWS_Things', '*');
const of = (name: string, type: AggregatedField['type']): AggregatedField => ({ name, type });

/** A file of things whose shadows report each of the values as `v`. */
function fileOf(values: readonly unknown[], attributes: (i: number) => Record<string, string> = () => ({})): IndexFile {
  const file = new IndexFile(':memory:', () => 0);
  const documents = values.map((v, i) =>
    thingDocument(
      {
        ...{
          thingName: `t${String(i).padStart(5, '0')}`,
          thingId: `i${i}`,
          version: 1,
          groupNames: [],
          dynamicGroups: [],
          staticGroups: 0,
        },
        attributes: attributes(i),
        classicShadow: { reported: v === undefined ? {} : { v }, version: 1 },
      },
      SOURCES,
    ),
  );
  file.update(KEY, documents, []);
  return file;
}

const V = 'shadow.reported.v';

test('section 31.3: statistics of numbers, by the sample: variance is the population variance', () => {
  const file = fileOf([150, 75, -125, 'text', true, undefined]);
  const { stdDeviation, variance, average, ...rest } = statistics(file, KEY, ALL, of(V, 'Number'));
  assert.deepEqual(rest, { count: 3, sum: 100, minimum: -125, maximum: 150, sumOfSquares: 43_750 });
  assert.ok(Math.abs((average ?? 0) - 33.333_333) < 1e-6);
  assert.ok(Math.abs((variance ?? 0) - 13_472.222_222) < 1e-5);
  assert.ok(Math.abs((stdDeviation ?? 0) - 116.069_9) < 1e-4);
});

test('section 31.3: of texts only the count; of truth values five; of nothing the count 0; beyond doubles nothing', () => {
  const file = fileOf(['a', 'b', true, false, true, 3]);
  assert.deepEqual(statistics(file, KEY, ALL, of(V, 'String')), { count: 2 });
  assert.deepEqual(statistics(file, KEY, ALL, of(V, 'Boolean')), { count: 3, sum: 2, average: 2 / 3, minimum: 0, maximum: 1 });
  assert.deepEqual(statistics(file, KEY, ALL, of('shadow.reported.none', 'Number')), { count: 0 });
  assert.deepEqual(statistics(file, KEY, parseIndexQuery('AWS_Things', 'thingName:none'), of(V, 'Number')), { count: 0 });
  const huge = statistics(fileOf([1e308, 1e308]), KEY, ALL, of(V, 'Number'));
  assert.deepEqual(huge, { count: 2, minimum: 1e308, maximum: 1e308 });
});

test('section 31.3: large numbers that lie close lose no digits', () => {
  const { variance } = statistics(fileOf([1e9, 1e9 + 1, 1e9 + 2]), KEY, ALL, of(V, 'Number'));
  assert.ok(Math.abs((variance ?? 0) - 2 / 3) < 1e-9);
});

test('section 31.4: percentiles, by the sample of thirteen values', () => {
  const file = fileOf([...Array(4).fill(1), ...Array(5).fill(2), ...Array(4).fill(3)]);
  const given = percentiles(file, KEY, ALL, of(V, 'Number'), [30, 70, 0, 100]);
  assert.deepEqual(
    given.map(({ percent, value }) => [percent, Math.round(value * 1e6) / 1e6]),
    [
      [30, 1.4],
      [70, 2.6],
      [0, 1],
      [100, 3],
    ],
  );
  assert.deepEqual(percentiles(file, KEY, parseIndexQuery('AWS_Things', 'thingName:none'), of(V, 'Number'), [50]), []);
});

test('section 31.5, 31.6: distinct values and the most frequent ones, texts as they were written', () => {
  const file = fileOf(['Red', 'red', 'Blue', 'Blue', 'blue', 7, true], (i) => ({ n: String(i % 3) }));
  assert.equal(cardinality(file, KEY, ALL, of(V, 'String')), 2);
  assert.equal(cardinality(file, KEY, ALL, of('attributes.n', 'Number')), 3);
  assert.equal(cardinality(file, KEY, ALL, of('attributes.none', 'Number')), 0);
  assert.deepEqual(buckets(file, KEY, ALL, of(V, 'String'), 10), {
    totalCount: 7,
    buckets: [
      { keyValue: 'Blue', count: 3 },
      { keyValue: 'Red', count: 2 },
    ],
  });
  assert.deepEqual(buckets(file, KEY, ALL, of('attributes.n', 'Number'), 1), {
    totalCount: 7,
    buckets: [{ keyValue: '0', count: 3 }],
  });
  assert.deepEqual(buckets(file, KEY, ALL, of(V, 'Boolean'), 5).buckets, [{ keyValue: 'true', count: 1 }]);
});

test('a query of many documents and one of few give what the values say', () => {
  const file = fileOf(
    Array.from({ length: 12_000 }, (_, i) => i),
    (i) => ({ half: String(i % 2), rare: i % 1000 === 0 ? 'yes' : 'no' }),
  );
  const half = statistics(file, KEY, parseIndexQuery('AWS_Things', 'attributes.half:1'), of(V, 'Number'));
  assert.deepEqual([half.count, half.minimum, half.maximum, half.sum], [6000, 1, 11_999, 36_000_000]);
  const rare = statistics(file, KEY, parseIndexQuery('AWS_Things', 'attributes.rare:yes OR thingName:t00001'), of(V, 'Number'));
  assert.deepEqual([rare.count, rare.minimum, rare.maximum, rare.sum], [13, 0, 11_000, 66_001]);
});
