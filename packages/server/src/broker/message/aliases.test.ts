/** Topic aliases from the server (MQTT5 3.3.2.3.4): only for a client that allows them, and as many as it allows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packet } from 'mqtt-packet';
import { publishPacket, TestBench } from '../test-bench.ts';

test('a topic is named once, with its alias, and left out from then on; topics beyond the maximum keep their name', async () => {
  await using bench = await TestBench.open();
  const plain = await bench.subscribed('plain', '#', 1, { level: 5 });
  const peer = await bench.subscribed('c', '#', 1, { level: 5, properties: { topicAliasMaximum: 2 } });
  const publisher = await bench.connected('p', { level: 5 });
  publisher.send(
    publishPacket('one', '1'),
    publishPacket('two', '2', { qos: 1, messageId: 1, properties: { contentType: 'text/plain' } }),
    publishPacket('three', '3'),
    publishPacket('one', '4'),
    publishPacket('two', '5', { qos: 1, messageId: 2, properties: { userProperties: { k: 'v' } } }),
    publishPacket('three', '6'),
  );
  await bench.settle();
  const shown = (packets: Packet[]): unknown[] =>
    packets.flatMap((p) => (p.cmd === 'publish' ? [[p.topic, p.properties?.topicAlias, p.payload.toString()]] : []));
  const got = peer.packets();
  assert.deepEqual(shown(got), [
    ['one', 1, '1'],
    ['two', 2, '2'],
    ['three', undefined, '3'],
    ['', 1, '4'],
    ['', 2, '5'],
    ['three', undefined, '6'],
  ]);
  const second = got[1];
  assert.equal(second?.cmd === 'publish' && second.properties?.contentType, 'text/plain');
  assert.equal(shown(plain.packets()).filter((row) => (row as unknown[])[1] !== undefined).length, 0);
});

test('a packet that is sent again names its topic, whatever the alias', async () => {
  await using bench = await TestBench.open();
  const peer = await bench.subscribed('c', '#', 1, { level: 5, properties: { topicAliasMaximum: 8 } });
  const publisher = await bench.connected('p');
  publisher.send(publishPacket('one', '1', { qos: 1, messageId: 1 }), publishPacket('one', '2', { qos: 1, messageId: 2 }));
  await bench.settle();
  assert.deepEqual(
    peer.publishes().map(({ topic }) => topic),
    ['one', ''],
  );
  await bench.pass(31);
  assert.deepEqual(
    peer.publishes().map(({ topic, payload }) => [topic, payload]),
    [
      ['one', '1'],
      ['one', '2'],
    ],
  );
});
