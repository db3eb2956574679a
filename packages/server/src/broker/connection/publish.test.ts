/** PUBLISH from one client to others: every route between versions and qualities of service, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { generate, type IPublishPacket, type Packet } from 'mqtt-packet';
import { batchOfOne } from '../message/message.ts';
import { keep } from '../message/publish-batch.ts';
import { ACCOUNT, hex, type Level, publishPacket, permissionsOf, TestBench, type TestPeer } from '../test-bench.ts';

const LEVELS: readonly Level[] = [4, 5];
const QUALITIES = [0, 1] as const;
const said = (peer: TestPeer): unknown[] =>
  peer.packets().map((p) => ('reasonCode' in p && p.reasonCode ? `${p.cmd} ${p.reasonCode.toString(16)}` : p.cmd));

test('every route: version and QoS of publisher and subscriber [MQTT-3.8.4-8]: the lower QoS wins', async () => {
  await using bench = await TestBench.open();
  for (const from of LEVELS)
    for (const to of LEVELS)
      for (const qos of QUALITIES)
        for (const granted of QUALITIES) {
          const label = `v${from} QoS ${qos} to v${to} QoS ${granted}`;
          const subscriber = await bench.subscribed('subscriber', 'routes/+', granted, { level: to });
          const publisher = await bench.connected('publisher', { level: from });
          publisher.send(...[1, 2, 3].map((n) => publishPacket('routes/a', `message ${n}`, { qos, messageId: 100 + n })));
          await bench.settle();
          const got = subscriber.publishes();
          assert.deepEqual(
            got.map(({ topic, payload }) => `${topic} ${payload}`),
            [1, 2, 3].map((n) => `routes/a message ${n}`),
            label,
          );
          assert.deepEqual(
            got.map((p) => p.qos),
            Array(3).fill(qos & granted),
            label,
          );
          if ((qos & granted) === 1)
            assert.deepEqual(
              got.map((p) => p.messageId),
              [1, 2, 3],
              label,
            );
          const acks = publisher.packets().map((p) => `${p.cmd} ${p.messageId}`);
          assert.deepEqual(acks, qos === 1 ? [101, 102, 103].map((id) => `puback ${id}`) : [], label);
        }
});

test('packets in chunks of any size are the same packets', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('subscriber', '#', 0, { level: 5 });
  let id = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...LEVELS),
      fc.array(
        fc.record({
          topic: fc.constantFrom('a', 'a/b', 'sensor/é'),
          size: fc.nat({ max: 400 }),
          qos: fc.constantFrom(...QUALITIES),
          retain: fc.boolean(),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
      async (level, messages, cuts) => {
        id += 1;
        const publisher = await bench.connected(`p${id}`, { level });
        const bytes = Buffer.concat(
          messages.map(({ topic, size, qos, retain }, i) =>
            generate(publishPacket(topic, `${i}`.padStart(size, '.'), { qos, retain, messageId: i + 1 }), {
              protocolVersion: level,
            }),
          ),
        );
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const size = cuts[cut % cuts.length] as number;
          publisher.raw(bytes.subarray(at, at + size));
          at += size;
        }
        await bench.settle();
        assert.deepEqual(
          subscriber.publishes().map(({ topic, payload }) => [topic, payload]),
          messages.map(({ topic, size }, i) => [topic, `${i}`.padStart(size, '.')]),
        );
        assert.deepEqual(
          publisher
            .packets()
            .map((p) => p.messageId)
            .sort((a, b) => Number(a) - Number(b)),
          messages.flatMap(({ qos }, i) => (qos === 1 ? [i + 1] : [])),
        );
        publisher.client.ended();
      },
    ),
    { numRuns: 150 },
  );
});

test('one byte at a time', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('subscriber', 'a');
  const publisher = await bench.connected('publisher');
  const bytes = Buffer.concat(
    [...'xyz'].map((payload) => generate(publishPacket('a', payload.repeat(200), { qos: 1, messageId: 7 }))),
  );
  publisher.raw(...Array.from(bytes, (byte) => Buffer.of(byte)));
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => payload),
    [...'xyz'].map((payload) => payload.repeat(200)),
  );
  assert.deepEqual(said(publisher), ['puback', 'puback', 'puback']);
});

test('a run longer than is gathered at once arrives whole and in order', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('subscriber', 'a', 0, { level: 5 });
  const publisher = await bench.connected('publisher');
  publisher.send(...Array.from({ length: 5000 }, (_, n) => publishPacket('a', String(n))));
  await bench.settle();
  assert.deepEqual(
    subscriber.publishes().map(({ payload }) => Number(payload)),
    Array.from({ length: 5000 }, (_, n) => n),
  );
});

test('DUP and RETAIN of the publisher are not passed on to live subscribers [MQTT-3.3.1-3, MQTT-3.3.1-9]', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS) {
    const subscriber = await bench.subscribed('subscriber', 'a', 1, { level });
    const publisher = await bench.connected('publisher', { level });
    publisher.send(
      publishPacket('a', '1', { qos: 1, messageId: 5, dup: true }),
      publishPacket('a', '2', { qos: 1, messageId: 6, retain: true }),
    );
    await bench.settle();
    const got = subscriber.packets() as IPublishPacket[];
    assert.deepEqual(
      got.map(({ dup, retain, payload }) => [dup, retain, payload.toString()]),
      [
        [false, false, '1'],
        [false, false, '2'],
      ],
    );
    assert.deepEqual(
      publisher.packets().map((p) => p.messageId),
      [5, 6],
    );
  }
});

test('properties go from MQTT 5 to MQTT 5 byte for byte, in their order [MQTT-3.3.2-17], and never to MQTT 3.1.1', async () => {
  await using bench = await TestBench.open();
  const five = await bench.subscribed('five', 'a', 0, { level: 5 });
  const four = await bench.subscribed('four', 'a', 0);
  const publisher = await bench.connected('publisher', { level: 5 });
  // User properties before and behind content type, correlation data, response topic and format indicator.
  const packet = hex(
    '30 26 0001 61 20 26 0001 6b 0001 31 03 0004 74657874 26 0001 6b 0001 32 09 0002 ff00 08 0001 72 01 01 7061',
  );
  publisher.raw(packet);
  await bench.settle();
  assert.deepEqual(five.channel.take(), packet);
  assert.equal(four.channel.take().toString('hex'), '3005000161'.concat('7061'));
});

test('a message expiry interval is kept between 1 and 604800 seconds (developer guide, page mqtt)', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('subscriber', 'a', 0, { level: 5 });
  const publisher = await bench.connected('publisher', { level: 5 });
  const asked = [0, 1, 60, 604_800, 604_801, 0xffffffff];
  publisher.send(
    ...asked.map((messageExpiryInterval) => publishPacket('a', 'x', { properties: { messageExpiryInterval, contentType: 't' } })),
  );
  await bench.settle();
  const got = subscriber.packets() as IPublishPacket[];
  assert.deepEqual(
    got.map((p) => p.properties?.messageExpiryInterval),
    [1, 1, 60, 604_800, 604_800, 604_800],
  );
  assert.ok(got.every((p) => p.properties?.contentType === 't'));
});

test('topic aliases stand for topics of one connection and are not passed on [MQTT-3.3.2-7, MQTT-3.3.2-10]', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('subscriber', '#', 0, { level: 5 });
  const publisher = await bench.connected('publisher', { level: 5 });
  publisher.send(
    publishPacket('a', '1', { properties: { topicAlias: 1 } }),
    publishPacket('', '2', { properties: { topicAlias: 1 } }),
    publishPacket('b', '3', { properties: { topicAlias: 1 } }),
    publishPacket('', '4', { properties: { topicAlias: 1, contentType: 't' } }),
    publishPacket('c', '5', { properties: { topicAlias: 8 } }),
  );
  await bench.settle();
  const got = subscriber.packets() as IPublishPacket[];
  assert.deepEqual(
    got.map(({ topic, payload }) => `${topic}${payload}`),
    ['a1', 'a2', 'b3', 'b4', 'c5'],
  );
  assert.deepEqual(
    got.map((p) => p.properties?.topicAlias),
    Array(5).fill(undefined),
  );
  const other = await bench.connected('other', { level: 5 });
  other.send(publishPacket('', 'x', { properties: { topicAlias: 1 } }));
  await bench.settle();
  assert.deepEqual(said(other), ['disconnect 82']);
});

test('an alias that a refused message brought is known afterwards', async () => {
  await using bench = await TestBench.open();
  bench.permissions.set(
    'limited',
    permissionsOf((_, name) => name !== 'no'),
  );
  const limited = await bench.connected('limited', { level: 5 });
  limited.send(publishPacket('no', 'x', { qos: 1, messageId: 1, properties: { topicAlias: 1 } }));
  limited.send(publishPacket('', 'x', { qos: 1, messageId: 2, properties: { topicAlias: 1 } }));
  await bench.settle();
  assert.deepEqual(said(limited), ['puback 87', 'puback 87']);
});

/** Bytes of a PUBLISH of MQTT 5 with these properties in hexadecimal. */
const withProperties = (properties: string): Buffer => {
  const inner = hex(properties);
  return Buffer.concat([Buffer.of(0x30, 3 + 1 + inner.length), hex('0001 61'), Buffer.of(inner.length), inner]);
};

