/** Acknowledgements that wait go in the order of the messages, whatever is stored first; a failure ends all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { JOURNAL_PENDING, NOTHING_PENDING, PendingStorage } from '../messaging.ts';
import { AcknowledgementQueue, MAX_HELD } from './acknowledgement-queue.ts';

const open = () => {
  const commits: { done: () => void; failed: (error: unknown) => void }[] = [];
  const sent: string[] = [];
  const failures: unknown[] = [];
  const pauses: string[] = [];
  const queue = new AcknowledgementQueue({
    journal: { after: (done, failed) => commits.push({ done, failed }) },
    send: (bytes) => sent.push(Buffer.from(bytes).toString()),
    failed: (error) => failures.push(error),
    pause: () => pauses.push('pause'),
    resume: () => pauses.push('resume'),
  });
  const add = (name: string, pending: PendingStorage): void => queue.add(Buffer.from(name), pending);
  return { queue, add, commits, sent, failures, pauses };
};

test('what is stored early waits for those before it', async () => {
  const { queue, add, commits, sent } = open();
  const peer = Promise.withResolvers<void>();
  add('a', new PendingStorage(true, [peer.promise]));
  add('b', JOURNAL_PENDING);
  add('c', NOTHING_PENDING);
  commits[1]?.done();
  commits[0]?.done();
  await setImmediate();
  assert.deepEqual([sent, queue.isEmpty], [[], false]);
  peer.resolve();
  await setImmediate();
  assert.deepEqual([sent, queue.isEmpty], [['a', 'b', 'c'], true]);
});

test('a client with 1,000 acknowledgements that wait is not read from until they are sent', () => {
  const { queue, add, commits, sent, pauses } = open();
  add('first', JOURNAL_PENDING);
  for (let i = 1; i < MAX_HELD - 1; i += 1) add(`${i}`, NOTHING_PENDING);
  assert.deepEqual(pauses, []);
  add('last', NOTHING_PENDING);
  add('behind it', NOTHING_PENDING);
  assert.deepEqual(pauses, ['pause']);
  commits[0]?.done();
  assert.deepEqual([sent.length, sent[0], sent.at(-1), queue.isEmpty], [MAX_HELD + 1, 'first', 'behind it', true]);
  assert.deepEqual(pauses, ['pause', 'resume']);
});

test('after a failure nothing more is sent, and it is told once', async () => {
  const { queue, add, commits, sent, failures } = open();
  add('a', NOTHING_PENDING.and(new PendingStorage(false, [Promise.reject(new Error('gone'))])));
  add('b', JOURNAL_PENDING);
  await setImmediate();
  commits[0]?.failed(new Error('too'));
  assert.deepEqual([sent, queue.isEmpty, failures.map(String)], [[], true, ['Error: gone']]);
});

test('what is pending adds up, and costs nothing where it is the same', () => {
  const other = new PendingStorage(false, [Promise.resolve()]);
  assert.equal(NOTHING_PENDING.and(JOURNAL_PENDING), JOURNAL_PENDING);
  assert.equal(JOURNAL_PENDING.and(NOTHING_PENDING), JOURNAL_PENDING);
  assert.equal(JOURNAL_PENDING.and(JOURNAL_PENDING), JOURNAL_PENDING);
  const { journal, others } = JOURNAL_PENDING.and(other).and(other);
  assert.deepEqual([journal, others.length], [true, 2]);
});
