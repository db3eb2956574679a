/** What a client sends behind its CONNECT, before the CONNACK, keeps its order [MQTT-3.1.4-5]. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { generate, type Packet } from 'mqtt-packet';
import type { Admission } from '../broker/contract.ts';
import { ACCOUNT, ALL, publishPacket, TestBench } from '../broker/test-bench.ts';
import { attach } from './connection.ts';

test('chunks that are read while a CONNECT is authorized', async () => {
  await using bench = await TestBench.open();
  const watcher = await bench.subscribed('watcher', '#');
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const admission: Admission = { accountId: ACCOUNT, principal: 'p', permissions: ALL };
  attach(
    socket,
    bench.broker.connections,
    { sourceIp: '192.0.2.1', sourcePort: 1 },
    'mqtts',
    async () => admission,
    () => assert.fail(),
  );
  const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'ahead', clean: true, keepalive: 60 };
  const publish = (n: number): Buffer => generate(publishPacket(`t/${n}`, String(n)));
  socket.push(Buffer.concat([generate(connect as Packet), publish(1)]));
  socket.push(publish(2));
  await bench.settle();
  socket.push(publish(3));
  await bench.settle();
  assert.deepEqual(
    watcher.publishes().map(({ topic }) => topic),
    ['t/1', 't/2', 't/3'],
  );
});
