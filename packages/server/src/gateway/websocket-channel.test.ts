/** The broker's channel over a WebSocket, between real sockets: order, back-pressure, pauses, and both ways to end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import WebSocket, { WebSocketServer } from 'ws';
import { WebSocketChannel } from './websocket-channel.ts';

let server: WebSocketServer;
let client: WebSocket;
let accepted: WebSocket;
let channel: WebSocketChannel;

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, closeTimeout: 50 } as object);
  await once(server, 'listening');
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => undefined);
  [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [[WebSocket], unknown];
  accepted.on('error', () => undefined);
  channel = new WebSocketChannel(accepted);
});
afterEach(() => {
  client.terminate();
  server.close();
});

/** Turns of the event loop, in which whatever can happen between two sockets of one process would happen. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await setImmediate();
};

test('buffers arrive in order as binary messages, and sent is called once', async () => {
  const got: string[] = [];
  client.on('message', (data, isBinary) => got.push(`${isBinary} ${data}`));
  let calls = 0;
  await new Promise<void>((resolve) =>
    channel.write([Buffer.from('one'), Buffer.from('two')], () => {
      calls += 1;
      resolve();
    }),
  );
  channel.end();
  await once(client, 'close');
  assert.deepEqual(got, ['true one', 'true two']);
  assert.equal(calls, 1);
});

test('sent is not called before the peer has taken what was written', async () => {
  client.pause();
  let sent = false;
  const taken = new Promise<void>((resolve) =>
    // More than the buffers of both sockets hold.
    channel.write([Buffer.alloc(32 * 1024 * 1024), Buffer.alloc(32 * 1024 * 1024)], () => {
      sent = true;
      resolve();
    }),
  );
  await turns();
  assert.equal(sent, false);
  client.resume();
  await taken;
});

test('sent is called for a peer that has gone', async () => {
  client.terminate();
  await once(accepted, 'close');
  await new Promise<void>((resolve) => channel.write([Buffer.from('late')], resolve));
});

test('a paused peer is not read from', async () => {
  const got: string[] = [];
  accepted.on('message', (data) => got.push(String(data)));
  channel.pause();
  client.send('first');
  client.send('second');
  await turns();
  assert.deepEqual(got, []);
  const message = once(accepted, 'message');
  channel.resume();
  await message;
  client.close();
  await once(client, 'close');
  assert.deepEqual(got, ['first', 'second']);
});

test('the end comes behind what was written, with code 1000, even when reading was paused', async () => {
  let got = 0;
  client.on('message', (data) => {
    got += (data as Buffer).length;
  });
  channel.pause();
  channel.write([Buffer.alloc(1024 * 1024)], () => undefined);
  channel.end();
  const [code] = await once(client, 'close');
  assert.equal(code, 1000);
  assert.equal(got, 1024 * 1024);
});

test('a peer that does not take the end is cut off', async () => {
  client.pause();
  channel.end();
  const [code] = await once(accepted, 'close');
  assert.equal(code, 1006);
});

test('destroying closes at once, without a close frame', async () => {
  channel.destroy();
  const [code] = await once(client, 'close');
  assert.equal(code, 1006);
});
