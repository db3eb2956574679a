/** A histogram counts each value once, in the first bucket whose bound is not below it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from './histogram.ts';

test('counts are cumulative, a bound belongs to its bucket, and the last count is that of all values', () => {
  const histogram = new Histogram([0.1, 1, 10]);
  assert.deepEqual([histogram.cumulative, histogram.sum], [[0, 0, 0, 0], 0]);
  for (const value of [0, 0.1, 0.5, 1, 9, 10.5, Number.POSITIVE_INFINITY]) histogram.observe(value);
  assert.deepEqual(histogram.cumulative, [2, 4, 5, 7]);
  assert.equal(histogram.sum, Number.POSITIVE_INFINITY);
});

test('histograms with the same bounds are added up', () => {
  const [a, b] = [new Histogram([1]), new Histogram([1])];
  a.observe(0.5);
  b.observe(2);
  b.observe(3);
  a.add(b);
  assert.deepEqual([a.cumulative, a.sum], [[1, 3], 5.5]);
});
