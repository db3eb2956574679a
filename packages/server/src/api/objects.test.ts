/** The bytes of objects go to their clients as fast as these take them, and no longer than they do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { sendObject } from './objects.ts';

/** More than the buffers of sockets take. */
const PIECE = Buffer.alloc(1024 * 1024);
const PIECES = 64;

let left = Promise.withResolvers<number>();
/** Says how many pieces were read when it was left. */
async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
  let read = 0;
  try {
    for (; read < PIECES; read += 1) yield PIECE;
  } finally {
    left.resolve(read);
  }
}

let patience = 20;
const server = createServer((_, response) => {
  const headers = { 'content-length': String(PIECES * PIECE.length) };
  void sendObject(response, { status: 200, headers, content: content() }, {}, patience);
});
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close().closeAllConnections());

async function ask(): Promise<Socket> {
  left = Promise.withResolvers();
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return socket;
}

test('a client that takes nothing of its object for long is ended, and the object is closed', async () => {
  patience = 20;
  const socket = await ask();
  assert.ok((await left.promise) < PIECES);
  socket.resume();
  await once(socket, 'close');
  assert.ok(socket.bytesRead < PIECES * PIECE.length);
});

test('a client that goes in the midst of its object ends the reading of it', async () => {
  patience = 60_000;
  const socket = await ask();
  await once(socket, 'readable');
  socket.destroy();
  assert.ok((await left.promise) < PIECES);
});

test('a client that takes its object has all of it', async () => {
  patience = 60_000;
  const socket = await ask();
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.on('data', (data: Buffer) => {
    bytes += data.length;
    if (bytes >= PIECES * PIECE.length) resolve();
  });
  await promise;
  assert.equal(await left.promise, PIECES);
  socket.destroy();
});
