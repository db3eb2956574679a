/** CONNECT: who is let in, how, and what is said to those who are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IConnackPacket, Packet } from 'mqtt-packet';
import { ACCOUNT, hex, type Level, publishPacket, permissionsOf, TestBench } from '../test-bench.ts';

const connect = (level: Level, more: object = {}): Packet =>
  ({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: level, clientId: 'c', clean: true, keepalive: 60, ...more }) as Packet;

/** Sends the packet as the first of a connection; what comes back, and whether the connection has ended. */
async function answer(bench: TestBench, level: Level, packet: Packet | Buffer): Promise<{ packets: Packet[]; closed: boolean }> {
  const peer = bench.peer(level);
  if (Buffer.isBuffer(packet)) peer.raw(packet);
  else peer.send(packet);
  await bench.settle();
  return { packets: peer.packets(), closed: peer.channel.closed };
}

test('MQTT 3.1.1 gets CONNACK 0 without a session present [MQTT-3.2.2-1, MQTT-3.2.2-2]', async () => {
  await using bench = await TestBench.open();
  for (const clean of [true, false]) {
    const { packets, closed } = await answer(bench, 4, connect(4, { clean, clientId: `c-${clean}` }));
    assert.equal(closed, false);
    const [{ cmd, returnCode, sessionPresent }] = packets as [IConnackPacket];
    assert.deepEqual({ cmd, returnCode, sessionPresent }, { cmd: 'connack', returnCode: 0, sessionPresent: false });
  }
});

test('MQTT 5 is told the limits (developer guide, page mqtt: supported MQTT 5 properties)', async () => {
  await using bench = await TestBench.open();
  const { packets } = await answer(bench, 5, connect(5, { properties: { sessionExpiryInterval: 100_000 } }));
  const { properties } = packets[0] as IConnackPacket;
  assert.deepEqual(
    { ...properties },
    {
      sessionExpiryInterval: 3600,
      receiveMaximum: 100,
      maximumQoS: 1,
      retainAvailable: true,
      maximumPacketSize: 146 * 1024,
      topicAliasMaximum: 8,
      wildcardSubscriptionAvailable: true,
      subscriptionIdentifiersAvailable: false,
      sharedSubscriptionAvailable: true,
    },
  );
});

test('the server names the keep-alive that it keeps: 30 to 1200 seconds, 0 is the most [MQTT-3.1.2-21]', async () => {
  await using bench = await TestBench.open();
  for (const [asked, kept] of [
    [0, 1200],
    [1, 30],
    [29, 30],
    [30, undefined],
    [60, undefined],
    [1200, undefined],
    [1201, 1200],
    [65_535, 1200],
  ]) {
    const { packets } = await answer(bench, 5, connect(5, { keepalive: asked, clientId: `k-${asked}` }));
    assert.equal((packets[0] as IConnackPacket).properties?.serverKeepAlive, kept, `keep-alive ${asked}`);
  }
});

test('an empty client id is given one, and told so in MQTT 5 [MQTT-3.1.3-6, MQTT-3.1.3-7]', async () => {
  await using bench = await TestBench.open();
  const five = await answer(bench, 5, connect(5, { clientId: '' }));
  assert.match((five.packets[0] as IConnackPacket).properties?.assignedClientIdentifier ?? '', /^[0-9a-f-]{36}$/);
  const four = await answer(bench, 4, connect(4, { clientId: '' }));
  assert.equal((four.packets[0] as IConnackPacket).returnCode, 0);
});

test('MQTT 3.1.1 without client id and clean session gets return code 2 [MQTT-3.1.3-8]', async () => {
  await using bench = await TestBench.open();
  const { packets, closed } = await answer(bench, 4, hex('10 0c 0004 4d515454 04 00 003c 0000'));
  assert.equal((packets[0] as IConnackPacket).returnCode, 2);
  assert.equal(closed, true);
});

