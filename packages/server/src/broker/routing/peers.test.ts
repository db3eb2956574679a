/** Other nodes as targets of the router, played by the test: what they want, what they have stored, and when they fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import type { PublishBatch } from '../message/publish-batch.ts';
import type { Waiter } from '../messaging.ts';
import { publishPacket, TestBench } from '../test-bench.ts';
import type { PeerNode, Peers } from './peers.ts';

class FakeNode implements PeerNode {
  /** Payloads as they came, with their QoS. */
  readonly got: string[] = [];
  readonly answers: PromiseWithResolvers<void>[] = [];
  readonly waiters: Waiter[] = [];
  isCongested = false;

  send(_place: object, batch: PublishBatch): Promise<void> | undefined {
    for (let i = 0; i < batch.count; i += 1)
      this.got.push(`${batch.bytes.subarray(batch.payloadAt(i), batch.at[i + 1])} ${batch.qos}`);
    if (batch.qos === 0) return undefined;
    const answer = Promise.withResolvers<void>();
    this.answers.push(answer);
    return answer.promise;
  }

  wait(waiter: Waiter): void {
    this.waiters.push(waiter);
  }

  check(): 'done' {
    for (const waiter of this.waiters.splice(0)) waiter.resumeReading();
    return 'done';
  }
}

/** A bench with one other node, which wants what begins with `far`. */
const open = async () => {
  const bench = await TestBench.open();
  const node = new FakeNode();
  const asked: string[] = [];
  const peers = {
    generation: 1,
    wanting: (_place: object, topic: string) => {
      asked.push(topic);
      return topic.startsWith('far') ? [node] : [];
    },
  } satisfies Peers;
  bench.peers = peers;
  return { bench, node, asked, peers };
};
const qos1 = (topic: string, messageId: number): Packet => publishPacket(topic, `m${messageId}`, { qos: 1, messageId });

test('QoS 1 is acknowledged after the other node has stored it, in order with the others', async () => {
  const { bench, node } = await open();
  await using _ = bench;
  const kept = await bench.subscribed('kept', 'far/#', 1, { clean: false });
  const device = await bench.connected('device');
  device.send(qos1('far/a', 1), qos1('near', 2), qos1('far/b', 3));
  await bench.settle();
  assert.deepEqual([node.got, device.packets()], [['m1 1', 'm3 1'], []]);
  assert.equal(kept.publishes().length, 2);
  node.answers[1]?.resolve();
  await bench.settle();
  assert.deepEqual(device.packets(), []);
  node.answers[0]?.resolve();
  await bench.settle();
  assert.deepEqual(
    device.packets().map(({ cmd, messageId }) => `${cmd} ${messageId}`),
    ['puback 1', 'puback 2', 'puback 3'],
  );
});

test('a node that fails to store closes the publisher without PUBACK', async () => {
  const { bench, node } = await open();
  await using _ = bench;
  const device = await bench.connected('device');
  device.send(qos1('far/a', 1), qos1('near', 2));
  await bench.settle();
  node.answers[0]?.reject(new Error('the node has gone'));
  await bench.settle();
  assert.deepEqual([device.packets(), device.channel.closed], [[], true]);
});

test('a message alone waits too, and so does the API', async () => {
  const { bench, node } = await open();
  await using _ = bench;
  const device = await bench.connected('device');
  device.send(publishPacket('far/a', 'dup', { qos: 1, messageId: 5, dup: true }));
  await bench.settle();
  assert.deepEqual(device.packets(), []);
  node.answers[0]?.resolve();
  await bench.settle();
  assert.equal(device.packets()[0]?.cmd, 'puback');
});

test('QoS 0 is sent and not waited for; a congested node holds the publisher back', async () => {
  const { bench, node } = await open();
  await using _ = bench;
  const device = await bench.connected('device');
  device.send(publishPacket('far/a', 'x'), qos1('near', 2));
  await bench.settle();
  assert.deepEqual([node.got, device.packets().length, device.channel.paused], [['x 0'], 1, false]);
  node.isCongested = true;
  device.send(publishPacket('far/a', 'y'));
  await bench.settle();
  assert.equal(device.channel.paused, true);
  await bench.pass(1);
  assert.equal(device.channel.paused, false);
});

test('what a node wants is asked for once per topic, until that changes; subscriptions have no part in it', async () => {
  const { bench, node, asked, peers } = await open();
  await using _ = bench;
  const device = await bench.connected('device');
  device.send(publishPacket('far/a', '1'), publishPacket('near', '2'));
  await bench.settle();
  await bench.subscribed('here', '#');
  device.send(publishPacket('far/a', '3'), publishPacket('near', '4'));
  await bench.settle();
  const known = asked.filter((topic) => topic === 'far/a' || topic === 'near');
  assert.deepEqual(
    [known, node.got],
    [
      ['far/a', 'near'],
      ['1 0', '3 0'],
    ],
  );
  peers.generation += 1;
  device.send(publishPacket('far/a', '5'));
  await bench.settle();
  assert.equal(asked.at(-1), 'far/a');
  const place = { accountId: '000000000000', region: 'us-east-1' };
  assert.equal(bench.broker.messaging.hasReceivers(place, 'far/else'), true);
});
