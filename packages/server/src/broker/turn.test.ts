/** A flood that visits many receivers leaves the event loop to others, and loses nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { publishPacket, TestBench } from './test-bench.ts';
import { Turn } from './turn.ts';

test('beyond its share a turn puts off what comes, in order, and goes on in the next ones', async () => {
  const turn = new Turn();
  const went: number[] = [];
  turn.add(99_000);
  assert.equal(turn.spent, false);
  turn.add(2_000);
  assert.equal(turn.spent, true);
  for (const n of [1, 2, 3]) turn.defer({ goOn: () => (went.push(n), turn.add(60_000)) });
  assert.deepEqual(went, []);
  await setImmediate();
  assert.deepEqual(went, [1, 2]);
  await setImmediate();
  assert.deepEqual(went, [1, 2, 3]);
});

test('messages that were put off arrive, in order, and their publisher is not read from meanwhile', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', '#', 1);
  const publisher = await bench.connected('p');
  bench.broker.turn.add(1_000_000);
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
