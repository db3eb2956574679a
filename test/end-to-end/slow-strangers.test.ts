/**
 * Strangers who hold connections and say nothing, or next to nothing: all of them are gone within 30 seconds, and devices
 * connect meanwhile. The server keeps these deadlines itself, so this test takes as long as they are.
 */
// suite: long
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { startServer, type TestServer } from './test-core.ts';
import { within } from './until.ts';

const OF_EACH = 300;
const DEADLINE = 30_000;
/** Milliseconds between two bytes of those who send byte by byte: each kind has far more bytes than come to be sent. */
const PAUSE = 250;

let server: TestServer;
/** One whose API port speaks TLS. */
let apiTls: TestServer;
let device: Device;
before(async () => {
  [server, apiTls] = await Promise.all([startServer(), startServer({ args: ['--api-tls'] })]);
  await makePolicy(server, 'all', ALLOW_ALL);
  device = await makeDevice(server, 'device', 'all');
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await apiTls[Symbol.asyncDispose]();
});

/** A ClientHello's record of 512 bytes, begun. */
const HELLO = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(501, 7)]);
/** A CONNECT of MQTT 3.1.1 with a long client id. */
const CONNECT = Buffer.concat([Buffer.from('108a0100044d51545404020000007e', 'hex'), Buffer.alloc(126, 'a')]);
const HEAD = Buffer.from(`POST /topics/t?qos=1 HTTP/1.1\r\nhost: localhost\r\n${'x-header: 1\r\n'.repeat(50)}`);

const tcp = async (port: number): Promise<Socket> => {
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
};
const tls = async (port: number): Promise<Socket> => {
  const socket = connectTls({ host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(server.rootCa) });
  await once(socket, 'secureConnect');
  return socket;
};

/** Each way of holding a connection: how it is opened, and what then comes byte by byte. */
const kinds = (): readonly (readonly [name: string, open: () => Promise<Socket>, bytes: Buffer])[] => [
  ['sockets that send nothing', () => tcp(server.ports.mqtt), Buffer.alloc(0)],
  ['handshakes byte by byte', () => tcp(server.ports.mqtt), HELLO],
  ['CONNECT byte by byte', () => tls(server.ports.mqtt), CONNECT],
  ['HTTP heads byte by byte', () => tls(server.ports.https), HEAD],
  ['HTTP heads on the API port', () => tcp(server.ports.api), HEAD],
  ['handshakes on the API port', () => tcp(apiTls.ports.api), HELLO],
];

/** Resolves with the milliseconds from here until the other side has closed. */
async function held(socket: Socket, bytes: Buffer): Promise<number> {
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < bytes.length && socket.writable) socket.write(bytes.subarray(sent, ++sent));
  }, PAUSE).unref();
  // A reset is an end like any other.
  socket.on('error', () => undefined).resume();
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(timer);
  return performance.now() - began;
}

test(`${OF_EACH} of each kind of slow stranger are gone within 30 seconds, and devices connect all the while`, async () => {
  const strangers: { name: string; gone: Promise<number> }[] = [];
  for (const [name, open, bytes] of kinds())
    for (let i = 0; i < OF_EACH; i += 20) {
      const sockets = await Promise.all(Array.from({ length: 20 }, open));
      for (const socket of sockets) strangers.push({ name, gone: held(socket, bytes) });
    }
  let left = strangers.length;
  for (const { gone } of strangers) void gone.then(() => (left -= 1));
  let admitted = 0;
  while (left > 0) {
    using fresh = await DeviceConnection.admitted(server, 5, `fresh-${admitted}`, device);
    fresh.send({ cmd: 'pingreq' });
    assert.equal((await fresh.next()).cmd, 'pingresp');
    admitted += 1;
    if (admitted >= 20) await within('the end of the strangers', Promise.all(strangers.map(({ gone }) => gone)), DEADLINE);
  }
  assert.equal(strangers.length, kinds().length * OF_EACH);
  for (const { name, gone } of strangers) assert.ok((await gone) <= DEADLINE, `${name}: ${await gone} ms`);
  assert.ok(admitted >= 20, `${admitted} devices`);
});
