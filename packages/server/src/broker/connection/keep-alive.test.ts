/** Keep-alive: who is silent for too long goes, by a clock that never jumps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishPacket, TestBench } from '../test-bench.ts';

const reasons = (packets: readonly object[]): unknown[] =>
  packets.map((p) => ('reasonCode' in p ? p.reasonCode : 'cmd' in p ? p.cmd : ''));

test('silence of one and a half keep-alives ends a connection [MQTT-3.1.2-24]; MQTT 5 is told 0x8D', async () => {
  await using bench = await TestBench.open();
  // Asked, and what is kept: 30 to 1200 seconds (General Reference, keep-alive interval).
  for (const level of [4, 5] as const)
    for (const [asked, kept] of [
      [1, 30],
      [60, 60],
      [1200, 1200],
      [0, 1200],
      [65_535, 1200],
    ] as const) {
      const peer = await bench.connected('c', { level, keepalive: asked });
      await bench.pass(kept * 1.5 - 1);
      assert.equal(peer.channel.closed, false, `keep-alive ${asked}`);
      await bench.pass(2);
      assert.equal(peer.channel.closed, true, `keep-alive ${asked}`);
      assert.deepEqual(reasons(peer.packets()), level === 5 ? [0x8d] : []);
    }
});

test('anything that comes counts as a sign of life, PINGREQ is answered [MQTT-3.12.4-1]', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.connected('c', { keepalive: 30 });
  for (let n = 0; n < 5; n += 1) {
    await bench.pass(40);
    if (n % 2 === 0) peer.send({ cmd: 'pingreq' });
    else peer.send(publishPacket('a', 'x'));
    await bench.settle();
    assert.deepEqual(reasons(peer.packets()), n % 2 === 0 ? ['pingresp'] : []);
  }
  assert.equal(peer.channel.closed, false);
});

test('what is sent to a client is no sign of its life', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('s', 'a', 0, { keepalive: 30 });
  const publisher = await bench.connected('p', { keepalive: 30 });
  for (let n = 0; n < 6; n += 1) {
    publisher.send(publishPacket('a', 'x'));
    await bench.pass(10);
  }
  assert.equal(subscriber.channel.closed, true);
  assert.equal(publisher.channel.closed, false);
});

test('a publisher that is held back is not taken for silent', async () => {
  await using bench = await TestBench.open();
  const publisher = await bench.connected('p', { keepalive: 30 });
  publisher.client.reading.pause();
  await bench.pass(100);
  assert.equal(publisher.channel.closed, false);
  publisher.client.reading.resume();
  assert.equal(publisher.channel.paused, false);
});
