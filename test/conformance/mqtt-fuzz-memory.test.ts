/** 100,000 malformed MQTT inputs straight into the broker: it keeps serving, throws nothing, and keeps nothing. */
// suite: long
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { publishPacket, TestBench, type TestPeer } from '../../packages/server/src/broker/test-bench.ts';
import { fuzzConnect, fuzzInput, type Level } from './mqtt-fuzz-inputs.ts';

const SEED = Number(process.env.THINGKEEP_FUZZ_SEED ?? 7);
const INPUTS = Number(process.env.THINGKEEP_FUZZ_INPUTS ?? 100_000);

test(`${INPUTS} malformed packets, before and after CONNECT, leave the broker serving (seed ${SEED})`, async (t) => {
  await using bench = await TestBench.open();
  // An account of their own, and a subscription to all of it: nothing that strangers send may ever come here.
  for (const id of ['control-publisher', 'control-subscriber']) bench.admissions.set(id, { accountId: '111111111111' });
  const publisher = await bench.connected('control-publisher');
  const subscriber = await bench.subscribed('control-subscriber', '#', 1, { level: 5 });
  const roundTrip = async (index: number): Promise<void> => {
    publisher.send(publishPacket('control/x', String(index), { qos: 1, messageId: 1 + (index % 60_000) }));
    await bench.settle();
    const got = subscriber.publishes();
    assert.deepEqual(
      got.map(({ payload }) => payload),
      [String(index)],
      `input ${index}`,
    );
    subscriber.send({ cmd: 'puback', messageId: got[0]?.messageId ?? 0, reasonCode: 0 });
    assert.deepEqual(
      publisher.packets().map(({ cmd }) => cmd),
      ['puback'],
      `input ${index}`,
    );
  };
  const live = new Map<Level, TestPeer>();
  const admitted = async (level: Level): Promise<TestPeer> => {
    const known = live.get(level);
    if (known !== undefined && !known.channel.closed) return known;
    const peer = bench.peer(level).raw(fuzzConnect(level, `fuzz-${level}`));
    await bench.settle();
    live.set(level, peer);
    return peer;
  };
  let slowest = 0;
  for (let index = 0; index < INPUTS; index += 1) {
    const { afterConnect, level, bytes } = fuzzInput(SEED, index);
    const peer = afterConnect ? await admitted(level) : bench.peer(level);
    const began = performance.now();
    peer.raw(bytes);
    slowest = Math.max(slowest, performance.now() - began);
    peer.channel.chunks.length = 0;
    if (!afterConnect && index % 16 === 0) await bench.settle();
    if (!afterConnect && !peer.channel.closed && peer.client.state === 'awaiting-connect') peer.client.ended();
    if (index % 500 === 0) await roundTrip(index);
  }
  await roundTrip(INPUTS);
  assert.deepEqual(bench.faults, [], 'nothing but MQTT violations was thrown');
  assert.ok(slowest < 200, `the slowest input took ${slowest} ms`);
  for (const peer of live.values()) peer.client.ended();
  await bench.pass(2_000 * 3);
  assert.equal(bench.broker.connections.count, 0, 'silent clients are gone after their keep-alive');
  t.diagnostic(`slowest input ${slowest.toFixed(1)} ms`);
});
