/** A socket as a channel: every byte once and in order, whatever is paused in between, and the end told once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { Broker } from '../broker/broker.ts';
import type { Client } from '../broker/connection/client.ts';
import type { Channel } from '../broker/contract.ts';
import { systemClock } from '../runtime/clock.ts';
import { openTestAuthority } from '../testing/authority-fixture.ts';
import { attach } from './connection.ts';

/** What a client would do with a channel, written down. */
class Recorder {
  readonly channel: Channel;
  readonly chunks: Buffer[] = [];
  losses = 0;
  onChunk: (chunk: Buffer) => void = () => {};
  readonly #news: (() => void)[] = [];

  constructor(channel: Channel) {
    this.channel = channel;
  }

  receive(chunk: Buffer): void {
    this.chunks.push(Buffer.from(chunk));
    this.onChunk(chunk);
    for (const tell of this.#news.splice(0)) tell();
  }

  ended(): void {
    this.losses += 1;
    for (const tell of this.#news.splice(0)) tell();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => void this.#news.push(resolve));
  }
}

const PATTERN = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

for (const kind of ['TCP', 'TLS'] as const)
  describe(kind, () => {
    let server: Server;
    let arrived: (recorder: Recorder) => void;
    before(async () => {
      const onSocket = (socket: Socket): void => {
        let recorder: Recorder | undefined;
        const broker = {
          accept: (channel: Channel) => {
            recorder = new Recorder(channel);
            return recorder as unknown as Client;
          },
        };
        attach(
          socket,
          broker as unknown as Broker['connections'],
          { sourceIp: '', sourcePort: 0 },
          'mqtts',
          async () => assert.fail(),
          () => assert.fail(),
        );
        if (recorder !== undefined) arrived(recorder);
      };
      if (kind === 'TCP') server = createServer(onSocket);
      else {
        const authority = await openTestAuthority(systemClock, ['localhost']);
        server = createTlsServer(
          { ...authority.serverCredentials(), requestCert: true, rejectUnauthorized: false } as object,
          onSocket,
        );
      }
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    after(() => {
      server.close();
    });

    /** A peer and what the server's side sees of it; TLS sends `first` with the end of its handshake. */
    async function open(first?: Buffer): Promise<{ peer: Socket; seen: Recorder }> {
      const seen = new Promise<Recorder>((resolve) => {
        arrived = resolve;
      });
      const { port } = server.address() as AddressInfo;
      const peer =
        kind === 'TCP'
          ? connect({ port, host: '127.0.0.1' })
          : connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      peer.on('error', () => undefined);
      if (first !== undefined) peer.write(first);
      return { peer, seen: await seen };
    }

    test('what is read comes whole and in order, the first bytes too', async () => {
      const { peer, seen } = await open(PATTERN.subarray(0, 10));
      peer.end(PATTERN.subarray(10));
      await seen.until(() => seen.losses > 0);
      assert.ok(seen.bytes.equals(PATTERN));
      assert.equal(seen.losses, 1);
    });

    test('a pause lets nothing through, and a resume goes on where it was', async () => {
      const { peer, seen } = await open();
      let pauses = 0;
      let paused = false;
      seen.onChunk = () => {
        assert.equal(paused, false, 'a chunk came in a pause');
        if (pauses >= 25) return;
        pauses += 1;
        paused = true;
        seen.channel.pause();
        setImmediate(() => {
          paused = false;
          seen.channel.resume();
        });
      };
      peer.write(PATTERN);
      await seen.until(() => seen.bytes.length === PATTERN.length);
      assert.ok(pauses > 3, `${pauses} pauses`);
      seen.onChunk = () => {};
      // Resumed twice, or without a pause, changes nothing.
      seen.channel.resume();
      peer.end('the end');
      await seen.until(() => seen.losses > 0);
      assert.ok(seen.bytes.equals(Buffer.concat([PATTERN, Buffer.from('the end')])));
    });

    test('while it is paused the peer can not send more than the system holds', async () => {
      const { peer, seen } = await open();
      seen.channel.pause();
      let stalled = false;
      for (let i = 0; i < 400 && !stalled; i += 1) stalled = !peer.write(PATTERN) && peer.writableLength > 40 * PATTERN.length;
      assert.ok(stalled);
      assert.equal(seen.chunks.length, 0);
      const { writableLength } = peer;
      seen.channel.resume();
      await once(peer, 'drain');
      assert.ok(writableLength > 0 && seen.chunks.length > 0);
      peer.destroy();
      await seen.until(() => seen.losses > 0);
      assert.equal(seen.losses, 1);
    });

    test('after the end nothing is handed in, the peer gets our last words, and its own are no reason for a reset', async () => {
      const { peer, seen } = await open(Buffer.from('hello'));
      await seen.until(() => seen.bytes.length > 0);
      seen.channel.pause();
      peer.write(PATTERN);
      seen.channel.write([Buffer.from('good'), Buffer.from('bye')], () => undefined);
      seen.channel.end();
      const heard: Buffer[] = [];
      let fault: Error | undefined;
      peer.on('data', (chunk: Buffer) => void heard.push(chunk));
      peer.on('error', (error) => {
        fault = error;
      });
      await once(peer, 'end');
      peer.end();
      await once(peer, 'close');
      assert.equal(String(Buffer.concat(heard)), 'goodbye');
      assert.equal(fault, undefined);
      assert.equal(String(seen.bytes), 'hello');
      await seen.until(() => seen.losses > 0);
      assert.equal(seen.losses, 1);
    });
  });
