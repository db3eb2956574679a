/** User properties may have 8 KB together, on every packet that has them (developer guide, page mqtt: fact sheet 2.5). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { Packet } from 'mqtt-packet';
import { type ConnectOptions, TestBench } from '../test-bench.ts';

const userProperties = (bytes: number): object => ({ userProperties: { a: 'x'.repeat(bytes - 3), b: '1' } });
const FITS = userProperties(LIMITS.userPropertyBytes);
const TOO_MANY = userProperties(LIMITS.userPropertyBytes + 1);

const PACKETS = (properties: object): readonly (readonly [string, Packet])[] => [
  ['suback', { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't', qos: 0 }], properties } as Packet],
  ['unsuback', { cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['t'], properties } as Packet],
];

for (const [answer, packet] of PACKETS(FITS))
  test(`${packet.cmd}: 8 KB are fine`, async () => {
    await using bench = await TestBench.open();
    const peer = await bench.connected('c', { level: 5 });
    peer.send(packet);
    await bench.settle();
    assert.deepEqual(
      peer.packets().map(({ cmd }) => cmd),
      [answer],
    );
  });

for (const [, packet] of PACKETS(TOO_MANY))
  test(`${packet.cmd}: a byte more is DISCONNECT 0x97`, async () => {
    await using bench = await TestBench.open();
    const peer = await bench.connected('c', { level: 5 });
    peer.send(packet);
    await bench.settle();
    assert.deepEqual(
      peer.packets().map((sent) => [sent.cmd, 'reasonCode' in sent ? sent.reasonCode : undefined]),
      [['disconnect', 0x97]],
    );
    assert.match(bench.refusals.at(-1)?.reason ?? '', /user properties/);
  });

test('CONNECT: a byte more than 8 KB is CONNACK 0x97', async () => {
  await using bench = await TestBench.open();
  const connect = (clientId: string, properties: object) => bench.connected(clientId, { level: 5, properties } as ConnectOptions);
  await connect('a', FITS);
  await assert.rejects(connect('b', TOO_MANY), /"reasonCode":151.*user properties/);
});

test('DISCONNECT: a byte more is a fault of the client: its will is sent', async () => {
  for (const [properties, wills] of [
    [FITS, 0],
    [TOO_MANY, 1],
  ] as const) {
    await using bench = await TestBench.open();
    const watcher = await bench.subscribed('w', 'will');
    const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false };
    const peer = await bench.connected('c', { level: 5, will });
    peer.send({ cmd: 'disconnect', reasonCode: 0, properties } as Packet);
    await bench.settle();
    assert.equal(watcher.publishes().length, wills);
  }
});