test('a client id of 128 bytes is fine and one of 129 is not, in bytes of UTF-8 (General Reference, client ID size)', async () => {
  await using bench = await TestBench.open();
  for (const id of ['x'.repeat(128), 'é'.repeat(64)])
    assert.equal(((await answer(bench, 5, connect(5, { clientId: id }))).packets[0] as IConnackPacket).reasonCode, 0);
  for (const id of ['x'.repeat(129), `${'é'.repeat(64)}x`, '$x']) {
    const five = await answer(bench, 5, connect(5, { clientId: id }));
    assert.equal((five.packets[0] as IConnackPacket).reasonCode, 0x85);
    assert.equal(five.closed, true);
    const four = await answer(bench, 4, connect(4, { clientId: id }));
    assert.equal((four.packets[0] as IConnackPacket).returnCode, 2);
    assert.equal(four.closed, true);
  }
});

test('another protocol level is answered in kind [MQTT-3.1.2-2]', async () => {
  await using bench = await TestBench.open();
  const cases: [string, string][] = [
    ['10 0d 0004 4d515454 03 02 003c 0001 63', '20020001'],
    ['10 0f 0006 4d5149736470 03 02 003c 0001 63', '20020001'],
    ['10 0d 0004 4d515454 06 02 003c 0001 63', '2003008400'],
  ];
  for (const [sent, expected] of cases) {
    const peer = bench.peer().raw(hex(sent));
    await bench.settle();
    assert.equal(peer.channel.take().toString('hex'), expected);
    assert.equal(peer.channel.closed, true);
  }
});

test('a first packet that is no CONNECT ends the connection without a word [MQTT-3.1.0-1]', async () => {
  await using bench = await TestBench.open();
  for (let first = 0; first < 256; first += 1) {
    if (first === 0x10) continue;
    const peer = bench.peer().raw(Buffer.of(first));
    assert.equal(peer.channel.closed, true, `first byte ${first}`);
    assert.equal(peer.channel.bytesWritten, 0);
  }
  assert.equal(bench.broker.connections.count, 0);
});

test('a huge announced CONNECT is refused by its header, before its body [MQTT5 4.13]', async () => {
  await using bench = await TestBench.open();
  const peer = bench.peer().raw(hex('10 ffffff7f'));
  assert.equal(peer.channel.closed, true);
});

test('a second CONNECT is a protocol error [MQTT-3.1.0-2]', async () => {
  await using bench = await TestBench.open();
  for (const level of [4, 5] as const) {
    const peer = await bench.connected('twice', { level });
    peer.send(connect(level, { clientId: 'twice' }));
    await bench.settle();
    assert.equal(peer.channel.closed, true);
    assert.deepEqual(
      peer.packets().map((p) => ('reasonCode' in p ? p.reasonCode : p.cmd)),
      level === 5 ? [0x82] : [],
    );
  }
});

test('a will of QoS 2 is refused with 0x9B [MQTT-3.2.2-12]; MQTT 3.1.1 is closed', async () => {
  await using bench = await TestBench.open();
  const will = { topic: 'w', payload: Buffer.from('x'), qos: 2, retain: false };
  const five = await answer(bench, 5, connect(5, { will }));
  assert.equal((five.packets[0] as IConnackPacket).reasonCode, 0x9b);
  assert.equal(five.closed, true);
  assert.deepEqual(await answer(bench, 4, connect(4, { will })), { packets: [], closed: true });
});

test('a Maximum Packet Size under 512 bytes and enhanced authentication are refused (developer guide, page mqtt)', async () => {
  await using bench = await TestBench.open();
  const small = await answer(bench, 5, connect(5, { properties: { maximumPacketSize: 511 } }));
  assert.equal((small.packets[0] as IConnackPacket).reasonCode, 0x97);
  const authentication = await answer(bench, 5, connect(5, { properties: { authenticationMethod: 'SCRAM' } }));
  assert.equal((authentication.packets[0] as IConnackPacket).reasonCode, 0x80);
  assert.ok(small.closed && authentication.closed);
});

