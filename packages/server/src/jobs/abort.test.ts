/** Abort criteria (fact sheet 36.2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AbortCriterion, metCriterion } from './abort.ts';
import { NO_EXECUTIONS } from './states.ts';

const criterion = (
  failureType: AbortCriterion['failureType'],
  thresholdPercentage: number,
  minNumberOfExecutedThings: number,
): AbortCriterion => ({ failureType, thresholdPercentage, minNumberOfExecutedThings });

test('a criterion is met by the share of ended executions, once enough have ended', () => {
  const half = [criterion('FAILED', 50, 4)];
  const counts = { ...NO_EXECUTIONS, QUEUED: 90, IN_PROGRESS: 5 };
  assert.equal(metCriterion(half, counts), undefined);
  assert.equal(metCriterion(half, { ...counts, FAILED: 3 }), undefined);
  assert.equal(metCriterion(half, { ...counts, FAILED: 2, SUCCEEDED: 3 }), undefined);
  assert.equal(metCriterion(half, { ...counts, FAILED: 2, SUCCEEDED: 2 }), half[0]);
});

test('each kind of failure counts by itself, ALL counts the three together', () => {
  const counts = { ...NO_EXECUTIONS, FAILED: 1, REJECTED: 1, TIMED_OUT: 1, SUCCEEDED: 1 };
  for (const type of ['FAILED', 'REJECTED', 'TIMED_OUT'] as const) {
    assert.equal(metCriterion([criterion(type, 26, 1)], counts), undefined);
    assert.ok(metCriterion([criterion(type, 25, 1)], counts));
  }
  assert.ok(metCriterion([criterion('ALL', 75, 4)], counts));
  assert.equal(metCriterion([criterion('ALL', 75.01, 4)], counts), undefined);
});

test('two decimals are exact, and the first criterion that is met is given', () => {
  const counts = { ...NO_EXECUTIONS, FAILED: 1, SUCCEEDED: 2999 };
  assert.ok(metCriterion([criterion('FAILED', 0.03, 1)], counts));
  assert.equal(metCriterion([criterion('FAILED', 0.04, 1)], counts), undefined);
  assert.ok(metCriterion([criterion('FAILED', 0.07, 1)], { ...NO_EXECUTIONS, FAILED: 7, SUCCEEDED: 9993 }));
  const list = [criterion('REJECTED', 1, 1), criterion('ALL', 0.01, 1), criterion('FAILED', 0.01, 1)];
  assert.equal(metCriterion(list, counts), list[1]);
});

test('the least threshold is met by a failure, and never without one', () => {
  for (const percentage of [0.01, 0.004, Number.MIN_VALUE]) {
    assert.equal(metCriterion([criterion('ALL', percentage, 1)], { ...NO_EXECUTIONS, SUCCEEDED: 9 }), undefined);
    assert.ok(metCriterion([criterion('ALL', percentage, 1)], { ...NO_EXECUTIONS, SUCCEEDED: 9, FAILED: 1 }));
  }
});

test('canceled and removed executions have ended, and are no failures', () => {
  const counts = { ...NO_EXECUTIONS, CANCELED: 5, REMOVED: 4, FAILED: 1 };
  assert.ok(metCriterion([criterion('FAILED', 10, 10)], counts));
  assert.equal(metCriterion([criterion('FAILED', 11, 10)], counts), undefined);
});
