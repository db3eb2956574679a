/** Counters that begin with 0. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zeroCounters } from './zero-counters.ts';

test('each key has a counter of its own, in the order of the keys', () => {
  const counters = zeroCounters(['b', 'a']);
  counters.a += 1;
  assert.deepEqual(Object.entries(counters), [
    ['b', 0],
    ['a', 1],
  ]);
  assert.deepEqual(zeroCounters({ a: 'the first' }), { a: 0 });
});
