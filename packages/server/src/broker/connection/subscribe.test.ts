/** SUBSCRIBE and UNSUBSCRIBE: what is granted, what a filter covers, retained messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IPublishPacket, ISubackPacket, IUnsubackPacket, Packet } from 'mqtt-packet';
import { topicMatches } from '@thingkeep/wire/topics.ts';
import type { Session } from '../session/session.ts';
import { Routes } from '../routing/routes.ts';
import { hex, type Level, publishPacket, permissionsOf, TestBench, type TestPeer } from '../test-bench.ts';

const LEVELS: readonly Level[] = [4, 5];
const subscribe = (subscriptions: object[], messageId = 3): Packet => ({ cmd: 'subscribe', messageId, subscriptions }) as Packet;
const filters = (...topics: string[]): object[] => topics.map((topic) => ({ topic, qos: 1 }));

async function granted(bench: TestBench, peer: TestPeer, subscriptions: object[]): Promise<number[] | 'closed'> {
  peer.send(subscribe(subscriptions));
  await bench.settle();
  const [suback] = peer.packets() as [ISubackPacket?];
  return suback?.cmd === 'suback' ? (suback.granted as number[]) : 'closed';
}

test('SUBACK carries the packet identifier and a code per filter, in order [MQTT-3.8.4-2, MQTT-3.8.4-5]; QoS 2 is granted as 1', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS) {
    const peer = await bench.connected('c', { level });
    peer.send(
      subscribe(
        [
          { topic: 'a', qos: 0 },
          { topic: 'b', qos: 1 },
          { topic: 'c', qos: 2 },
        ],
        0xabcd,
      ),
    );
    await bench.settle();
    const [suback] = peer.packets() as [ISubackPacket];
    assert.deepEqual([suback.messageId, suback.granted], [0xabcd, [0, 1, 1]]);
  }
});

test('eight filters are taken and nine end the connection (General Reference, subscriptions per request)', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS) {
    const peer = await bench.connected('c', { level });
    assert.deepEqual(await granted(bench, peer, filters(...'abcdefgh')), Array(8).fill(1));
    peer.send(subscribe(filters(...'abcdefghi')));
    await bench.settle();
    assert.equal(peer.channel.closed, true);
    assert.deepEqual(
      peer.packets().map((p) => ('reasonCode' in p ? p.reasonCode : p.cmd)),
      level === 5 ? [0x97] : [],
    );
  }
});

test('the 51st subscription gets a failure code (General Reference, subscriptions per connection); one known already does not count', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS) {
    const peer = await bench.connected('c', { level });
    for (let n = 0; n < 50; n += 5) await granted(bench, peer, filters(...[0, 1, 2, 3, 4].map((i) => `t/${n + i}`)));
    assert.deepEqual(await granted(bench, peer, filters('t/50', 't/0')), [level === 5 ? 0x97 : 0x80, 1]);
    peer.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['t/0'] } as Packet);
    assert.equal(peer.client.session?.subscriptions.size, 49);
  }
});

test('a filter that is none: MQTT 5 gets 0x8F, MQTT 3.1.1 is closed [MQTT-4.7.1-1 to 4.7.1-3]', async () => {
  await using bench = await TestBench.open();
  for (const filter of [
    'a#',
    '#/a',
    'a/#/b',
    'a+',
    '+a/b',
    'x'.repeat(257),
    'a/b/c/d/e/f/g/h/i',
    '$share/g',
    '$share//a',
    '$share/+/a',
  ]) {
    const five = await bench.connected('five', { level: 5 });
    assert.deepEqual(await granted(bench, five, filters('fine', filter)), [1, 0x8f], filter);
    const four = await bench.connected('four');
    assert.equal(await granted(bench, four, filters(filter)), 'closed', filter);
    assert.match(
      bench.refusals.at(-1)?.reason ?? '',
      /not valid: (?:it is over|it has more than|it is not of the form|\+ and # are for) /,
      filter,
    );
    // One refusal is one record.
    assert.deepEqual(
      bench.refusals.splice(0).map(({ check, clientId }) => `${check} ${clientId}`),
      ['topic five', 'topic four'],
      filter,
    );
    five.send({ cmd: 'disconnect' } as Packet);
  }
});

test('a filter nested in thousands of shares is refused like any other', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.connected('c', { level: 5 });
  const began = performance.now();
  assert.deepEqual(await granted(bench, peer, filters('$share/g/'.repeat(7_000))), [0x8f]);
  assert.ok(performance.now() - began < 200);
  assert.deepEqual(bench.faults, []);
});

test('a filter that may not be subscribed to: MQTT 5 gets 0x87, MQTT 3.1.1 is closed without SUBACK', async () => {
  await using bench = await TestBench.open();
  const permissions = permissionsOf((action, name) => action !== 'iot:Subscribe' || name !== 'no/#');
  for (const id of ['five', 'four']) bench.permissions.set(id, permissions);
  const five = await bench.connected('five', { level: 5 });
  assert.deepEqual(await granted(bench, five, filters('yes', 'no/#', '$aws/rules/r')), [1, 0x87, 0x87]);
  const four = await bench.connected('four');
  assert.equal(await granted(bench, four, filters('no/#')), 'closed');
  assert.equal(four.channel.closed, true);
  assert.deepEqual(
    bench.refusals.map(({ check }) => check),
    ['policy', 'reserved-topic', 'policy'],
  );
});

const MALFORMED: readonly [string, Level, string, number][] = [
  ['no filter [MQTT-3.8.3-3]', 5, '82 03 0001 00', 0x82],
  ['no filter [MQTT-3.8.3-3]', 4, '82 02 0001', 0],
  ['packet identifier 0 [MQTT-2.3.1-1]', 5, '82 07 0000 00 0001 61 00', 0x81],
  ['QoS 3 [MQTT-3.8.3-4]', 5, '82 07 0001 00 0001 61 03', 0x81],
  ['reserved option bits [MQTT-3.8.3-5]', 5, '82 07 0001 00 0001 61 40', 0x81],
  ['MQTT 5 options in MQTT 3.1.1 [MQTT-3-8.3-4]', 4, '82 06 0001 0001 61 04', 0],
  ['retain handling 3 [MQTT5 3.8.3.1]', 5, '82 07 0001 00 0001 61 30', 0x82],
  ['flags other than 2 [MQTT-3.8.1-1]', 5, '80 07 0001 00 0001 61 00', 0x81],
  ['a filter without options', 5, '82 06 0001 00 0001 61', 0x81],
  ['a subscription identifier (developer guide, page mqtt)', 5, '82 09 0001 02 0b01 0001 61 00', 0xa1],
  ['a filter with U+0000 [MQTT-4.7.3-2]', 5, '82 07 0001 00 0001 00 00', 0x81],
  ['UNSUBSCRIBE without filter [MQTT-3.10.3-2]', 5, 'a2 03 0001 00', 0x82],
  ['UNSUBSCRIBE with flags other than 2 [MQTT-3.10.1-1]', 5, 'a0 06 0001 00 0001 61', 0x81],
  ['UNSUBSCRIBE with packet identifier 0', 5, 'a2 06 0000 00 0001 61', 0x81],
];
for (const [name, level, bytes, reason] of MALFORMED)
  test(`v${level}: ${name} ends the connection`, async () => {
    await using bench = await TestBench.open();
    const peer = await bench.connected('c', { level });
    peer.raw(hex(bytes));
    await bench.settle();
    assert.equal(peer.channel.closed, true);
    assert.deepEqual(
      peer.packets().map((p) => ('reasonCode' in p ? p.reasonCode : p.cmd)),
      level === 5 ? [reason] : [],
    );
  });

test('filters that overlap bring a message once, with the highest QoS [MQTT-3.3.5-1]', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS) {
    const peer = await bench.connected('c', { level });
    await granted(bench, peer, [
      { topic: 'a/b', qos: 0 },
      { topic: 'a/+', qos: 1 },
      { topic: '#', qos: 0 },
    ]);
    const publisher = await bench.connected('p');
    publisher.send(publishPacket('a/b', 'x', { qos: 1 }));
    await bench.settle();
    assert.deepEqual(
      peer.publishes().map(({ qos, payload }) => [qos, payload]),
      [[1, 'x']],
    );
  }
});

test('a subscription made again replaces the one before [MQTT-3.8.4-3]', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.subscribed('c', 'a', 1);
  assert.deepEqual(await granted(bench, peer, [{ topic: 'a', qos: 0 }]), [0]);
  const publisher = await bench.connected('p');
  publisher.send(publishPacket('a', 'x', { qos: 1 }));
  await bench.settle();
  assert.deepEqual(
    peer.publishes().map(({ qos }) => qos),
    [0],
  );
});

test('No Local keeps a client from its own messages [MQTT-3.8.3-3], unless another of its filters wants them', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.connected('c', { level: 5 });
  await granted(bench, peer, [
    { topic: 'a/#', qos: 0, nl: true },
    { topic: 'a/echo', qos: 0 },
  ]);
  peer.send(publishPacket('a/b', 'own'), publishPacket('a/echo', 'echo'));
  (await bench.connected('other')).send(publishPacket('a/b', 'other'));
  await bench.settle();
  assert.deepEqual(
    peer.publishes().map(({ payload }) => payload),
    ['echo', 'other'],
  );
});

test('`sensor/#` covers `sensor/` and below but not `sensor` (developer guide, page topics); wildcards cover no $ topic [MQTT-4.7.2-1]', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.subscribed('c', 'sensor/#');
  const all = await bench.subscribed('all', '#');
  const events = await bench.subscribed('events', '$aws/events/#');
  const publisher = await bench.connected('p');
  publisher.send(...['sensor', 'sensor/', 'sensor/a/b', 'sensors'].map((topic) => publishPacket(topic, 'x')));
  bench.broker.messaging.publish(
    { accountId: '000000000000', region: 'us-east-1' },
    '$aws/events/presence/connected/c',
    Buffer.from('{}'),
  );
  await bench.settle();
  assert.deepEqual(
    peer.publishes().map(({ topic }) => topic),
    ['sensor/', 'sensor/a/b'],
  );
  assert.equal(all.publishes().length, 4);
  assert.equal(events.publishes().length, 1);
});

test('routes find exactly the filters that match, before and after some have gone', () => {
  const name = fc.constantFrom('a', 'b', '', '$x');
  const topics = fc.array(name, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
  const someFilters = fc
    .tuple(fc.array(fc.oneof(name, fc.constant('+')), { minLength: 0, maxLength: 3 }), fc.boolean())
    .map(([levels, rest]) => [...levels, ...(rest || levels.length === 0 ? ['#'] : [])].join('/'));
  fc.assert(
    fc.property(
      fc.array(someFilters, { maxLength: 12 }),
      fc.array(fc.nat(11)),
      fc.array(topics, { minLength: 1, maxLength: 12 }),
      (list, gone, seen) => {
        const routes = new Routes();
        const clients = list.map((filter, i) => ({ i, filter }) as unknown as Session);
        const live = new Set<number>(clients.keys());
        for (const [i, client] of clients.entries()) routes.add(client, { filter: list[i] as string, qos: 0, noLocal: false });
        const check = (): void => {
          for (const topic of seen) {
            const found = routes.resolve(topic).sessions.map(({ session }) => (session as unknown as { i: number }).i);
            assert.deepEqual(found.sort(), [...live].filter((i) => topicMatches(list[i] as string, topic)).sort(), topic);
          }
        };
        check();
        for (const i of gone) {
          const client = clients[i];
          if (client === undefined) continue;
          routes.remove(client, list[i] as string);
          live.delete(i);
        }
        check();
      },
    ),
  );
});

test('UNSUBSCRIBE ends delivery and is answered even for what was never there [MQTT-3.10.4-4, MQTT-3.10.4-5]', async () => {
  await using bench = await TestBench.open();
  for (const level of LEVELS) {
    const peer = await bench.subscribed('c', 'a', 0, { level });
    peer.send({ cmd: 'unsubscribe', messageId: 77, unsubscriptions: ['a', 'b'] } as Packet);
    (await bench.connected('p')).send(publishPacket('a', 'x'));
    await bench.settle();
    const packets = peer.packets() as IUnsubackPacket[];
    assert.deepEqual(
      packets.map(({ cmd, messageId }) => [cmd, messageId]),
      [['unsuback', 77]],
    );
    if (level === 5) assert.deepEqual(packets[0]?.granted, [0x00, 0x11]);
  }
});

async function retain(bench: TestBench, topic: string, payload: string, qos: 0 | 1 = 1): Promise<TestPeer> {
  const publisher = await bench.connected('retainer', { level: 5 });
  publisher.send(publishPacket(topic, payload, { qos, retain: true, properties: { contentType: 'text/plain' } }));
  await bench.settle();
  return publisher;
}

test('a retained message comes with RETAIN to a new subscription of exactly its topic, never to a wildcard (developer guide, page mqtt)', async () => {
  await using bench = await TestBench.open();
  const publisher = await retain(bench, 'kept/a', 'value');
  assert.deepEqual(
    publisher.packets().map(({ cmd }) => cmd),
    ['puback'],
  );
  const cases: [Level, 0 | 1][] = [
    [4, 0],
    [4, 1],
    [5, 0],
    [5, 1],
  ];
  for (const [level, qos] of cases) {
    const peer = await bench.connected('c', { level });
    peer.send(subscribe([{ topic: 'kept/a', qos }]));
    await bench.settle();
    const [suback, message] = peer.packets() as [ISubackPacket, IPublishPacket];
    assert.equal(suback.cmd, 'suback');
    assert.deepEqual([message.topic, message.payload.toString(), message.retain, message.qos], ['kept/a', 'value', true, qos]);
    assert.equal(message.properties?.contentType, level === 5 ? 'text/plain' : undefined);
  }
  const wild = await bench.subscribed('wild', 'kept/+');
  const all = await bench.subscribed('all', '#');
  await bench.settle();
  assert.deepEqual([wild.packets(), all.packets()], [[], []]);
});

test('an empty retained message removes what was kept and still goes to live subscribers [MQTT-3.3.1-10, MQTT-3.3.1-11]', async () => {
  await using bench = await TestBench.open();
  await retain(bench, 'kept', 'value');
  const live = await bench.subscribed('live', '#');
  await retain(bench, 'kept', '');
  assert.deepEqual(
    live.publishes().map(({ payload }) => payload),
    [''],
  );
  const late = await bench.subscribed('late', 'kept');
  await bench.settle();
  assert.deepEqual(late.packets(), []);
});

test('retain handling: 0 always, 1 for a new subscription, 2 never [MQTT-3.3.1-9 to 3.3.1-11]', async () => {
  await using bench = await TestBench.open();
  await retain(bench, 'kept', 'value');
  for (const [rh, first, again] of [
    [0, 1, 1],
    [1, 1, 0],
    [2, 0, 0],
  ]) {
    const peer = await bench.connected('c', { level: 5 });
    for (const expected of [first, again]) {
      peer.send(subscribe([{ topic: 'kept', qos: 0, rh }]));
      await bench.settle();
      assert.equal(peer.publishes().length, expected, `retain handling ${rh}`);
    }
  }
});

test('retaining needs its own right, and no $ topic is retained (developer guide, pages iot-policy-actions and mqtt)', async () => {
  await using bench = await TestBench.open();
  bench.permissions.set(
    'retainer',
    permissionsOf((action) => action !== 'iot:RetainPublish'),
  );
  const publisher = await retain(bench, 'kept', 'value');
  assert.deepEqual(
    publisher.packets().map((p) => ('reasonCode' in p ? p.reasonCode : undefined)),
    [0x87],
  );
  bench.permissions.clear();
  const shadow = await retain(bench, '$aws/things/t/shadow/update', 'value');
  assert.deepEqual(
    shadow.packets().map((p) => ('reasonCode' in p ? p.reasonCode : undefined)),
    [0],
    'the flag means nothing on a topic of shadows',
  );
  assert.deepEqual((await bench.subscribed('looks', '$aws/things/t/shadow/update')).packets(), []);
  const reserved = await retain(bench, '$aws/rules/r/x', 'value');
  assert.deepEqual(
    reserved.packets().map((p) => ('reasonCode' in p ? p.reasonCode : undefined)),
    [0x87],
  );
  const refusal = bench.refusals.at(-1);
  assert.equal(refusal?.check, 'reserved-topic', 'the policies allow it');
  assert.match(refusal.reason, /begin with \$ hold no retained messages: publish without the retain flag$/);
  const late = await bench.subscribed('late', 'kept');
  assert.deepEqual(late.packets(), []);
});

test('a retained message is not shown to a client without iot:Receive, or once the right or the subscription has gone', async () => {
  await using bench = await TestBench.open();
  await retain(bench, 'kept', 'value');
  bench.permissions.set(
    'c',
    permissionsOf((action) => action !== 'iot:Receive'),
  );
  const peer = await bench.subscribed('c', 'kept');
  await bench.settle();
  assert.deepEqual(peer.packets(), []);
  bench.permissions.clear();
  const quick = await bench.connected('quick');
  quick.send(subscribe([{ topic: 'kept', qos: 0 }]), { cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['kept'] } as Packet);
  await bench.settle();
  assert.deepEqual(
    quick.packets().map(({ cmd }) => cmd),
    ['suback', 'unsuback'],
  );
});

test('a retained message that can not be stored is not acknowledged, whatever its QoS, and the server goes on', async () => {
  await using bench = await TestBench.open();
  const publishers = [await bench.connected('zero'), await bench.connected('one')];
  await bench.store[Symbol.asyncDispose]();
  for (const [qos, publisher] of publishers.entries()) {
    publisher.send(publishPacket('kept', 'value', { qos: qos as 0 | 1, retain: true }));
    await bench.settle();
    assert.equal(publisher.channel.closed, true);
    assert.ok(publisher.packets().every(({ cmd }) => cmd !== 'puback'));
  }
  assert.equal(bench.faults.filter((line) => line.includes('"a message could not be stored"')).length, 2, bench.faults.join());
});

test('who sends retained messages is not read from faster than they are stored', async () => {
  await using bench = await TestBench.open();
  const publisher = await bench.connected('p');
  const held = Promise.withResolvers<void>();
  const writing = bench.store.write(() => held.promise);
  publisher.send(publishPacket('a', '1', { qos: 1, messageId: 1, retain: true }));
  publisher.send(publishPacket('a', '2', { qos: 1, messageId: 2, retain: true }));
  await bench.settle();
  assert.ok(publisher.unread > 0);
  assert.deepEqual(publisher.packets(), []);
  held.resolve();
  await writing;
  await bench.settle();
  assert.equal(publisher.unread, 0);
  assert.deepEqual(
    publisher.packets().map((p) => p.messageId),
    [1, 2],
  );
});
