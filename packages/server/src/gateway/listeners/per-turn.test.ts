/** What comes in a burst begins a few at a time; nobody is left out, and nobody overtakes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { PerTurn } from './per-turn.ts';

test('a burst begins in order, so many in each turn of the event loop', async () => {
  const turns: number[][] = [[]];
  const begun: number[] = [];
  const paced = new PerTurn<number>(3, (item) => {
    begun.push(item);
    turns.at(-1)?.push(item);
  });
  for (let n = 0; n < 8; n += 1) paced.offer(n);
  while (begun.length < 8) {
    turns.push([]);
    await setImmediate();
  }
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.ok(turns.every((items) => items.length <= 3));
});

test('who comes alone waits for nothing', async () => {
  const begun: number[] = [];
  const paced = new PerTurn<number>(1, (item) => begun.push(item));
  paced.offer(1);
  assert.deepEqual(begun, [1]);
  await setImmediate();
  paced.offer(2);
  assert.deepEqual(begun, [1, 2]);
});
