/** Quantiles, slopes and bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figure, isKept, quantile, slope, table } from './figures.ts';

test('a quantile is the sample that so many do not exceed', () => {
  const samples = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.deepEqual([quantile(samples, 0.5), quantile(samples, 0.99), quantile(samples, 1)], [50, 99, 100]);
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('a slope is found through noise that cancels out', () => {
  assert.equal(
    slope([
      [0, 1],
      [1, 4],
      [2, 5],
      [3, 8],
    ]),
    2.2,
  );
  assert.equal(
    slope([
      [5, 1],
      [5, 9],
    ]),
    0,
  );
  assert.equal(slope([]), 0);
});

test('a bound is kept up to itself, and by no figure that is missing', () => {
  assert.ok(isKept(figure('a', 5, 'ms', { most: 5, least: 5 })));
  assert.ok(!isKept(figure('a', 5.1, 'ms', { most: 5 })));
  assert.ok(!isKept(figure('a', Number.NaN, 'ms', { most: 5 })));
  assert.match(table([figure('a', 6, 'ms', { most: 5 })]), /\| a +\| +6 \| ms +\| at most 5 \| BROKEN \|/);
});
