/**
 * Publishers of QoS 0 that do not wait, a process of their own: blocks of small messages on many topics, written at a rate
 * or as fast as the kernel takes them. What a socket does not take is not sent: it counts as held back.
 */
import type { Socket } from 'node:net';
import { connectClient, type Endpoint } from '../lib/connection.ts';
import { publishPacket } from '../lib/wire.ts';
import { wallClock } from './pace.ts';
import { PAYLOAD } from './packets.ts';

export interface FloodOrder {
  readonly endpoint: Endpoint;
  readonly publishers: number;
  /** Messages per second of all of them; Infinity for as many as go. */
  readonly rate: number;
  /** Topics begin with this; see {@link topicOf}. */
  readonly prefix: string;
}

/** What was sent since the last order. */
export interface Flooded {
  /** Messages that the publishers wanted to send, and those that they could. */
  readonly offered: number;
  readonly written: number;
  readonly ms: number;
}

/** Messages in a block: each has another topic than its neighbours, so that each is routed by itself. */
const BLOCK = 50;
/** Bytes that one publisher keeps for a socket that is full. */
const MAX_WAITING = 64 * 1024;

/** All topics have one length, so that all packets have one size. */
const topicOf = (prefix: string, publisher: number, message: number): string =>
  `${prefix}/${String(publisher).padStart(2, '0')}${String(message % BLOCK).padStart(2, '0')}`;

const blockOf = (prefix: string, publisher: number): Buffer => {
  const packets = Array.from({ length: BLOCK }, (_, message) => {
    const { bytes } = publishPacket(topicOf(prefix, publisher, message), PAYLOAD, 0);
    // Only the first of a block says when it was sent: zero is no time.
    return bytes.fill(0, bytes.length - PAYLOAD);
  });
  return Buffer.concat(packets);
};

interface FloodPublisher {
  readonly socket: Socket;
  readonly block: Buffer;
}

class Flood {
  readonly #publishers: readonly FloodPublisher[];
  readonly #rate: number;
  readonly #firstSize: number;
  #begin = performance.now();
  #due = 0;
  #offered = 0;
  #written = 0;
  #turn = 0;
  #running = true;

  constructor(publishers: readonly FloodPublisher[], { rate, prefix }: FloodOrder) {
    this.#publishers = publishers;
    this.#rate = rate;
    this.#firstSize = publishPacket(topicOf(prefix, 0, 0), PAYLOAD, 0).bytes.length;
    this.#pump();
  }

  take(): Flooded {
    const taken = { offered: this.#offered, written: this.#written, ms: performance.now() - this.#begin };
    this.#offered = this.#due = this.#written = 0;
    this.#begin = performance.now();
    return taken;
  }

  end(): void {
    this.#running = false;
    for (const { socket } of this.#publishers) socket.destroy();
  }

  readonly #pump = (): void => {
    if (!this.#running) return;
    const rounds = this.#publishers.length;
    const wanted =
      this.#rate === Number.POSITIVE_INFINITY
        ? rounds
        : Math.floor(((performance.now() - this.#begin) * this.#rate) / 1000 / BLOCK) - this.#due;
    // Of what a busy generator could not offer in time, it offers a second's worth at most.
    const now = Math.min(wanted, Math.ceil(this.#rate / BLOCK), 10_000);
    this.#due += wanted;
    for (let i = 0; i < now; i += 1) this.#send();
    // A pause only where there is nothing due: timers are too coarse for a flood.
    setImmediate(this.#pump);
  };

  #send(): void {
    const publisher = this.#publishers[this.#turn++ % this.#publishers.length];
    if (publisher === undefined) return;
    this.#offered += BLOCK;
    if (publisher.socket.writableLength > MAX_WAITING) return;
    const block = Buffer.from(publisher.block);
    block.writeDoubleLE(wallClock(), this.#firstSize - PAYLOAD);
    publisher.socket.write(block);
    this.#written += BLOCK;
  }
}

let flood: Flood | undefined;

process.on('disconnect', () => process.exit(0));
process.on('message', async (order: FloodOrder | 'take' | 'end') => {
  if (order === 'take') {
    process.send?.(flood?.take() ?? { offered: 0, written: 0, ms: 0 });
    return;
  }
  if (order === 'end') {
    const last = flood?.take();
    flood?.end();
    flood = undefined;
    process.send?.(last ?? { offered: 0, written: 0, ms: 0 });
    return;
  }
  const publishers: FloodPublisher[] = [];
  for (let i = 0; i < order.publishers; i += 1) {
    const socket = await connectClient(order.endpoint, i, `pub-flood-${i}`);
    socket.on('error', () => {});
    socket.resume();
    publishers.push({ socket, block: blockOf(order.prefix, i) });
  }
  flood = new Flood(publishers, order);
  process.send?.('flooding');
});
