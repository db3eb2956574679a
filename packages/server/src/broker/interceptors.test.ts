/** Interceptors: several of them see the messages of a topic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JOURNAL_PENDING, type MessageInterceptor, NOTHING_PENDING } from './messaging.ts';
import { publishPacket, TestBench } from './test-bench.ts';

const seeing = (wanted: string, seen: string[], name: string): MessageInterceptor => ({
  on: (_place, topic) =>
    topic !== wanted
      ? undefined
      : {
          weight: 1,
          take: (batch) => {
            for (let i = 0; i < batch.count; i += 1)
              seen.push(`${name} ${String(batch.bytes.subarray(batch.payloadAt(i), batch.at[i + 1]))}`);
            return NOTHING_PENDING;
          },
        },
});

test('each interceptor of a topic sees each message; of another topic none does', async () => {
  const bench = await TestBench.open();
  await using _ = bench;
  const seen: string[] = [];
  bench.broker.messaging.addInterceptor(seeing('a', seen, 'first'));
  const peer = await bench.connected('publisher');
  peer.send(publishPacket('a', '1'));
  await bench.settle();
  // A topic that is known already gets one that comes later, too.
  bench.broker.messaging.addInterceptor(seeing('a', seen, 'second'));
  bench.broker.messaging.addInterceptor(seeing('b', seen, 'third'));
  peer.send(publishPacket('a', '2'), publishPacket('c', '3'), publishPacket('b', '4'));
  await bench.settle();
  assert.deepEqual(seen, ['first 1', 'first 2', 'second 2', 'third 4']);
  const place = { accountId: '000000000000', region: 'us-east-1' };
  assert.deepEqual(
    [bench.broker.messaging.hasReceivers(place, 'b'), bench.broker.messaging.hasReceivers(place, 'c')],
    [true, false],
  );
});

test('what the server publishes itself says what has to be stored of it', async () => {
  const bench = await TestBench.open();
  await using _ = bench;
  const kept = await bench.subscribed('kept', 'a', 1, { clean: false });
  const place = { accountId: '000000000000', region: 'us-east-1' };
  const { messaging } = bench.broker;
  assert.equal(messaging.publish(place, 'a', Buffer.from('0')), NOTHING_PENDING);
  assert.equal(messaging.stored(NOTHING_PENDING), undefined);
  const pending = messaging.publish(place, 'a', Buffer.from('1'), 1);
  assert.equal(pending, JOURNAL_PENDING);
  await messaging.stored(pending);
  await bench.settle();
  assert.deepEqual(
    kept.publishes().map(({ payload }) => payload),
    ['0', '1'],
  );
});
