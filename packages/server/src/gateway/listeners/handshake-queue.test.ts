/** What comes in a burst begins a few at a time; nobody is left out, nobody overtakes, and who stands still is no obstacle. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { HandshakeQueue } from './handshake-queue.ts';

const open = (perTurn: number, underWay: number) => {
  const begun: number[] = [];
  const queue = new HandshakeQueue<number>({ perTurn, underWay, patience: 50, begin: (item) => void begun.push(item) });
  return { begun, queue };
};

test('a burst begins in order, so many in each turn of the event loop', async () => {
  const { begun, queue } = open(3, 100);
  for (let n = 0; n < 8; n += 1) queue.offer(n);
  const seen = [begun.length];
  for (let turn = 0; turn < 3; turn += 1) {
    await setImmediate();
    seen.push(begun.length);
  }
  assert.deepEqual(seen, [3, 6, 8, 8]);
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('no more than so many are under way: the next begins when one has ended', async () => {
  const { begun, queue } = open(10, 2);
  for (let n = 0; n < 4; n += 1) queue.offer(n);
  await setImmediate();
  assert.deepEqual(begun, [0, 1]);
  queue.ended(1);
  await setImmediate();
  assert.deepEqual(begun, [0, 1, 2]);
  queue.ended(1);
  await setImmediate();
  assert.deepEqual(begun, [0, 1, 2], 'one ends once');
});

test('who lets us wait keeps nobody out', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { begun, queue } = open(10, 2);
  for (let n = 0; n < 4; n += 1) queue.offer(n);
  t.mock.timers.tick(50);
  assert.deepEqual(begun, [0, 1, 2, 3]);
});
