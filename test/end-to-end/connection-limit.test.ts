/**
 * No room for more connections: by the setting, and by the system's limit of open files. Whoever comes is turned away,
 * whoever is there stays, and once there is room again devices connect.
 */
// needs: prlimit
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { succeed } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until, within } from './until.ts';

/** A device that stays connected from before the flood, one that comes after it, and the strangers between. */
async function flood(server: TestServer, count: number, before: () => Promise<void>): Promise<void> {
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'device', 'all');
  server.iot.destroy();
  using old = await DeviceConnection.admitted(server, 5, 'old', device);
  await before();
  const ends: Promise<unknown>[] = [];
  const strangers = await Promise.all(
    Array.from({ length: count }, async (): Promise<Socket> => {
      const socket = connect(server.ports.mqtt, '127.0.0.1').on('error', () => undefined);
      ends.push(new Promise((resolve) => socket.once('close', resolve)));
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
      return socket;
    }),
  );
  await within('the first who is turned away', Promise.race(ends));
  assert.ok(await old.nothingCame(), 'who was there is served');
  for (const stranger of strangers) stranger.destroy();
  await Promise.all(ends);
  // The server hears of the ends in the order of events: two round trips later they are behind it.
  assert.ok((await old.nothingCame()) && (await old.nothingCame()));
  using fresh = await until('a device is let in again', () =>
    DeviceConnection.admitted(server, 5, 'fresh', device).catch(() => undefined),
  );
  fresh.subscribe('t', 1);
  assert.equal((await fresh.next()).cmd, 'suback');
  old.publish('t', 'hello', { qos: 1 });
  const came = await fresh.next();
  assert.equal(came.cmd === 'publish' && String(came.payload), 'hello');
}

/** What a server says first to a request that is no HTTP client's. */
async function answerTo(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(request);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return bytes.toString('latin1');
}

test('--max-connections: more are closed at once, one log line says so', async () => {
  await using server = await startServer({ args: ['--max-connections', '20'] });
  await flood(server, 60, async () => undefined);
  const line = await server.logged(({ event }) => event === 'connections-full');
  assert.equal(line.open, 18, 'two are kept for the API');
  assert.ok(server.log.filter(({ event }) => event === 'connections-full').length <= 3);
});

test('devices that have all connections leave the API, its health and the metrics theirs; WebSockets there are devices', async () => {
  await using server = await startServer({ args: ['--max-connections', '24'] });
  const sockets = await Promise.all(
    Array.from({ length: 60 }, async (_, n): Promise<Socket> => {
      const socket = connect(n % 2 === 0 ? server.ports.mqtt : server.ports.https, '127.0.0.1').on('error', () => undefined);
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
      return socket;
    }),
  );
  await server.logged(({ event }) => event === 'connections-full');
  for (let round = 0; round < 5; round += 1) {
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    assert.equal((await fetch(server.metrics)).status, 200);
    await makePolicy(server, `policy-${round}`, ALLOW_ALL);
  }
  const webSocket = await answerTo(
    server.ports.api,
    'GET /mqtt HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-protocol: mqtt\r\n\r\n',
  );
  assert.match(webSocket, /^HTTP\/1.1 503 /);
  for (const socket of sockets) socket.destroy();
});

test('a bound that the open files do not bear is lowered, and said', async () => {
  await using server = await startServer({ through: ['prlimit', '--nofile=200:200'], args: ['--max-connections', '5000'] });
  const line = await server.logged(({ event }) => event === 'connections-lowered');
  assert.deepEqual([line.asked, line.most], [5000, 57]);
});

test('the system has no more files for the server: it goes on, and recovers', async () => {
  await using server = await startServer();
  await flood(server, 100, async () => {
    const { pid } = JSON.parse(readFileSync(join(server.dataDir, 'server.json'), 'utf8')) as { pid: number };
    const open = readdirSync(`/proc/${pid}/fd`).length;
    await succeed('prlimit', ['--pid', String(pid), `--nofile=${open + 20}`]);
  });
});

test('a shutdown waits for no stranger: handshakes that are under way end with it, on every port', async () => {
  await using server = await startServer({ args: ['--api-tls'] });
  const ends: Promise<unknown>[] = [];
  for (const port of Object.values(server.ports)) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(Buffer.from('160301', 'hex'));
    ends.push(new Promise((resolve) => socket.once('close', resolve)));
  }
  assert.equal(await server.stop(), 0);
  await Promise.all(ends);
});
