/** Answers to one request that come one by one: no faster than the requester reads (fact sheet 42.2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type TopicAnswer, topicService } from './messaging.ts';
import { publishPacket, TestBench, type TestPeer } from './test-bench.ts';

const GET = '$aws/things/lamp/streams/s/get/json';
const BLOCK = 64 * 1024;
/** More than waits for a client. */
const COUNT = 100;

/** A service with many large answers, and how many of them have been made. */
class Blocks {
  made = 0;
  hasEnded = false;

  readonly service = topicService('$aws/things/{thingName}/streams/{streamId}/get/json', () => this.#answers());

  async *#answers(): AsyncGenerator<TopicAnswer> {
    try {
      for (let i = 0; i < COUNT; i += 1) {
        this.made += 1;
        yield {
          topic: '$aws/things/lamp/streams/s/data/json',
          payload: Buffer.alloc(BLOCK, `${String(i).padStart(2, '0')} `),
          to: 'requester',
        };
      }
    } finally {
      this.hasEnded = true;
    }
  }
}

async function asked(bench: TestBench, qos: 0 | 1): Promise<TestPeer> {
  const device = await bench.connected('device');
  device.channel.stall(true);
  device.send(publishPacket(GET, '', qos === 1 ? { qos, messageId: 7 } : {}));
  await bench.settle();
  return device;
}

for (const qos of [0, 1] as const)
  test(`answers of QoS ${qos} wait for a client that does not read, and all come once it does`, async () => {
    const blocks = new Blocks();
    await using bench = await TestBench.open();
    bench.broker.messaging.serve([blocks.service]);
    const device = await asked(bench, qos);
    assert.ok(blocks.made < 30, `${blocks.made} were made for a client that takes nothing`);
    const got: number[] = [];
    device.channel.stall(false);
    for (let i = 0; i < COUNT && got.length < COUNT; i += 1) {
      for (const { payload, messageId } of device.publishes()) {
        got.push(Number(payload.slice(0, 2)));
        if (messageId !== undefined) device.send({ cmd: 'puback', messageId });
      }
      await bench.pass(0.1);
      await bench.settle();
    }
    for (const { payload } of device.publishes()) got.push(Number(payload.slice(0, 2)));
    assert.deepEqual(
      got,
      Array.from({ length: COUNT }, (_, i) => i),
    );
    assert.deepEqual([device.channel.closed, bench.faults], [false, []]);
  });

test('the rest is left out where the client takes nothing for five seconds, or has gone', async () => {
  for (const leaves of [false, true]) {
    const blocks = new Blocks();
    await using bench = await TestBench.open();
    bench.broker.messaging.serve([blocks.service]);
    const device = await asked(bench, 0);
    const { made } = blocks;
    if (leaves) device.client.ended();
    for (let i = 0; i < 51; i += 1) await bench.pass(0.1);
    assert.deepEqual([blocks.made, blocks.hasEnded], [made, true]);
  }
});

test('small answers are shared out over turns: other clients are served meanwhile', async () => {
  await using bench = await TestBench.open();
  const service = topicService('$aws/things/{thingName}/streams/{streamId}/get/json', async function* () {
    for (let i = 0; i < 1_000; i += 1)
      yield { topic: '$aws/things/lamp/streams/s/data/json', payload: Buffer.from(`${i}`), to: 'requester' };
  });
  bench.broker.messaging.serve([service]);
  const device = await bench.connected('device');
  device.send(publishPacket(GET, ''));
  let got = 0;
  const perTurn: number[] = [];
  for (let turn = 0; got < 1_000 && turn < 200; turn += 1) {
    await setImmediate();
    const count = device.publishes().length;
    got += count;
    perTurn.push(count);
  }
  assert.equal(got, 1_000);
  assert.ok(Math.max(...perTurn) <= 128, `${Math.max(...perTurn)} in one turn`);
});
