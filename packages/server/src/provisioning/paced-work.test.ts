/** Work that comes in bursts gives the event loop its turns, and what is under way and what waits are bounded. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { PacedWork } from './paced-work.ts';

test('two pieces in a turn, in order; one that fails holds up no other', async () => {
  const paced = new PacedWork();
  const done: number[] = [];
  const all = Array.from({ length: 7 }, (_, n) =>
    paced.run(async () => {
      done.push(n);
      if (n === 3) throw new Error('it fails');
      return n;
    }),
  );
  const settled = Promise.allSettled(all);
  await Promise.resolve();
  assert.deepEqual(done, [0, 1]);
  await setImmediate();
  assert.deepEqual(done, [0, 1, 2, 3]);
  assert.deepEqual((await settled).map(({ status }) => status).indexOf('rejected'), 3);
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(await paced.run(async () => 'later'), 'later');
});

test('eight are under way: the others begin as they end', async () => {
  const paced = new PacedWork();
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const all = Array.from({ length: 20 }, () =>
    paced.run(() => {
      begun += 1;
      return gate.promise;
    }),
  );
  for (let turn = 0; turn < 12; turn += 1) await setImmediate();
  assert.equal(begun, 8);
  gate.resolve();
  await Promise.all(all);
  assert.equal(begun, 20);
});

test('ten thousand wait, and no more', async () => {
  const paced = new PacedWork();
  const all = Array.from({ length: 10_003 }, () => paced.run(() => Promise.resolve()));
  assert.equal(all.indexOf(undefined), 10_002);
  await Promise.all(all);
});
