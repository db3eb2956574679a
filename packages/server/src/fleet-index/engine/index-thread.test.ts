/** The index's thread: whose calls are refused, and whose are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { CallQueue } from './call-queue.ts';
import { IndexThread } from './index-thread.ts';

const open = (clock: Pick<Clock, 'monotonic'> = systemClock) =>
  new IndexThread({ path: ':memory:', clock, onNew: () => undefined, log: { warn: () => undefined } });
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

/**
 * The calls of a queue in the order in which they are taken; each takes so long, and another of its owner follows if it says
 * so.
 */
function order(calls: readonly string[], takes: (owner: string) => number, again: (call: string) => string | undefined) {
  const queue = new CallQueue<string>();
  const add = (call: string): unknown => queue.add(call.slice(0, 1), call, 100);
  for (const call of calls) add(call);
  const taken: string[] = [];
  for (let next = queue.take(); next !== undefined && taken.length < 50; next = queue.take()) {
    taken.push(next.call);
    queue.charge(next.owner, takes(next.owner));
    const more = again(next.call);
    if (more !== undefined) add(more);
  }
  return taken;
}

test('owners of calls that take as long take turns', () => {
  const calls = ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'];
  for (const time of [0, 5])
    assert.deepEqual(
      order(
        calls,
        () => time,
        () => undefined,
      ),
      ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'],
    );
});

test('an owner has so many calls that wait, and no more', () => {
  const queue = new CallQueue<string>();
  for (const call of ['a1', 'a2', 'a3']) assert.equal(queue.add('a', call, 3), true);
  assert.equal(queue.add('a', 'a4', 3), false);
});

test('an owner of slow calls has no more of the thread than one of fast calls', () => {
  const calls = ['s1', 's2', 's3', ...Array.from({ length: 20 }, (_, i) => `f${i}`)];
  const taken = order(
    calls,
    (owner) => (owner === 's' ? 100 : 10),
    () => undefined,
  );
  assert.deepEqual(
    ['s1', 's2', 's3'].map((call) => taken.indexOf(call)),
    [0, 11, 22],
    'ten fast calls for each slow one',
  );
});

test('an owner that always has one slow call owes its time to those that wait', () => {
  const calls = ['s', ...Array.from({ length: 20 }, (_, i) => `f${i}`)];
  const taken = order(
    calls,
    (owner) => (owner === 's' ? 100 : 10),
    (call) => (call === 's' ? 's' : undefined),
  );
  assert.deepEqual([taken.indexOf('s', 1), taken.indexOf('s', 12)], [11, 22]);
});

test('an owner that comes late has saved nothing up, and one that had the thread to itself owes nothing', () => {
  const queue = new CallQueue<string>();
  queue.add('a', 'a', 9);
  queue.take();
  queue.charge('a', 60_000);
  assert.equal(queue.take(), undefined);
  for (const call of ['a1', 'a2', 'b1', 'b2']) queue.add(call.slice(0, 1), call, 9);
  const taken = Array.from({ length: 4 }, () => {
    const next = queue.take();
    queue.charge(next?.owner ?? '', 10);
    return next?.call;
  });
  assert.deepEqual(taken, ['a1', 'b1', 'a2', 'b2']);
});

test('time is counted by the clock, from the beginning of a call to its answer', async () => {
  let now = 0;
  const clock = { monotonic: () => now };
  await using thread = open(clock);
  const [slow, fast] = [keyOf('000000000000'), keyOf('111111111111')];
  await thread.call('search', slow, all, 0, 10);
  const done: string[] = [];
  const note = (name: string) => () => done.push(name);
  const calls = [
    thread.call('search', slow, all, 0, 10).then(note('slow')),
    thread.call('search', slow, all, 0, 10).then(note('slow')),
    ...Array.from({ length: 3 }, () => thread.call('search', fast, all, 0, 10).then(note('fast'))),
  ];
  // The first is under way.
  now += 1_000;
  await Promise.all(calls);
  assert.deepEqual(done, ['slow', 'fast', 'fast', 'fast', 'slow']);
});
