/**
 * Message enrichment: whatever a message carries, it arrives with its own properties and the device's behind them (fact 6.10).
 */
import { defined } from '@thingkeep/wire/defined.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Packet } from 'mqtt-packet';
import { type ConnectOptions, publishPacket, TestBench, type TestPeer } from '../test-bench.ts';

const OWN = [
  ['room', 'kitchen'],
  ['id', 'lamp-1'],
] as const;

const published = (peer: TestPeer) => peer.packets().flatMap((p) => (p.cmd === 'publish' ? [p] : []));

async function open(options: ConnectOptions): Promise<{ bench: TestBench; lamp: TestPeer }> {
  const bench = await TestBench.open();
  bench.admissions.set('lamp', { userProperties: OWN });
  return { bench, lamp: await bench.connected('lamp', options) };
}

test('runs of MQTT 3.1.1 and 5, of both QoS: MQTT 5 sees the properties, 3.1.1 the message, and packet identifiers are answered', async () => {
  for (const level of [4, 5] as const)
    for (const qos of [0, 1] as const) {
      const { bench, lamp } = await open({ level });
      await using _closing = bench;
      const modern = await bench.subscribed('modern', 'a/#', 1, { level: 5 });
      const old = await bench.subscribed('old', 'a/#', 1);
      const away = await bench.subscribed('away', 'a/#', 1, { clean: false });
      away.client.ended();
      const texts = ['', 'x', 'y'.repeat(200), 'z'.repeat(20_000)];
      const properties = level === 5 ? { properties: { userProperties: { mine: 'yes' }, contentType: 'text/plain' } } : {};
      lamp.send(
        ...texts.map((text, i) => publishPacket('a/b', text, { qos, messageId: 500 + i })),
        publishPacket('a/b', 'own', { qos, messageId: 600, ...properties }),
      );
      await bench.settle();
      const got = published(modern);
      assert.deepEqual(
        got.map(({ payload }) => String(payload)),
        [...texts, 'own'],
      );
      for (const { properties: seen } of got.slice(0, -1)) assert.deepEqual({ ...seen?.userProperties }, Object.fromEntries(OWN));
      const last = got.at(-1)?.properties;
      assert.deepEqual(
        { ...last?.userProperties },
        { ...defined({ mine: level === 5 ? 'yes' : undefined }), ...Object.fromEntries(OWN) },
      );
      assert.equal(last?.contentType, level === 5 ? 'text/plain' : undefined);
      assert.deepEqual(
        published(old).map(({ payload }) => String(payload)),
        [...texts, 'own'],
      );
      const acks = lamp.packets().map((p) => ('messageId' in p ? p.messageId : undefined));
      assert.deepEqual(acks, qos === 1 ? [500, 501, 502, 503, 600] : []);
      // What was stored is what the wire had.
      const back = bench.peer();
      back.send({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: 'away',
        keepalive: 60,
        clean: false,
      } as Packet);
      await bench.settle();
      assert.deepEqual(
        published(back).map(({ payload }) => String(payload)),
        qos === 1 ? [...texts, 'own'] : [],
      );
    }
});

test('retained messages, aliases and expiry too; a change of the connection counts from then on', async () => {
  const { bench, lamp } = await open({ level: 5 });
  await using _closing = bench;
  lamp.send(
    publishPacket('a/kept', 'on', { retain: true, qos: 1, messageId: 1 }),
    publishPacket('a/alias', 'first', { properties: { topicAlias: 1, messageExpiryInterval: 60 } }),
    publishPacket('', 'second', { properties: { topicAlias: 1 } }),
  );
  await bench.settle();
  const late = await bench.connected('late', { level: 5 });
  late.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'a/kept', qos: 1 }] } as Packet);
  await bench.settle();
  assert.deepEqual({ ...published(late)[0]?.properties?.userProperties }, Object.fromEntries(OWN));
  const live = await bench.subscribed('live', 'a/alias', 0, { level: 5 });
  const send = async (): Promise<Packet[]> => {
    lamp.send(publishPacket('', 'again', { properties: { topicAlias: 1, messageExpiryInterval: 60 } }));
    await bench.settle();
    return published(live);
  };
  const [first] = await send();
  assert.deepEqual(
    first?.cmd === 'publish' && [{ ...first.properties?.userProperties }, first.properties?.messageExpiryInterval],
    [Object.fromEntries(OWN), 60],
  );
  bench.admissions.set('lamp', { userProperties: [['room', 'hall']] });
  await lamp.client.permissions.reauthorize();
  const [second] = await send();
  assert.deepEqual(second?.cmd === 'publish' && { ...second.properties?.userProperties }, { room: 'hall' });
  bench.admissions.delete('lamp');
  await lamp.client.permissions.reauthorize();
  const [third] = await send();
  assert.equal(third?.cmd === 'publish' && third.properties?.userProperties, undefined);
});

test('any payloads and properties, in any number of messages of a run', async () => {
  const text = fc.string({ maxLength: 300 });
  // The reader of this test knows no names that are empty, or that objects have by themselves.
  const name = fc.string({ minLength: 1, maxLength: 300 }).filter((each) => !(each in {}));
  const message = fc.record({ payload: fc.uint8Array({ maxLength: 400 }), own: fc.dictionary(name, text, { maxKeys: 3 }) });
  const batch = fc.array(message, { minLength: 1, maxLength: 6 });
  const extra = fc.array(fc.tuple(name, text), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(batch, extra, fc.constantFrom(4 as const, 5 as const), async (messages, more, level) => {
      await using bench = await TestBench.open();
      bench.admissions.set('lamp', { userProperties: more });
      const lamp = await bench.connected('lamp', { level });
      const reader = await bench.subscribed('reader', '#', 1, { level: 5 });
      lamp.send(
        ...messages.map(({ payload, own }, i) =>
          publishPacket('t', Buffer.from(payload), {
            qos: 1,
            messageId: i + 1,
            properties: level === 5 && Object.keys(own).length > 0 ? { userProperties: own } : undefined,
          }),
        ),
      );
      await bench.settle();
      const got = published(reader);
      assert.equal(got.length, messages.length);
      for (const [i, { payload, own }] of messages.entries()) {
        assert.deepEqual(Buffer.from(got[i]?.payload ?? ''), Buffer.from(payload));
        const seen = new Map(Object.entries(got[i]?.properties?.userProperties ?? {}).map(([k, v]) => [k, [v].flat()]));
        const wanted = [...(level === 5 ? Object.entries(own) : []), ...more];
        for (const name of new Set(wanted.map(([key]) => key)))
          assert.deepEqual(
            seen.get(name),
            wanted.filter(([key]) => key === name).map(([, value]) => value),
          );
      }
    }),
    { numRuns: 60 },
  );
});
