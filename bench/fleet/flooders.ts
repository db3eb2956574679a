/** The flood from outside, and a subscriber that counts what is left of it. */
import { type Endpoint, connectClient, subscribe } from '../lib/connection.ts';
import { publishPacket } from '../lib/wire.ts';
import { ask, forkCompanion } from './companion.ts';
import type { Flooded, FloodOrder } from './flood.ts';
import { wallClock } from './pace.ts';
import { PAYLOAD } from './packets.ts';

/** A process with publishers that do not wait. */
export class Flooders implements Disposable {
  readonly #child = forkCompanion('flood.ts');

  async start(order: FloodOrder): Promise<void> {
    const devices = order.endpoint.tls?.devices.slice(0, order.publishers) ?? [];
    const tls = order.endpoint.tls === undefined ? undefined : { ...order.endpoint.tls, devices };
    await ask(this.#child, { ...order, endpoint: { ...order.endpoint, tls } });
  }

  /** What was sent since the last time. */
  take(): Promise<Flooded> {
    return ask(this.#child, 'take');
  }

  /** Drops the publishers; gives what they sent since the last time. */
  end(): Promise<Flooded> {
    return ask(this.#child, 'end');
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** Counts the flood's messages by their size, which is one; those that begin a block tell how long they took. */
export class Drain {
  received = 0;
  latencies: number[] = [];
  #dropped: () => void = () => {};

  /** Subscribes to all topics below the flood's prefix, which must have as many characters as any of them. */
  async open(endpoint: Endpoint, n: number, clientId: string, prefix: string): Promise<void> {
    const socket = await connectClient(endpoint, n, clientId);
    await subscribe(socket, [`${prefix}/+`], 0);
    const size = publishPacket(`${prefix}/0000`, PAYLOAD, 0).bytes.length;
    let rest = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const now = wallClock();
      let at = 0;
      for (; at + size <= bytes.length; at += size) {
        const sent = bytes.readDoubleLE(at + size - PAYLOAD);
        if (sent > 0) this.latencies.push(now - sent);
        this.received += 1;
      }
      rest = bytes.subarray(at);
    });
    socket.resume();
    this.#dropped = () => void socket.destroy();
  }

  /** What came since the last time. */
  take(): { received: number; latencies: number[] } {
    const { received, latencies } = this;
    this.received = 0;
    this.latencies = [];
    return { received, latencies };
  }

  close(): void {
    this.#dropped();
  }
}
