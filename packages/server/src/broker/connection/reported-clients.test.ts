/**
 * What clients do that works, and that their owner has to hear of all the same: two connections with one client id, and topics
 * of services that are not there yet. One record of each in a while.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { publishPacket, TestBench } from '../test-bench.ts';

const subscribe = (topic: string): Packet => ({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic, qos: 0 }] }) as Packet;

test('two devices with one client id: the record names both, and says what to do', async () => {
  await using bench = await TestBench.open();
  bench.admissions.set('same', { principal: 'cert/one' });
  await bench.connected('same');
  bench.admissions.set('same', { principal: 'cert/two' });
  await bench.connected('same');
  assert.deepEqual(bench.refusals, [
    {
      protocol: 'mqtt',
      sourceIp: '192.0.2.7',
      certificateId: undefined,
      clientId: 'same',
      accountId: '000000000000',
      region: 'us-east-1',
      principal: 'cert/one',
      check: 'take-over',
      reason:
        'two connections use the client id same: cert/one from 192.0.2.7 port 40000 was replaced by cert/two from 192.0.2.7 port 40000: give each device a client id of its own.',
      action: 'iot:Connect',
    },
  ]);
});

test('two devices that throw each other out leave one record a minute, which counts the others', async () => {
  await using bench = await TestBench.open();
  for (let i = 0; i < 20; i += 1) await bench.connected('same', { keepalive: 1200 });
  assert.equal(bench.refusals.length, 1);
  assert.match(bench.refusals[0]?.reason ?? '', /needs nothing; two devices or programs need a client id each\.$/);
  await bench.pass(60);
  await bench.connected('same');
  assert.match(bench.refusals.at(-1)?.reason ?? '', /It happened 18 more times/);
  assert.equal(bench.refusals.length, 2);
});

test('a take-over that waits for its claim is recorded as well', async () => {
  await using bench = await TestBench.open();
  let grant = (): void => {};
  bench.claiming = { before: new Promise((resolve) => (grant = resolve)) };
  const connect = {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'same',
    clean: true,
    keepalive: 60,
  } as const;
  bench.peer().send(connect as Packet);
  await bench.settle();
  bench.peer().send(connect as Packet);
  await bench.settle();
  grant();
  await bench.settle();
  assert.deepEqual(
    bench.refusals.map(({ check }) => check),
    ['take-over'],
  );
});

test('a topic of a service that is not there is recorded once for each client, service and action', async () => {
  await using bench = await TestBench.open();
  const client = await bench.connected('lamp');
  for (let i = 0; i < 5; i += 1) {
    client.send(publishPacket('$aws/things/lamp/defender/metrics/json', '', { qos: 1 }));
    client.send(publishPacket('$aws/things/lamp/defender/metrics/cbor', '{}'));
  }
  client.send(publishPacket('$aws/device_location/lamp/get_position_estimate', '{}'));
  client.send(
    subscribe('$aws/things/lamp/defender/metrics/json/accepted'),
    subscribe('$aws/things/lamp/defender/metrics/json/rejected'),
  );
  client.send(subscribe('$aws/events/presence/connected/+'), subscribe('$aws/events/#'), subscribe('a/b'));
  client.send(publishPacket('a/b', 'x'), publishPacket('$aws/rules/r', 'x'));
  await bench.settle();
  assert.equal(client.channel.closed, false);
  assert.deepEqual(
    bench.refusals.map(({ check, clientId, reason }) => [check, clientId, reason]),
    [
      [
        '$aws/things/lamp/defender/metrics/json: Device Defender metrics',
        'iot:Publish',
        'the message is acknowledged, and no answer will come',
      ],
      [
        '$aws/device_location/lamp/get_position_estimate: device locations',
        'iot:Publish',
        'the message is acknowledged, and no answer will come',
      ],
      [
        '$aws/things/lamp/defender/metrics/json/accepted: Device Defender metrics',
        'iot:Subscribe',
        'the subscription is granted, and no message will come',
      ],
    ].map(([on, action, effect]) => [
      'not-implemented',
      'lamp',
      `${action} on ${on} are not in Thingkeep yet: ${effect}. COMPATIBILITY.md lists what is there.`,
    ]),
  );
});

test('a topic of a service that is there is recorded by nobody', async () => {
  await using bench = await TestBench.open();
  bench.broker.messaging.serve([{ pattern: '$aws/things/{thingName}/defender/metrics/json', serve: async () => [] }]);
  const client = await bench.connected('lamp');
  client.send(
    publishPacket('$aws/things/lamp/defender/metrics/json', ''),
    subscribe('$aws/things/lamp/defender/metrics/json/accepted'),
  );
  await bench.settle();
  assert.deepEqual(bench.refusals, []);
});
