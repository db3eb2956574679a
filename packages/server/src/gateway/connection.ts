/** A socket as the broker's channel: bytes in, bytes out, and its end reported once. */
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Broker } from '../broker/broker.ts';
import type { Client } from '../broker/connection/client.ts';
import type { Channel, ConnectAuthorizer, Peer, Transport } from '../broker/contract.ts';

/** Milliseconds that a peer gets to close after us, before the socket is taken away. */
const GRACE = 2_000;
const NOTHING = Buffer.alloc(0);

class SocketChannel implements Channel {
  readonly #socket: Duplex;
  #client: Client | undefined;
  #paused = false;
  /** Chunks that were read after `pause`. */
  #unread: Buffer[] | undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /**
   * From now on what is read is the client's. A socket hands over what it has read by `push`, as every Readable does; taken
   * there, a chunk costs no event, no tick and no look into a queue, which for small messages is a good part of their price.
   */
  readInto(client: Client): void {
    const socket = this.#socket;
    this.#client = client;
    socket.push = (chunk: Buffer | null) => (chunk === null ? Duplex.prototype.push.call(socket, null) : this.#take(chunk));
    // Bytes may have come with the end of the handshake.
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) this.#take(chunk);
  }

  /** False stops the reading, as `push` has it. */
  #take(chunk: Buffer): boolean {
    if (this.#paused || this.#unread !== undefined) {
      this.#unread ??= [];
      this.#unread.push(chunk);
      return false;
    }
    this.#client?.receive(chunk);
    return !this.#paused;
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
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#drain();
  }

  /** Hands over what has waited, then reads on. */
  #drain(): void {
    const unread = this.#unread;
    this.#unread = undefined;
    for (let i = 0; unread !== undefined && i < unread.length; i += 1) {
      if (this.#paused) {
        this.#unread = [...unread.slice(i), ...(this.#unread ?? [])];
        return;
      }
      this.#client?.receive(unread[i] as Buffer);
    }
    // An empty chunk is how a Readable is told that its source has been read, and may be read again.
    if (!this.#paused && !this.#socket.destroyed) Duplex.prototype.push.call(this.#socket, NOTHING);
  }

  end(): void {
    const socket = this.#socket;
    // What the peer still sends is read and dropped: unread bytes would turn our goodbye into a reset.
    this.#client = undefined;
    this.#paused = false;
    this.#drain();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), GRACE).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const ignore = (): void => {};

/**
 * Ties a socket to the connections of the broker for as long as either lives. `leftSilently` hears of a client that has left
 * without a byte.
 */
export function attach(
  socket: Duplex,
  connections: Pick<Broker['connections'], 'accept'>,
  peer: Peer,
  transport: Transport,
  authorizer: ConnectAuthorizer,
  leftSilently: (client: Client) => void,
): void {
  const channel = new SocketChannel(socket);
  const client = connections.accept(channel, peer, transport, authorizer);
  // The end follows.
  socket.on('error', ignore);
  socket.on('close', () => {
    if (client.state === 'awaiting-connect' && socket instanceof Socket && socket.bytesRead === 0) leftSilently(client);
    client.ended();
  });
  channel.readInto(client);
}
