/** A process that stood still reads what came meanwhile before it looks at anybody's silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { Standstill } from '../runtime/standstill.ts';
import { TestBench } from './test-bench.ts';

const PING = { cmd: 'pingreq' } as const;
const subscriptionExpiry = { level: 5 as const, clean: false, properties: { sessionExpiryInterval: 60 } };

test('clients whose pings wait in their sockets stay; those that have said nothing go a moment later', async () => {
  await using bench = await TestBench.open();
  const alive = await bench.connected('alive', { keepalive: 30 });
  const dead = await bench.connected('dead', { keepalive: 30 });
  await bench.pass(44);
  bench.standStill(50);
  // What waited in the socket comes after the timers.
  alive.send(PING);
  await bench.settle();
  assert.deepEqual([alive.channel.closed, dead.channel.closed], [false, false]);
  await bench.pass(6);
  assert.deepEqual([alive.channel.closed, dead.channel.closed], [false, true]);
});

test('a CONNECT that waits, an acknowledgement that waits, and a client that is about to come back have their time too', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', 'wills/#', 0, { keepalive: 1200 });
  const will = { topic: 'wills/w', payload: Buffer.from('gone'), qos: 0, retain: false, properties: { willDelayInterval: 20 } };
  (await bench.connected('back', { ...subscriptionExpiry, will })).client.ended();
  const receiver = await bench.subscribed('receiver', 'a', 1, { keepalive: 1200 });
  const publisher = await bench.connected('publisher', { keepalive: 1200 });
  publisher.send({ cmd: 'publish', topic: 'a', payload: 'x', qos: 1, messageId: 1, dup: false, retain: false } as Packet);
  await bench.settle();
  const messageId = receiver.publishes()[0]?.messageId;
  const fresh = bench.peer();
  bench.standStill(70);
  fresh.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'fresh', clean: true, keepalive: 60 } as Packet);
  receiver.send({ cmd: 'puback', messageId } as Packet);
  await bench.settle();
  assert.equal(fresh.packets()[0]?.cmd, 'connack');
  assert.deepEqual(receiver.publishes(), []);
  await bench.pass(1);
  const back = bench.peer(5);
  back.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId: 'back',
    clean: false,
    keepalive: 60,
    properties: subscriptionExpiry.properties,
  } as Packet);
  await bench.settle();
  const [connack] = back.packets();
  assert.equal(connack?.cmd === 'connack' && connack.sessionPresent, true);
  await bench.pass(10);
  assert.deepEqual(watcher.publishes(), []);
});

test('permissions end at their time, whatever stood still', async () => {
  await using bench = await TestBench.open();
  bench.admissions.set('limited', { endsAfter: { seconds: 30, why: 'CUSTOMAUTH_TTL_EXPIRATION' } });
  const limited = await bench.connected('limited', { keepalive: 1200 });
  bench.standStill(50);
  assert.equal(limited.channel.closed, true);
});

test('a process that stands still again and again enforces deadlines once after each grace', () => {
  let now = 1;
  const standstill = new Standstill({ now: () => now, monotonic: () => now });
  const enforced: boolean[] = [];
  for (let i = 0; i < 8; i += 1) {
    now += 3_000;
    enforced.push(standstill.mayEnforceDeadlines());
  }
  assert.deepEqual(enforced, [false, false, true, false, false, true, false, false]);
});