test('will properties beyond their limits are said in CONNACK', async () => {
  await using bench = await TestBench.open();
  const will = { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false, properties: { contentType: 'x'.repeat(257) } };
  const { packets, closed } = await answer(bench, 5, connect(5, { will }));
  assert.equal((packets[0] as IConnackPacket).reasonCode, 0x97);
  assert.equal(closed, true);
});

test('a will topic that is no topic is refused', async () => {
  await using bench = await TestBench.open();
  for (const topic of ['a/#', 'a/+/b', 'x'.repeat(257), 'a/b/c/d/e/f/g/h/i']) {
    const will = { topic, payload: Buffer.from('x'), qos: 0, retain: false };
    assert.equal(((await answer(bench, 5, connect(5, { will }))).packets[0] as IConnackPacket).reasonCode, 0x90, topic);
    assert.deepEqual(await answer(bench, 4, connect(4, { will })), { packets: [], closed: true });
  }
});

test('a refused CONNECT: MQTT 5 gets 0x87, MQTT 3.1.1 is closed without a word (developer guide, page mqtt)', async () => {
  await using bench = await TestBench.open();
  bench.admissions.set('nobody', { refused: { check: 'certificate-unknown', reason: 'the certificate is not registered' } });
  const five = await answer(bench, 5, connect(5, { clientId: 'nobody' }));
  assert.equal((five.packets[0] as IConnackPacket).reasonCode, 0x87);
  assert.equal(five.closed, true);
  assert.deepEqual(await answer(bench, 4, connect(4, { clientId: 'nobody' })), { packets: [], closed: true });
  assert.deepEqual(
    bench.refusals.map(({ check, clientId }) => `${check} ${clientId}`),
    Array(2).fill('certificate-unknown nobody'),
  );
});

test('what follows CONNECT waits for the authorization, and is served in order after it [MQTT-3.1.4-5]', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', 'a');
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.admitting = promise;
  const peer = bench.peer(4);
  peer.send(connect(4, { clientId: 'ahead' }), publishPacket('a', '1'), publishPacket('a', '2'));
  peer.client.receive(hex('30 04 0001 61 33'));
  peer.client.receive(hex('c0'));
  await bench.settle();
  assert.equal(peer.channel.paused, true);
  assert.deepEqual(watcher.publishes(), []);
  resolve();
  await bench.settle();
  assert.equal(peer.channel.paused, false);
  assert.deepEqual(
    watcher.publishes().map(({ payload }) => payload),
    ['1', '2', '3'],
  );
  peer.raw(hex('00'));
  await bench.settle();
  assert.deepEqual(
    peer.packets().map(({ cmd }) => cmd),
    ['connack', 'pingresp'],
  );
});

test('what a refused client sent ahead is never served', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', '#');
  bench.admissions.set('nobody', { refused: { check: 'policy', reason: 'no' } });
  const will = { topic: 'w', payload: Buffer.from('will'), qos: 0, retain: false };
  bench.peer(4).send(connect(4, { clientId: 'nobody', will }), publishPacket('a', '1'));
  await bench.settle();
  assert.deepEqual(watcher.publishes(), []);
});

test('a client that sends on and on while its CONNECT is authorized is cut off at 256 KiB', async () => {
  await using bench = await TestBench.open();
  bench.admitting = new Promise(() => {});
  const peer = bench.peer(4).send(connect(4));
  for (let i = 0; i < 5; i += 1) peer.client.receive(Buffer.alloc(60_000, 0x30));
  assert.equal(peer.channel.closed, true);
});

test('silence before CONNECT ends after 10 seconds, a CONNECT byte by byte too', async () => {
  await using bench = await TestBench.open();
  const silent = bench.peer();
  const slow = bench.peer();
  for (const byte of hex('10 0d 0004 4d515454 04')) {
    slow.raw(Buffer.of(byte));
    await bench.pass(1);
  }
  assert.equal(silent.channel.closed, false);
  await bench.pass(2);
  assert.equal(silent.channel.closed, true);
  assert.equal(slow.channel.closed, true);
  assert.equal(bench.broker.connections.count, 0);
});

