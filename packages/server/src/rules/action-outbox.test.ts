/** Orders over a restart: what is stored of their time is wall time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { Journal } from '../store/journal.ts';
import type { Store } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { ActionOutbox } from './action-outbox.ts';
import { ActionRoles } from './action-roles.ts';
import { ActionError } from './actions/action-error.ts';
import type { KeptOrder } from './orders.ts';

const HOUR = 3_600_000;
const PLACE = { accountId: '000000000000', region: 'us-east-1' };
/** Wall time at which the message came. */
const RECEIVED = 1_760_000_000_000;

const order: KeptOrder = {
  id: 'o',
  place: PLACE,
  ruleName: 'r',
  key: 'sqs',
  index: 0,
  parameters: { roleArn: 'arn:aws:iam::000000000000:role/r', queueUrl: 'https://sqs.us-east-1.amazonaws.com/000000000000/q' },
  isJson: true,
  payload: Buffer.from('{}'),
  message: { topic: 't', payload: Buffer.from('{}'), receivedAt: RECEIVED, traceId: 't' },
};

/** A run of the server that begins so long after the message; IAM can't be asked in it, so that no order is done. */
async function run(store: Store, hoursLater: number) {
  const log = pino({ level: 'silent' });
  const time = { monotonic: 5000 };
  const clock = { now: () => RECEIVED + hoursLater * HOUR + time.monotonic - 5000, monotonic: () => time.monotonic };
  const journal = new Journal({ store, clock, log });
  const ended: string[] = [];
  const away = () => Promise.reject(new ActionError('away', true));
  const outbox = new ActionOutbox({
    store,
    journal,
    clock,
    log,
    tools: () => assert.fail('no action gets so far'),
    actionRoles: new ActionRoles({ ask: away }, away),
    tells: () => false,
    evaluate: () => Promise.resolve(),
    recovered: { done: () => void ended.push('done'), failed: (_, { message }) => void ended.push(message) },
  });
  await outbox.load();
  const pass = async (hours: number): Promise<void> => {
    for (let steps = hours * 20; steps > 0; steps -= 1) {
      time.monotonic += HOUR / 20;
      outbox.tick();
      await setImmediate();
      await setImmediate();
    }
  };
  return { outbox, journal, ended, pass };
}

test('a durable order is tried for a day of wall time, however often the server is started meanwhile', async () => {
  await using store = await openSqliteStore({ path: ':memory:' });
  const first = await run(store, 0);
  const end = { done: () => assert.fail(), failed: () => assert.fail() };
  assert.equal(first.outbox.put(order, true, end), true);
  assert.deepEqual([...first.outbox.waiting], [['SqsAction', 1]]);
  await first.pass(2);
  await first.journal.committed();
  first.outbox.close();
  const second = await run(store, 10);
  await second.pass(2);
  assert.deepEqual(second.ended, []);
  second.outbox.close();
  const third = await run(store, 20);
  await third.pass(3);
  assert.deepEqual(third.ended, [], 'an hour is left');
  await third.pass(2);
  assert.deepEqual(third.ended, ['away']);
  third.outbox.close();
});

test('an order that is found after more than a day is tried four times all the same', async () => {
  await using store = await openSqliteStore({ path: ':memory:' });
  const first = await run(store, 0);
  assert.equal(first.outbox.put(order, true, { done: () => {}, failed: () => {} }), true);
  await first.journal.committed();
  first.outbox.close();
  const late = await run(store, 30);
  for (let i = 0; i < 3; i += 1) {
    await late.pass(0.05);
    assert.deepEqual(late.ended, []);
  }
  await late.pass(1);
  assert.deepEqual(late.ended, ['away']);
  late.outbox.close();
});
