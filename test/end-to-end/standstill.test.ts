/**
 * A server that stood still (SIGSTOP, as a paused machine) reads what waits in its sockets before it closes anybody: a
 * handshake, a CONNECT, a ping and a request that came meanwhile are served, though their deadlines have passed. Node's own
 * timers know no clock that a test could move. THINGKEEP_STANDSTILL sets the seconds: with 50, keep-alives pass too.
 */
// suite: long
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { startServer, type TestServer } from './test-core.ts';
import { within } from './until.ts';

const STANDSTILL = Number(process.env.THINGKEEP_STANDSTILL ?? 12) * 1000;
const PING = { cmd: 'pingreq' } as const;

/** The first bytes that come; an end before them fails. */
const answer = (what: string, socket: Socket): Promise<string> =>
  within(
    what,
    new Promise((resolve, reject) => {
      socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
      socket.once('close', () => reject(new Error(`${what}: closed`)));
    }),
    STANDSTILL + 10_000,
  );

/** A connection that TLS has not begun on. */
async function tcp(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const secured = (server: TestServer, socket: Socket, more: object = {}): TLSSocket =>
  connectTls({ socket, servername: 'localhost', ca: readFileSync(server.rootCa), ...more }).on('error', () => undefined);

const HEALTH = 'GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n';

test('what came while the server stood still is read before anybody is closed', async () => {
  await using server = await startServer();
  await using secureApi = await startServer({ args: ['--api-tls'] });
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'device', 'all');
  const { api, mqtt, https } = server.ports;
  // What has begun before the standstill.
  using alive = await DeviceConnection.admitted(server, 4, 'alive', device, { keepalive: 30 });
  using silent = await DeviceConnection.open(server, 4, device);
  const request = secured(server, await tcp(https), { cert: device.certPem, key: device.keyPem });
  await once(request, 'secureConnect');
  const [onMqtt, onHttps, onApi, begun] = [await tcp(mqtt), await tcp(https), await tcp(secureApi.ports.api), await tcp(api)];
  begun.write(HEALTH.slice(0, 30));
  request.write('POST /topics/a HTTP/1.1\r\nhost: localhost\r\ncontent-le');
  alive.send(PING);
  assert.equal((await alive.next()).cmd, 'pingresp');
  for (const each of [server, secureApi]) await each.signal('SIGSTOP');
  // What comes meanwhile.
  alive.send(PING);
  silent.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'late', clean: true, keepalive: 30 });
  const handshakes = [secured(server, onMqtt), secured(server, onHttps), secured(secureApi, onApi)];
  begun.write(HEALTH.slice(30));
  request.write('ngth: 1\r\n\r\nx');
  const finished = handshakes.map((socket, n) => within(`handshake ${n}`, once(socket, 'secureConnect'), STANDSTILL + 10_000));
  const answers = [answer('the request of the device', request), answer('the request of the API', begun)];
  await setTimeout(STANDSTILL);
  for (const each of [server, secureApi]) process.kill(each.pid, 'SIGCONT');
  assert.equal((await alive.next()).cmd, 'pingresp');
  assert.equal((await silent.next()).cmd, 'connack');
  const told = await server.logged(({ event }) => event === 'stood-still');
  assert.ok(Number(told.seconds) >= STANDSTILL / 1000 - 1, JSON.stringify(told));
  for (const text of await Promise.all(answers)) assert.match(text, /^HTTP\/1.1 200 /);
  await Promise.all(finished);
  for (const socket of [...handshakes, begun, request]) socket.destroy();
});
