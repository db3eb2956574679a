/** Names with control characters or non-characters, wherever a client may send one [MQTT311 1.5.3; MQTT5 1.5.4]. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { type Level, publishPacket, TestBench, type TestPeer } from '../test-bench.ts';

/** One of each range: C0, DEL, C1, a non-character of the first plane and of the last; and a terminal's own language. */
const TEXTS = ['\u0001', '\t', '\n', '\u001b[2J', '\u007f', '\u0080', '\u009b31m', '\ufdd0', '\uffff', '\u{10ffff}'];
const LEVELS: readonly Level[] = [4, 5];

const connect = (level: Level, more: object = {}): Packet =>
  ({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId: 'c', clean: true, keepalive: 60, ...more }) as Packet;

const codeOf = (level: Level, packet: Packet | undefined): unknown =>
  (packet as unknown as Readonly<Record<string, unknown>> | undefined)?.[level === 5 ? 'reasonCode' : 'returnCode'];

async function connected(bench: TestBench, level: Level): Promise<TestPeer> {
  const peer = bench.peer(level).send(connect(level));
  await bench.settle();
  assert.equal(codeOf(level, peer.packets()[0]), 0);
  return peer;
}

for (const level of LEVELS)
  describe(`MQTT ${level}`, () => {
    test('a client id', async () => {
      await using bench = await TestBench.open();
      for (const text of TEXTS) {
        const peer = bench.peer(level).send(connect(level, { clientId: `a${text}` }));
        await bench.settle();
        assert.equal(codeOf(level, peer.packets()[0]), level === 5 ? 0x85 : 2);
        assert.ok(peer.channel.closed);
        const refusal = bench.refusals.at(-1);
        assert.deepEqual([refusal?.check, refusal?.reason], ['client-id', 'a client identifier with a control character']);
      }
    });

    test('a user name', async () => {
      await using bench = await TestBench.open();
      for (const text of TEXTS) {
        const peer = bench.peer(level).send(connect(level, { username: `u${text}` }));
        await bench.settle();
        assert.equal(codeOf(level, peer.packets()[0]), level === 5 ? 0x86 : 4);
        assert.ok(peer.channel.closed);
        assert.match(bench.refusals.at(-1)?.reason ?? '', /user name with a control character/);
      }
    });

    test('the topic of a will', async () => {
      await using bench = await TestBench.open();
      for (const text of TEXTS) {
        const will = { topic: `w${text}`, payload: Buffer.from('x'), qos: 0, retain: false };
        const peer = bench.peer(level).send(connect(level, { will }));
        await bench.settle();
        assert.equal(codeOf(level, peer.packets()[0]), level === 5 ? 0x90 : undefined);
        assert.ok(peer.channel.closed);
        assert.match(bench.refusals.at(-1)?.reason ?? '', /will topic that is not valid: it has a control character/);
      }
    });

    test('the topic of a PUBLISH, alone, retained, or behind another', async () => {
      await using bench = await TestBench.open();
      for (const text of TEXTS)
        for (const more of [{}, { qos: 1, messageId: 1 }, { retain: true }]) {
          const peer = await connected(bench, level);
          peer.send(publishPacket('fine', 'x'), publishPacket(`t${text}`, 'x', more as never));
          await bench.settle();
          assert.ok(peer.channel.closed);
          const refusal = bench.refusals.at(-1);
          assert.equal(refusal?.check, 'topic');
          assert.match(refusal?.reason ?? '', /control character/);
        }
    });

    test('a filter of a SUBSCRIBE or an UNSUBSCRIBE, the name of a share too', async () => {
      await using bench = await TestBench.open();
      for (const text of TEXTS)
        for (const topic of [`f${text}/#`, `$share/s${text}/a`, `$share/s/a${text}`])
          for (const packet of [
            { cmd: 'subscribe', messageId: 7, subscriptions: [{ topic, qos: 0 }] },
            { cmd: 'unsubscribe', messageId: 7, unsubscriptions: [topic] },
          ]) {
            const peer = await connected(bench, level);
            peer.send(packet as Packet);
            await bench.settle();
            const [answer] = peer.packets() as { readonly granted?: number[] }[];
            if (level === 5) assert.deepEqual(answer?.granted, [0x8f]);
            else assert.ok(peer.channel.closed);
            const refusal = bench.refusals.at(-1);
            assert.equal(refusal?.check, 'topic');
            assert.match(refusal?.reason ?? '', /control character/);
          }
    });
  });

test('a response topic; what a message carries beside is its own', async () => {
  await using bench = await TestBench.open();
  for (const text of TEXTS) {
    const peer = await connected(bench, 5);
    const properties = { userProperties: { [`n${text}`]: `v${text}` }, contentType: `c${text}` };
    peer.send(publishPacket('fine', `p${text}`, { properties } as never));
    await bench.settle();
    assert.equal(peer.channel.closed, false);
    peer.send(publishPacket('fine', 'x', { properties: { responseTopic: `r${text}` } } as never));
    await bench.settle();
    assert.ok(peer.channel.closed);
  }
});
