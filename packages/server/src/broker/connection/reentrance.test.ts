/** One connection is read from at a time: bytes of another that may go on meanwhile wait for their turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishPacket, TestBench } from '../test-bench.ts';

test('a publisher that may go on in the middle of a delivery does not change what is delivered', async () => {
  await using bench = await TestBench.open();
  const stalled = await bench.subscribed('stalled', '#', 1);
  const others = await bench.subscribed('others', 'other');
  const nexts = await bench.subscribed('nexts', 'next');
  stalled.channel.stall(true);
  const waiting = await bench.connected('waiting');
  const large = Buffer.alloc(100_000, 'x');
  for (let i = 1; !waiting.channel.paused; i += 1) waiting.send(publishPacket('large', large, { qos: 1, messageId: i }));
  const [next] = waiting.encoded(publishPacket('next', 'next'));
  // A socket hands over at once what it has read meanwhile.
  let handed = 0;
  waiting.channel.onResume = () => {
    handed += 1;
    if (handed === 1 && next !== undefined) waiting.client.receive(next);
  };
  let sent = 0;
  while (handed === 0) {
    sent += 1;
    const publisher = await bench.connected(`p${sent}`);
    publisher.send(publishPacket('other', large, { qos: 1, messageId: 1 }));
  }
  await bench.settle();
  assert.equal(stalled.channel.closed, true);
  assert.deepEqual(
    others.publishes().map(({ topic, payload }) => `${topic} ${payload.length}`),
    Array.from({ length: sent }, () => `other ${large.length}`),
  );
  assert.deepEqual(
    nexts.publishes().map(({ topic, payload }) => `${topic} ${payload}`),
    ['next next'],
  );
});
