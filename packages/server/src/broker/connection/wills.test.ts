/** Wills: every way in which a connection ends, and what may still be published then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { MEMORY } from '../../runtime/memory.ts';
import { hex, type Level, publishPacket, permissionsOf, TestBench, TestPeer } from '../test-bench.ts';

const WILL = { topic: 'wills/w', payload: Buffer.from('gone'), qos: 1, retain: false };

type Ending = (peer: TestPeer, bench: TestBench) => unknown;
const ENDINGS: readonly [string, boolean, readonly Level[], Ending][] = [
  ['the network is lost [MQTT-3.1.2-8]', true, [4, 5], (peer) => peer.client.ended()],
  ['DISCONNECT [MQTT-3.14.4-3]', false, [4, 5], (peer) => peer.raw(hex('e000'))],
  ['DISCONNECT with reason 0', false, [5], (peer) => peer.raw(hex('e0 02 00 00'))],
  ['DISCONNECT that asks for the will (0x04)', true, [5], (peer) => peer.raw(hex('e0 01 04'))],
  ['DISCONNECT for a fault (0x81) [MQTT-3.1.2-8]', true, [5], (peer) => peer.raw(hex('e0 01 81'))],
  ['a malformed packet', true, [4, 5], (peer) => peer.raw(hex('3603 0001 61'))],
  ['a malformed DISCONNECT [MQTT-3.14.1-1]', true, [4, 5], (peer) => peer.raw(hex('e100'))],
  ['a second CONNECT', true, [4, 5], (peer) => peer.raw(hex('10 0d 0004 4d515454 04 02 003c 0001 63'))],
  ['silence beyond one and a half keep-alives [MQTT-3.1.2-22]', true, [4, 5], (_, bench) => bench.pass(91)],
  ['take-over by the same client id', true, [4, 5], (_, bench) => bench.connected('mortal')],
  ['a forbidden publish', true, [4, 5], (peer) => peer.send(publishPacket('forbidden', 'x'))],
  ['the server is stopping', true, [4, 5], (peer) => peer.client.close('SERVER_INITIATED_DISCONNECT', 0x8b)],
];
for (const [name, fires, levels, end] of ENDINGS)
  for (const level of levels)
    test(`v${level}: ${name} ${fires ? 'publishes' : 'discards'} the will`, async () => {
      await using bench = await TestBench.open();
      const watcher = await bench.subscribed('watcher', 'wills/#', 1, { keepalive: 1200 });
      bench.permissions.set(
        'mortal',
        permissionsOf((_, topic) => topic !== 'forbidden'),
      );
      const mortal = await bench.connected('mortal', { level, will: WILL });
      await end(mortal, bench);
      await bench.settle();
      assert.equal(mortal.channel.closed, true);
      assert.deepEqual(
        watcher.publishes().map(({ topic, payload, qos }) => [topic, payload, qos]),
        fires ? [['wills/w', 'gone', 1]] : [],
      );
      assert.equal(bench.broker.account('000000000000').clients.get('mortal') === mortal.client, false);
    });

test('a will is published once, however often the end is told', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', 'wills/#');
  const mortal = await bench.connected('mortal', { will: WILL });
  mortal.raw(hex('f000'));
  mortal.client.ended();
  mortal.client.ended();
  await bench.settle();
  assert.equal(watcher.publishes().length, 1);
});

test('the will of a client that has lost its permissions is not published: authorized at CONNECT and again when it fires', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', 'wills/#');
  const mortal = await bench.connected('mortal', { will: WILL });
  mortal.client.permissions.revoke();
  mortal.client.ended();
  await bench.settle();
  assert.deepEqual(watcher.packets(), []);
  assert.deepEqual([bench.refusals.at(-1)?.action, bench.refusals.at(-1)?.clientId], ['iot:Publish', 'mortal']);
});

test('a retained will needs iot:RetainPublish still, and is retained [MQTT-3.1.2-17]', async () => {
  await using bench = await TestBench.open();
  const will = { ...WILL, retain: true };
  (await bench.connected('mortal', { will })).client.ended();
  await bench.settle();
  const late = await bench.connected('late');
  late.raw(hex('82 0c 0001 0007 77696c6c732f77 00'));
  await bench.settle();
  const message = late.packets().at(-1) as IPublishPacket;
  assert.deepEqual([message.payload.toString(), message.retain], ['gone', true]);
  const watcher = await bench.subscribed('watcher', 'wills/#');
  const limited = await bench.connected('mortal', { will });
  limited.client.permissions.replace(permissionsOf((action) => action !== 'iot:RetainPublish'));
  limited.client.ended();
  await bench.settle();
  assert.deepEqual(watcher.packets(), []);
});

test('will properties go with the will, its delay does not; the expiry is kept within its limits (developer guide, page mqtt)', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', 'wills/#', 0, { level: 5 });
  const properties = {
    willDelayInterval: 5,
    messageExpiryInterval: 700_000,
    contentType: 't',
    correlationData: Buffer.from('c'),
    userProperties: { k: 'v' },
  };
  (await bench.connected('mortal', { level: 5, will: { ...WILL, properties } })).client.ended();
  await bench.settle();
  const [message] = watcher.packets() as [IPublishPacket];
  assert.deepEqual(
    [
      message.properties?.contentType,
      message.properties?.messageExpiryInterval,
      message.properties?.correlationData?.toString(),
      { ...message.properties?.userProperties },
    ],
    ['t', 604_800, 'c', { k: 'v' }],
  );
});

test('two clients that are each other’s watchers and go together leave the broker standing', async () => {
  await using bench = await TestBench.open();
  for (const id of ['one', 'two']) {
    const peer = await bench.connected(id, { will: WILL });
    peer.raw(hex('82 0c 0001 0007 77696c6c732f23 01'));
  }
  await bench.settle();
  bench.broker.close();
  await bench.settle();
  assert.equal(bench.broker.connections.count, 0);
  assert.deepEqual(bench.faults, []);
});

test('a will waits for its delay, and comes with the end of the session if that is earlier (MQTT5 3.1.3.2.2)', async () => {
  for (const [delay, expiry, after] of [
    [30, 600, 30],
    [600, 40, 40],
    [30, 0, 0],
  ] as const) {
    await using bench = await TestBench.open();
    const watcher = await bench.subscribed('watcher', 'wills/#', 0, { keepalive: 1200 });
    const mortal = await bench.connected('mortal', {
      level: 5,
      properties: { sessionExpiryInterval: expiry },
      will: { ...WILL, properties: { willDelayInterval: delay } },
    });
    mortal.client.ended();
    await bench.settle();
    if (after > 0) {
      await bench.pass(after - 1);
      assert.deepEqual(watcher.publishes(), []);
      await bench.pass(2);
    }
    assert.equal(watcher.publishes().length, 1, `delay ${delay}, expiry ${expiry}`);
  }
});

test('a client that comes back in time keeps its delayed will to itself; one that starts anew does not [MQTT-3.1.3-9]', async () => {
  for (const clean of [false, true]) {
    await using bench = await TestBench.open();
    const watcher = await bench.subscribed('watcher', 'wills/#', 0, { keepalive: 1200 });
    const properties = { sessionExpiryInterval: 600 };
    const mortal = await bench.connected('mortal', {
      level: 5,
      properties,
      will: { ...WILL, properties: { willDelayInterval: 30 } },
    });
    mortal.client.ended();
    await bench.settle();
    await bench.connected('mortal', { level: 5, clean, properties });
    await bench.pass(31);
    assert.equal(watcher.publishes().length, clean ? 1 : 0);
  }
});

test('a delayed will is authorized by the permissions of the moment when it comes', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', 'wills/#', 0, { keepalive: 1200 });
  const peer = new TestPeer(bench.broker, 5, bench.authorizer, 'cert');
  peer.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId: 'mortal',
    clean: true,
    keepalive: 60,
    properties: { sessionExpiryInterval: 600 },
    will: { ...WILL, properties: { willDelayInterval: 30 } },
  } as Packet);
  await bench.settle();
  peer.client.ended();
  // A change of the certificate's policies authorizes pending wills anew.
  bench.permissions.set(
    'mortal',
    permissionsOf(() => false),
  );
  for (const client of bench.broker.connections.clientsOf('cert')) await client.permissions.reauthorize();
  await bench.pass(31);
  assert.deepEqual(watcher.publishes(), []);
  assert.equal(bench.refusals.at(-1)?.action, 'iot:Publish');
});

test('wills have a share of the memory: beyond it a CONNECT with one is refused, and told; what ends gives its room back', async () => {
  await using bench = await TestBench.open();
  const { register } = bench.broker;
  const room = MEMORY.wills;
  const live = await bench.connected('live', { will: WILL });
  assert.equal(register.willBytes, 4 + 7);
  const late = await bench.connected('late', {
    level: 5,
    properties: { sessionExpiryInterval: 600 },
    will: { ...WILL, properties: { willDelayInterval: 30 } },
  });
  late.client.ended();
  await bench.settle();
  assert.equal(register.willBytes, 22, 'one that waits counts');
  register.addWillBytes(room - 22);
  await assert.rejects(bench.connected('one-more', { level: 5, will: WILL }), /reasonCode":151/);
  assert.equal(bench.refusals.at(-1)?.check, 'limit');
  await bench.connected('without');
  register.addWillBytes(22 - room);
  live.client.ended();
  await bench.pass(31);
  assert.equal(register.willBytes, 0);
});
