/** Calls are counted by operation and class of status, and what is no operation is one series, however many there are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallFigures } from './call-figures.ts';

test('answers are counted by their class, with their time', () => {
  let now = 0;
  const calls = new CallFigures({ now: () => now, monotonic: () => now });
  for (const status of [200, 204, 404, 503]) {
    const ended = calls.begin('api');
    now += 30;
    ended(status, 'iot', 'CreateThing');
  }
  calls.begin('https')(400);
  const [thing, other] = [...calls.all];
  assert.deepEqual(
    [...(thing?.statuses ?? [])],
    [
      [2, 2],
      [4, 1],
      [5, 1],
    ],
  );
  assert.deepEqual([thing?.time.cumulative.at(-1), thing?.time.sum.toFixed(2)], [4, '0.12']);
  assert.deepEqual([other?.port, other?.service, other?.operation], ['https', '', '']);
});

test('names beyond the bound share one series', () => {
  const calls = new CallFigures({ now: () => 0, monotonic: () => 0 });
  for (let i = 0; i < 3_000; i += 1) calls.begin('api')(200, 'iot', `Operation${i}`);
  const all = [...calls.all];
  assert.equal(all.length, 2_001);
  assert.equal(all.at(-1)?.statuses.get(2), 1_000);
});
