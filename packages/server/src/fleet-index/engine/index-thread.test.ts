/** The index's thread: whose calls are refused, and whose are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { CallQueue } from './call-queue.ts';
import { IndexThread } from './index-thread.ts';

const open = () => new IndexThread({ path: ':memory:', onNew: () => undefined, log: { warn: () => undefined } });
const keyOf = (accountId: string) => ({ region: 'us-east-1', accountId, name: 'AWS_Things' });
const all = { kind: 'all' } as const;

const refused = (outcomes: readonly PromiseSettledResult<unknown>[]): readonly string[] =>
  outcomes.flatMap((each) =>
    each.status === 'rejected' ? [each.reason instanceof ThingkeepError ? each.reason.code : String(each.reason)] : [],
  );

test('fifty searches of an account wait, and another account has its own', async () => {
  await using thread = open();
  const calls = Array.from({ length: 60 }, () => thread.call('search', keyOf('000000000000'), all, 0, 10));
  const other = thread.call('search', keyOf('111111111111'), all, 0, 10);
  // One is under way.
  assert.deepEqual(refused(await Promise.allSettled(calls)), Array(9).fill('ThrottlingException'));
  assert.deepEqual(await other, []);
});

test('calls of the server are not refused, however many accounts and dynamic groups there are', async () => {
  await using thread = open();
  const keys = Array.from({ length: 60 }, (_, i) => keyOf(String(i).padStart(12, '0')));
  const builds = keys.map((key) => thread.callForServer('names', key, '', 10));
  const groups = Array.from({ length: 100 }, () => thread.callForServer('search', keyOf('000000000000'), all, 0, 10));
  assert.deepEqual(refused(await Promise.allSettled([...builds, ...groups])), []);
});

test('owners of calls take turns', () => {
  const queue = new CallQueue<string>();
  for (const call of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.add(call.slice(0, 1), call, 3);
  assert.equal(queue.add('a', 'a4', 3), false);
  const taken = Array.from({ length: 7 }, () => queue.take());
  assert.deepEqual(taken, ['a1', 'b1', 'c1', 'a2', 'c2', 'a3', undefined]);
});
