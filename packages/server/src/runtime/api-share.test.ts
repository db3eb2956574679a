/** The share that functions have of the API's connections, with real sockets. */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { ApiShare, besideFunctions, shareOf } from './api-share.ts';

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve));

test('a process that has most makes way for one that has fewer, and for no other', async () => {
  const share = new ApiShare(16);
  const [greedy, modest] = [{}, {}];
  const sockets = Array.from({ length: 4 }, () => new Socket());
  assert.deepEqual(
    sockets.map((socket) => share.enter(greedy, socket)),
    [true, true, true, true],
  );
  assert.equal(share.enter(greedy, new Socket()), false);
  assert.equal(share.enter(modest, new Socket()), true);
  assert.equal(sockets[0]?.destroyed, true, 'the oldest');
  assert.equal(share.enter(modest, new Socket()), true);
  assert.equal(share.enter(modest, new Socket()), false, 'each has two');
  const [, , third] = sockets as [Socket, Socket, Socket, Socket];
  const end = closed(third);
  third.destroy();
  await end;
  assert.equal(share.enter(greedy, new Socket()), true);
});

test('what functions may have, and what that leaves of the files', () => {
  assert.deepEqual([1, 4, 40, 10_000, Number.POSITIVE_INFINITY].map(shareOf), [1, 1, 10, 512, 512]);
  assert.deepEqual([512, 3584, 20_000, Number.POSITIVE_INFINITY].map(besideFunctions), [
    292,
    2048,
    18_464,
    Number.POSITIVE_INFINITY,
  ]);
  for (const files of [100, 512, 3000, 9000]) {
    const bound = besideFunctions(files);
    assert.ok(bound + 3 * shareOf(bound) <= files);
  }
});