const BROKEN: readonly [string, Level, Buffer, number][] = [
  ['QoS 3 [MQTT-3.3.1-4]', 4, hex('36 06 0001 61 0001 78'), 0x81],
  ['QoS 2 [MQTT-3.2.2-11]', 5, hex('34 07 0001 61 0001 00 78'), 0x9b],
  ['QoS 0 with DUP [MQTT-3.3.1-2]', 5, hex('38 05 0001 61 00 78'), 0x81],
  ['packet identifier 0 [MQTT-2.3.1-1]', 5, hex('32 07 0001 61 0000 00 78'), 0x81],
  ['an empty topic without alias [MQTT5 3.3.2.1]', 5, hex('30 04 0000 00 78'), 0x82],
  ['an empty topic [MQTT-4.7.3-1]', 4, hex('30 03 0000 78'), 0x90],
  ['a wildcard in the topic [MQTT-3.3.2-2]', 5, hex('30 06 0003 612f23 00'), 0x90],
  ['a topic with U+0000 [MQTT-4.7.3-2]', 5, hex('30 04 0001 00 00'), 0x81],
  ['a topic that is no UTF-8 [MQTT-1.5.4-1]', 5, hex('30 05 0002 c328 00'), 0x81],
  ['a surrogate in the topic [MQTT-1.5.4-1]', 5, hex('30 06 0003 eda080 00'), 0x81],
  [
    'a topic of 257 bytes (General Reference, topic size)',
    5,
    Buffer.concat([hex('30 8402 0101'), Buffer.alloc(257, 0x61), hex('00')]),
    0x90,
  ],
  ['eight slashes (General Reference, topic slashes)', 5, hex('30 12 000f 612f622f632f642f652f662f672f2f 00'), 0x90],
  ['a topic longer than the packet', 5, hex('30 04 0009 61 00'), 0x81],
  ['no property length', 5, hex('30 03 0001 61'), 0x81],
  ['properties longer than the packet', 5, hex('30 05 0001 61 09 78'), 0x81],
  ['alias 0 [MQTT-3.3.2-8]', 5, withProperties('23 0000'), 0x94],
  ['alias 9 [MQTT-3.3.2-9]', 5, withProperties('23 0009'), 0x94],
  ['a property twice [MQTT5 2.2.2.2]', 5, withProperties('01 01 01 01'), 0x82],
  ['a property of CONNECT [MQTT5 2.2.2.2]', 5, withProperties('21 0005'), 0x81],
  ['an unknown property', 5, withProperties('7e 00'), 0x81],
  ['a format indicator of 2', 5, withProperties('01 02'), 0x82],
  ['a subscription identifier from a client [MQTT-3.3.4-6]', 5, withProperties('0b 01'), 0x82],
  ['a response topic with a wildcard [MQTT-3.3.2-14]', 5, withProperties('08 0001 23'), 0x82],
  ['a property length in more bytes than needed [MQTT-1.5.5-1]', 5, hex('30 05 0001 61 8000'), 0x81],
  ['a remaining length in more bytes than needed [MQTT-1.5.5-1]', 5, hex('30 8500 0001 61 00 78'), 0x81],
  ['a remaining length of five bytes', 5, hex('30 8080808001'), 0x81],
  ['a packet over 146 KB', 5, hex('30 81a009'), 0x95],
];
for (const [name, level, bytes, reason] of BROKEN)
  test(`${name} ends the connection, and what came before it still arrives`, async () => {
    await using bench = await TestBench.open();
    const subscriber = await bench.subscribed('subscriber', '#');
    const publisher = await bench.connected('publisher', { level });
    publisher.raw(
      Buffer.concat([generate(publishPacket('first', 'x', { qos: 1, messageId: 4 }), { protocolVersion: level }), bytes]),
    );
    await bench.settle();
    assert.equal(publisher.channel.closed, true);
    assert.deepEqual(said(publisher), level === 5 ? ['puback', `disconnect ${reason.toString(16)}`] : ['puback']);
    assert.deepEqual(
      subscriber.publishes().map(({ topic }) => topic),
      ['first'],
    );
    assert.equal(bench.refusals.at(-1)?.check, reason === 0x90 ? 'topic' : 'protocol');
    assert.deepEqual(bench.faults, []);
  });

