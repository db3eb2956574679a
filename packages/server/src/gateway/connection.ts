/** A socket as the broker's channel: bytes in, bytes out, and the end of it told once. */
import type { Duplex } from 'node:stream';
import type { Broker } from '../broker/broker.ts';
import type { Channel, Judge, Peer } from '../broker/contract.ts';

/** Milliseconds that a peer gets to close after us, before the socket is taken away. */
const GRACE = 2_000;

class SocketChannel implements Channel {
  readonly #socket: Duplex;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  write(buffers: readonly Buffer[], sent: () => void): void {
    const socket = this.#socket;
    const last = buffers.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i += 1) socket.write(buffers[i]);
    socket.write(buffers[last], sent);
    if (last > 0) socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    const socket = this.#socket;
    // What the peer still sends is read and dropped: unread bytes would turn our goodbye into a reset.
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), GRACE).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const ignore = (): void => {};

/** Ties a socket to the broker for as long as either lives. */
export function attach(socket: Duplex, broker: Broker, peer: Peer, judge: Judge): void {
  const client = broker.accept(new SocketChannel(socket), peer, judge);
  socket.on('data', (chunk: Buffer) => client.receive(chunk));
  // The end follows.
  socket.on('error', ignore);
  socket.on('close', () => client.lost());
}