test('a connection of the same client id takes over [MQTT-3.1.4-3]; MQTT 5 is told 0x8E', async () => {
  await using bench = await TestBench.open();
  for (const level of [4, 5] as const) {
    const old = await bench.connected('same', { level });
    const fresh = await bench.connected('same', { level });
    assert.equal(old.channel.closed, true);
    assert.deepEqual(
      old.packets().map((p) => ('reasonCode' in p ? p.reasonCode : p.cmd)),
      level === 5 ? [0x8e] : [],
    );
    fresh.send({ cmd: 'pingreq' });
    await bench.settle();
    assert.deepEqual(
      fresh.packets().map(({ cmd }) => cmd),
      ['pingresp'],
    );
    fresh.send({ cmd: 'disconnect' } as Packet);
  }
});

test('the same client id in two accounts is two clients', async () => {
  await using bench = await TestBench.open();
  const one = await bench.connected('same');
  bench.admissions.set('same', { accountId: '111111111111' });
  const two = await bench.subscribed('same', '#');
  one.send(publishPacket('a', 'for account one only'));
  await bench.settle();
  assert.equal(one.channel.closed, false);
  assert.deepEqual(two.publishes(), []);
  assert.deepEqual([one.client.account?.place.accountId, two.client.account?.place.accountId], [ACCOUNT, '111111111111']);
});

test('a will needs the right to publish at CONNECT, and to retain when it is retained (developer guide, page connect-policy)', async () => {
  await using bench = await TestBench.open();
  bench.permissions.set(
    'may-publish',
    permissionsOf((action) => action !== 'iot:RetainPublish'),
  );
  bench.permissions.set(
    'may-nothing',
    permissionsOf(() => false),
  );
  const will = (retain: boolean, topic = 'w') => ({ topic, payload: Buffer.from('x'), qos: 1, retain });
  const code = async (clientId: string, of: object): Promise<number | undefined> =>
    ((await answer(bench, 5, connect(5, { clientId, will: of }))).packets[0] as IConnackPacket).reasonCode;
  assert.equal(await code('may-publish', will(false)), 0);
  assert.equal(await code('may-publish', will(true)), 0x87);
  assert.equal(await code('may-nothing', will(false)), 0x87);
  assert.equal(await code('may-all', will(false, '$aws/events/presence/connected/x')), 0x87);
  assert.equal(await code('may-all', will(false, '$SYS/x')), 0x87);
});

test('a failure inside the authorization closes the connection and nothing else', async () => {
  await using bench = await TestBench.open();
  bench.admitting = Promise.reject(new Error('the authorizer is ill'));
  bench.admitting.catch(() => {});
  assert.deepEqual(await answer(bench, 4, connect(4)), { packets: [], closed: true });
  assert.equal(bench.faults.length, 1);
});

test('a stopping broker says goodbye and turns away newcomers (MQTT 5 reason 0x8B)', async () => {
  await using bench = await TestBench.open();
  const five = await bench.connected('five', { level: 5 });
  const four = await bench.connected('four');
  bench.broker.close();
  await bench.settle();
  assert.deepEqual(
    five.packets().map((p) => ('reasonCode' in p ? p.reasonCode : p.cmd)),
    [0x8b],
  );
  assert.deepEqual(four.packets(), []);
  assert.ok(five.channel.closed && four.channel.closed);
  assert.equal(bench.peer().channel.closed, true);
});

test('a CONNECT that once broke a broker on Node, found by a fuzzer (aedes, issue 612)', async () => {
  await using bench = await TestBench.open();
  const peer = bench.peer(5).raw(hex('101000044d5154540502003c0321001400006202d301e0020020'));
  await bench.settle();
  // A fine CONNECT of MQTT 5 with an empty client id, and a PUBREL behind it.
  assert.deepEqual(
    peer.packets().map((p) => ('reasonCode' in p ? p.reasonCode : undefined)),
    [0, 0x9b],
  );
  assert.equal(peer.channel.closed, true);
});