test('a run that a violation cut off never reaches another connection or account', async () => {
  await using bench = await TestBench.open();
  bench.admissions.set('stranger', { accountId: '111111111111' });
  bench.admissions.set('spy', { accountId: '111111111111' });
  const spy = await bench.subscribed('spy', '#');
  const stranger = await bench.connected('stranger');
  const publisher = await bench.connected('publisher');
  publisher.raw(hex('32 06 0001 61 0007 78 30 ffffffff'));
  stranger.send(publishPacket('own', '1', { qos: 1, messageId: 1 }));
  await bench.settle();
  assert.deepEqual(
    spy.publishes().map(({ topic }) => topic),
    ['own'],
  );
  assert.deepEqual(
    stranger.packets().map((p) => p.messageId),
    [1],
  );
});

test('a publish on a shared filter ends the connection of its publisher, whatever its QoS (field report on $share)', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS)
    for (const qos of [0, 1] as const) {
      const publisher = await bench.connected('publisher', { level });
      publisher.send(publishPacket('$share/g/t', 'x', { qos }));
      await bench.settle();
      assert.equal(publisher.channel.closed, true);
      assert.deepEqual(said(publisher), level === 5 ? ['disconnect 87'] : []);
    }
});

test('a payload of 128 KB is taken and one byte more is not (General Reference, message size)', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('subscriber', 'a');
  for (const level of LEVELS) {
    const publisher = await bench.connected('publisher', { level });
    publisher.send(publishPacket('a', Buffer.alloc(128 * 1024, 1)));
    await bench.settle();
    assert.equal(subscriber.publishes()[0]?.payload.length, 128 * 1024);
    publisher.send(publishPacket('a', Buffer.alloc(128 * 1024 + 1, 1)));
    await bench.settle();
    assert.equal(publisher.channel.closed, true);
    assert.deepEqual(said(publisher), level === 5 ? ['disconnect 97'] : []);
    const aliased = await bench.connected('aliased', { level: 5 });
    aliased.send(publishPacket('a', Buffer.alloc(128 * 1024 + 1, 1), { properties: { contentType: 't' } }));
    assert.equal(aliased.channel.closed, true);
  }
});

