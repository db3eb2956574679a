/** A flood that visits many receivers leaves the event loop to others, and loses nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { publishPacket, TestBench } from '../test-bench.ts';
import { LoopBudget } from './loop-budget.ts';

const FEW = 100;
const MANY = 10_000;

test('beyond its share a turn puts off what comes; who sends little goes first, and who sends much is not left out', async () => {
  let now = 0;
  const budget = new LoopBudget({ now: () => now, monotonic: () => now });
  const busy = (milliseconds: number): void => {
    budget.add(MANY);
    now += milliseconds;
    budget.add(MANY);
  };
  busy(9);
  assert.equal(budget.isExhaustedFor(MANY), false);
  busy(2);
  assert.equal(budget.isExhaustedFor(MANY), true);
  assert.equal(budget.isExhaustedFor(FEW), false, 'a few bytes are not worth a delay');
  const went: string[] = [];
  const defer = (name: string, unread: number): void => {
    const readDeferred = (): void => {
      went.push(name);
      busy(6);
    };
    budget.defer({ owner: undefined, unread, readDeferred });
  };
  defer('first', MANY);
  defer('second', MANY);
  defer('third', MANY);
  defer('small', FEW);
  assert.deepEqual(went, []);
  await setImmediate();
  assert.deepEqual(went, ['small', 'first']);
  await setImmediate();
  assert.deepEqual(went, ['small', 'first', 'second', 'third']);
  busy(30);
  busy(20);
  assert.equal(budget.isExhaustedFor(FEW), true);
});

test('accounts take turns, whatever each has waiting', async () => {
  let now = 0;
  const budget = new LoopBudget({ now: () => now, monotonic: () => now });
  const went: string[] = [];
  const [many, few] = [{}, {}];
  const defer = (owner: object, name: string): void => {
    const readDeferred = (): void => {
      went.push(name);
      budget.add(MANY);
      now += 6;
      budget.add(MANY);
    };
    budget.defer({ owner, unread: MANY, readDeferred });
  };
  for (let i = 0; i < 6; i += 1) defer(many, `many ${i}`);
  defer(few, 'few');
  defer(few, 'few again');
  await setImmediate();
  assert.deepEqual(went, ['many 0', 'few']);
  await setImmediate();
  assert.deepEqual(went, ['many 0', 'few', 'many 1', 'few again']);
});

test('an account whose chunks are larger than those of all others has its turn too', async () => {
  let now = 0;
  const budget = new LoopBudget({ now: () => now, monotonic: () => now });
  const served = new Map<string, number>();
  const owners = { one: {}, two: {}, large: {} };
  let isOver = false;
  const defer = (name: keyof typeof owners, unread: number): void => {
    const readDeferred = (): void => {
      served.set(name, (served.get(name) ?? 0) + 1);
      budget.add(MANY);
      now += 6;
      budget.add(MANY);
      if (!isOver) defer(name, unread);
    };
    budget.defer({ owner: owners[name], unread, readDeferred });
  };
  defer('large', 60_000);
  defer('one', 2_000);
  defer('two', 2_000);
  for (let i = 0; i < 60; i += 1) await setImmediate();
  isOver = true;
  const counts = [...served.values()];
  assert.equal(counts.length, 3);
  assert.ok(Math.min(...counts) * 2 > Math.max(...counts), `${counts}`);
});

test('a few large messages to a few receivers are as much work as many small ones', () => {
  let now = 0;
  const budget = new LoopBudget({ now: () => now, monotonic: () => now });
  const send = (bytes: number): void => {
    for (let i = 0; i < 5; i += 1) {
      budget.add(20, bytes);
      now += 10;
    }
  };
  send(200);
  assert.equal(budget.isExhaustedFor(MANY), false);
  send(216 * 1024);
  assert.equal(budget.isExhaustedFor(MANY), true);
});

test('messages that were put off arrive, in order, and their publisher is not read from meanwhile', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', '#', 1);
  const publisher = await bench.connected('p');
  bench.busy(100);
  publisher.send(publishPacket('a', '1', { qos: 1, messageId: 1 }), publishPacket('b', '2', { qos: 1, messageId: 2 }));
  assert.equal(publisher.channel.paused, true);
  publisher.client.receive(Buffer.concat(publisher.encoded(publishPacket('a', '3', { qos: 1, messageId: 3 }))));
  assert.deepEqual(subscriber.publishes(), []);
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    ['1', '2', '3'],
  );
  assert.equal(publisher.channel.paused, false);
});

test('what was put off is heard though the peer has gone meanwhile: a DISCONNECT takes the will back', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', '#');
  const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false };
  const publisher = await bench.connected('p', { will });
  bench.busy(100);
  publisher.send(publishPacket('a', '1'), { cmd: 'disconnect' });
  publisher.client.ended();
  await bench.settle();
  assert.deepEqual(
    watcher.publishes().map(({ topic }) => topic),
    ['a'],
  );
});
