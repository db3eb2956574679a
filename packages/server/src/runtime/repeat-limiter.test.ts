/** What repeats itself is let through now and then, and counted meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RepeatLimiter } from './repeat-limiter.ts';

test('some of a key within a time; the next one after it says how many were left out', () => {
  let now = 0;
  const repeats = new RepeatLimiter({ monotonic: () => now }, { max: 2, perMs: 1000 });
  const seen = (key: string): (number | undefined)[] => Array.from({ length: 4 }, () => repeats.admit(key));
  assert.deepEqual(seen('a'), [0, 0, undefined, undefined]);
  assert.deepEqual(seen('b'), [0, 0, undefined, undefined]);
  now = 1000;
  assert.deepEqual(seen('a'), [2, 0, undefined, undefined]);
});

test('no more keys are remembered than ten thousand', () => {
  const repeats = new RepeatLimiter({ monotonic: () => 0 }, { max: 1, perMs: 1000 });
  for (let i = 0; i < 10_001; i += 1) repeats.admit(`${i}`);
  assert.deepEqual([repeats.admit('10000'), repeats.admit('0')], [undefined, 0]);
});