test('limits of AWS on properties: content type 256 bytes, correlation data and user properties 8 KB', async () => {
  await using bench = await TestBench.open();
  const subscriber = await bench.subscribed('subscriber', '#', 0, { level: 5 });
  const pairs = (bytes: number) => Array.from({ length: bytes / 1024 }, () => 'v'.repeat(1023));
  const fine = [
    { contentType: 'x'.repeat(256) },
    { correlationData: Buffer.alloc(8192) },
    { userProperties: { k: pairs(8192) } },
  ];
  const over = [
    { contentType: 'x'.repeat(257) },
    { correlationData: Buffer.alloc(8193) },
    { userProperties: { k: [...pairs(8192), ''] } },
  ];
  const publisher = await bench.connected('publisher', { level: 5 });
  publisher.send(...fine.map((properties) => publishPacket('a', 'x', { properties })));
  await bench.settle();
  assert.equal(subscriber.publishes().length, 3);
  for (const properties of over) {
    const peer = await bench.connected('over', { level: 5 });
    peer.send(publishPacket('a', 'x', { properties }));
    await bench.settle();
    assert.deepEqual(said(peer), ['disconnect 97']);
  }
});

test('a message that may not be published: MQTT 5 QoS 1 gets PUBACK 0x87 and goes on, all others are closed', async () => {
  await using bench = await TestBench.open();
  bench.permissions.set(
    'limited',
    permissionsOf((action, name) => action !== 'iot:Publish' || name !== 'no'),
  );
  const subscriber = await bench.subscribed('subscriber', '#');
  for (const level of LEVELS)
    for (const qos of QUALITIES) {
      const limited = await bench.connected('limited', { level });
      limited.send(publishPacket('yes', '1'), publishPacket('no', 'x', { qos, messageId: 3 }), publishPacket('yes', '2'));
      await bench.settle();
      const goesOn = level === 5 && qos === 1;
      assert.deepEqual(
        subscriber.publishes().map(({ payload }) => payload),
        goesOn ? ['1', '2'] : ['1'],
        `v${level} QoS ${qos}`,
      );
      assert.equal(limited.channel.closed, !goesOn);
      assert.deepEqual(said(limited), goesOn ? ['puback 87'] : level === 5 ? ['disconnect 87'] : []);
      const { check, action, resource, decision, clientId } = bench.refusals.at(-1) ?? {};
      assert.deepEqual(
        { check, action, resource, decision, clientId },
        {
          check: 'policy',
          action: 'iot:Publish',
          resource: 'arn:aws:iot:us-east-1:000000000000:topic/no',
          decision: 'IMPLICIT_DENY',
          clientId: 'limited',
        },
      );
    }
});

