/** Lifecycle events (fact sheet 7.2 and 7.3; developer guide, page life-cycle-events). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { ACCOUNT, TestBench, type TestPeer } from '../broker/test-bench.ts';
import { Lifecycle } from './lifecycle.ts';

const openBench = async (): Promise<TestBench> => {
  const bench = await TestBench.open();
  const { clock, messaging } = bench.broker;
  messaging.onConnections(new Lifecycle({ clock, messaging }));
  return bench;
};
type Event = Record<string, unknown>;
const events = (peer: TestPeer): [topic: string, event: Event][] =>
  peer.publishes().map(({ topic, payload, messageId }) => {
    peer.send({ cmd: 'puback', messageId, reasonCode: 0 } as Packet);
    return [topic, JSON.parse(payload) as Event];
  });
const watching = async (bench: TestBench, filter = '$aws/events/presence/#'): Promise<TestPeer> => {
  const watcher = await bench.subscribed('watcher', filter, 1, { keepalive: 1200 });
  await bench.settle();
  events(watcher);
  return watcher;
};

test('a connection and its end are told with one session identifier and one version number', async () => {
  await using bench = await openBench();
  bench.admissions.set('lamp', { principalId: 'cert-id', thingName: 'kitchen-lamp' });
  const watcher = await watching(bench);
  const lamp = await bench.connected('lamp');
  lamp.send({ cmd: 'disconnect' } as Packet);
  await bench.settle();
  const [[connectedTopic, connected], [goneTopic, gone]] = events(watcher) as [[string, Event], [string, Event]];
  const { sessionIdentifier } = connected;
  const timestamp = bench.broker.clock.now();
  const common = { clientId: 'lamp', thingName: 'kitchen-lamp', timestamp, sessionIdentifier, principalIdentifier: 'cert-id' };
  assert.equal(connectedTopic, '$aws/events/presence/connected/lamp');
  assert.deepEqual(connected, { ...common, eventType: 'connected', ipAddress: '192.0.2.7', versionNumber: 0 });
  assert.equal(goneTopic, '$aws/events/presence/disconnected/lamp');
  assert.deepEqual(gone, {
    ...common,
    eventType: 'disconnected',
    clientInitiatedDisconnect: true,
    disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
    versionNumber: 0,
  });
});

test('each way to end has its reason', async () => {
  await using bench = await openBench();
  const watcher = await watching(bench, '$aws/events/presence/disconnected/c');
  const endings: [string, (peer: TestPeer) => unknown][] = [
    ['CONNECTION_LOST', (peer) => peer.client.ended()],
    ['CLIENT_ERROR', (peer) => peer.raw(Buffer.from('f000', 'hex'))],
    ['MQTT_KEEP_ALIVE_TIMEOUT', () => bench.pass(100)],
    ['DUPLICATE_CLIENTID', () => bench.connected('c')],
  ];
  for (const [reason, end] of endings) {
    await end(await bench.connected('c'));
    await bench.settle();
    const [[, event] = []] = events(watcher);
    assert.equal(event?.disconnectReason, reason);
    assert.equal(event?.clientInitiatedDisconnect, false);
  }
});

test('a client that leaves has initiated it: by DISCONNECT of any reason code, or by the Close frame of a WebSocket', async () => {
  await using bench = await openBench();
  const watcher = await watching(bench, '$aws/events/presence/disconnected/c');
  const wills = await bench.subscribed('wills', 'w');
  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false };
  const codes = ['00', '04', '80', '81', '82', '83', '90', '93', '94', '95', '96', '97', '98', '99'];
  const endings: [name: string, byPacket: boolean, end: (peer: TestPeer) => unknown][] = [
    ...codes.map((code): (typeof endings)[number] => [code, true, (peer) => peer.raw(Buffer.from(`e001${code}`, 'hex'))]),
    ['a Close frame', false, (peer) => peer.client.ended('close-frame')],
  ];
  for (const [name, byPacket, end] of endings) {
    end(await bench.connected('c', { level: 5, will }));
    await bench.settle();
    const [[, event] = []] = events(watcher);
    assert.deepEqual(
      [event?.disconnectReason, event?.clientInitiatedDisconnect],
      ['CLIENT_INITIATED_DISCONNECT', byPacket],
      name,
    );
    assert.equal(wills.publishes().length, name === '00' || !byPacket ? 0 : 1, `the will of ${name}`); // [MQTT5 3.1.2-8]
  }
});

test('who is not let in is told of too, when its account is known; client ids with wildcards are not', async () => {
  await using bench = await openBench();
  const watcher = await watching(bench);
  const refused = { check: 'policy' as const, reason: 'no', accountId: ACCOUNT, region: 'us-east-1', certificateId: 'cert-id' };
  bench.admissions.set('c', { refused });
  bench.admissions.set('stranger', { refused: { check: 'certificate-unknown', reason: 'no' } });
  for (const clientId of ['c', 'stranger', 'a+b'])
    bench.peer().send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean: true, keepalive: 60 } as Packet);
  await bench.settle();
  const all = events(watcher);
  assert.equal(all.length, 1);
  const [[topic, { sessionIdentifier, ...event }] = ['', {} as Event]] = all;
  assert.equal(topic, '$aws/events/presence/connect_failed/c');
  assert.match(String(sessionIdentifier), /^[0-9a-f-]{36}$/);
  assert.deepEqual(event, {
    clientId: 'c',
    timestamp: bench.broker.clock.now(),
    eventType: 'connect_failed',
    principalIdentifier: 'cert-id',
    ipAddress: '192.0.2.7',
    connectFailureReason: 'AUTHORIZATION_FAILED',
  });
});

test('one event for a packet tells all filters that were granted, or given up', async () => {
  await using bench = await openBench();
  const watcher = await watching(bench, '$aws/events/subscriptions/#');
  const peer = await bench.connected('c', { level: 5 });
  peer.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [
      { topic: 'a', qos: 0 },
      { topic: '#/wrong', qos: 0 },
      { topic: '$share/g/b', qos: 1 },
    ],
  } as Packet);
  peer.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a', 'unknown'] } as Packet);
  await bench.settle();
  assert.deepEqual(
    events(watcher).map(([topic, { eventType, topics }]) => [topic, eventType, topics]),
    [
      ['$aws/events/subscriptions/subscribed/c', 'subscribed', ['a', '$share/g/b']],
      ['$aws/events/subscriptions/unsubscribed/c', 'unsubscribed', ['a']],
    ],
  );
});
