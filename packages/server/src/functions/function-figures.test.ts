/** Calls of functions are counted by what came of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FunctionError } from './contract.ts';
import { FunctionCalls } from './function-figures.ts';

test('answers, faults and errors of our own; the time of each; what is under way', async () => {
  let now = 0;
  const calls = new FunctionCalls({ now: () => now, monotonic: () => now });
  const answered = await calls.count(
    async () => {
      now += 40;
      assert.equal(calls.running, 1);
      return 'x';
    },
    () => 'ok',
  );
  assert.equal(answered, 'x');
  await calls.count(
    async () => 'error',
    () => 'failed',
  );
  for (const fault of ['timeout', 'overload', 'refused'] as const)
    await assert.rejects(
      calls.count(
        () => Promise.reject(new FunctionError(fault, 'no')),
        () => 'ok',
      ),
    );
  await assert.rejects(
    calls.count(
      () => Promise.reject(new TypeError('ours')),
      () => 'ok',
    ),
  );
  assert.deepEqual(calls.results, { ok: 1, failed: 1, timeout: 1, overload: 1, refused: 1, unavailable: 1 });
  assert.deepEqual([calls.time.cumulative.at(-1), calls.time.sum, calls.running], [6, 0.04, 0]);
});