test("clients may not publish on the server's own topics (developer guide, page reserved-topics)", async () => {
  await using bench = await TestBench.open();
  const topics = [
    '$aws/events/presence/connected/x',
    '$aws/things/t/shadow/update/accepted',
    '$aws/things/t/jobs/notify',
    '$SYS/x',
    '$own',
    '$thingkeep/events/x',
  ];
  for (const topic of topics) {
    const publisher = await bench.connected('publisher', { level: 5 });
    publisher.send(publishPacket(topic, 'x', { qos: 1, messageId: 1 }));
    await bench.settle();
    assert.deepEqual(said(publisher), ['puback 87'], topic);
    assert.equal(bench.refusals.at(-1)?.check, 'reserved-topic', topic);
    assert.match(bench.refusals.at(-1)?.reason ?? '', /are reserved; devices may not publish on this one$/, topic);
  }
});

test('a client whose id or topic looks like a part of JavaScript is a client like others', async () => {
  await using bench = await TestBench.open();
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const subscriber = await bench.subscribed(name, `${name}/${name}`);
    const publisher = await bench.connected(`to-${name}`, { level: 5 });
    publisher.send(publishPacket(`${name}/${name}`, name, { properties: { userProperties: { [name]: name } } }));
    await bench.settle();
    assert.deepEqual(
      subscriber.publishes().map(({ payload }) => payload),
      [name],
    );
  }
});

test('topics that are none, 60 KB each, leave nothing behind', async () => {
  await using bench = await TestBench.open();
  const packet = (n: number): Packet => publishPacket(`${n}`.padEnd(60_000, 'x'), '');
  for (let n = 0; n < 50; n += 1) {
    const peer = await bench.connected('long');
    peer.send(packet(n));
    assert.equal(peer.channel.closed, true);
  }
  assert.equal(bench.broker.account(ACCOUNT).topicsKnown, 0);
});

test('what is kept of a topic or of a queued message has memory of its own, and keeps no pool of buffers alive', async () => {
  await using bench = await TestBench.open();
  const { bytes } = bench.broker.account(ACCOUNT).topic('sensor/a');
  assert.equal(bytes.buffer.byteLength, bytes.length);
  const batch = batchOfOne(
    { topic: bench.broker.account(ACCOUNT).topic('a'), payload: Buffer.from('x'), qos: 1, retain: false },
    0,
  );
  const kept = keep(batch, 0).bytes;
  assert.equal(kept.buffer.byteLength, kept.length);
});
