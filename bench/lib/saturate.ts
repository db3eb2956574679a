/**
 * Saturated throughput: publishers send blocks of ready-made packets as fast as their credit allows. Credit comes back
 * with what subscribers got, so no broker is asked to hold more than a bounded number of messages, and none is starved.
 */
import type { Socket } from 'node:net';
import { connectClient, type Endpoint, subscribe } from './connection.ts';
import { publishPacket } from './wire.ts';

export interface Saturation {
  readonly publishers: number;
  readonly subscribers: number;
  /** `pair`: publisher i to subscriber i; `fan-out` and `fan-in`: one topic for all. */
  readonly shape: 'pair' | 'fan-out' | 'fan-in';
  readonly qos: 0 | 1;
  /** Bytes, or the payload itself. */
  readonly payload: number | string;
  /**
   * Subscribers get what a rule makes of each message, on `bench/made/...`: this payload. They get the message itself when
   * absent.
   */
  readonly made?: string;
  readonly seconds: number;
  /** Messages under way per publisher. */
  readonly window: number;
}

/** Publishers may not have more unacknowledged QoS 1 messages than AWS allows. */
const UNACKNOWLEDGED = 100;

export async function saturate(
  endpoint: Endpoint,
  load: Saturation,
  measured: (phase: 'begin' | 'end') => void,
): Promise<number> {
  const place = (i: number): string => (load.shape === 'pair' ? String(i).padStart(2, '0') : '00');
  const topic = (i: number): string => `bench/${place(i)}`;
  const wanted = (i: number): string => (load.made === undefined ? topic(i) : `bench/made/${place(i)}`);
  const { bytes: one, idAt } = publishPacket(topic(0), load.payload, load.qos);
  const expected = publishPacket(wanted(0), load.made ?? load.payload, load.qos);
  const received = new Array<number>(load.subscribers).fill(0);
  const acknowledged = new Array<number>(load.publishers).fill(0);
  const sent = new Array<number>(load.publishers).fill(0);

  for (let i = 0; i < load.subscribers; i += 1) {
    const socket = await connectClient(endpoint, i, `sub-${i}`);
    await subscribe(socket, [wanted(i)], load.qos);
    listen(socket, expected.bytes.length, expected.idAt, load.qos, (count) => {
      received[i] = (received[i] as number) + count;
    });
  }
  const publishers: Socket[] = [];
  for (let i = 0; i < load.publishers; i += 1) {
    const socket = await connectClient(endpoint, load.subscribers + i, `pub-${i}`);
    publishers.push(socket);
    let rest = 0;
    socket.on('data', (chunk) => {
      rest += chunk.length;
      acknowledged[i] = (acknowledged[i] as number) + (rest >> 2);
      rest &= 3;
    });
    socket.resume();
  }

  const perBlock = load.qos === 1 ? 50 : 250;
  const blocks = publishers.map((_, i) =>
    Buffer.concat(Array.from({ length: perBlock }, () => publishPacket(topic(i), load.payload, load.qos).bytes)),
  );
  const nextId = new Array<number>(load.publishers).fill(1);
  /** Messages of publisher i that have reached their subscribers. */
  const delivered = (i: number): number => {
    if (load.shape === 'pair') return received[i] as number;
    const total = received.reduce((a, b) => a + b, 0);
    return total / (load.shape === 'fan-out' ? load.subscribers : load.publishers);
  };
  let running = true;
  const pump = (): void => {
    if (!running) return;
    for (const [i, socket] of publishers.entries()) {
      for (;;) {
        const out = sent[i] as number;
        if (out - delivered(i) > load.window - perBlock) break;
        if (load.qos === 1 && out - (acknowledged[i] as number) > UNACKNOWLEDGED - perBlock) break;
        if (socket.writableLength > 256 * 1024) break;
        let block = blocks[i] as Buffer;
        if (load.qos === 1) {
          block = Buffer.from(block);
          let id = nextId[i] as number;
          for (let at = idAt; at < block.length; at += one.length) {
            block[at] = id >> 8;
            block[at + 1] = id & 0xff;
            id = id === 0xffff ? 1 : id + 1;
          }
          nextId[i] = id;
        }
        socket.write(block);
        sent[i] = out + perBlock;
      }
    }
    setImmediate(pump);
  };
  pump();
  const count = (): number => received.reduce((a, b) => a + b, 0);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(1000);
  measured('begin');
  const [before, start] = [count(), performance.now()];
  await pause(load.seconds * 1000);
  const rate = ((count() - before) * 1000) / (performance.now() - start);
  measured('end');
  running = false;
  for (const socket of publishers) socket.destroy();
  return rate;
}

/** Counts messages of one known size; acknowledges those of QoS 1 in one write for each read. */
function listen(socket: Socket, size: number, idAt: number, qos: number, got: (count: number) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    if (qos === 0) {
      const total = rest.length + chunk.length;
      if (chunk[rest.length === 0 ? 0 : (size - rest.length) % size] !== 0x30 && chunk.length > size)
        throw new Error('a subscriber lost its place');
      got(Math.floor(total / size));
      rest = Buffer.alloc(total % size);
      return;
    }
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const count = Math.floor(all.length / size);
    const acks = Buffer.allocUnsafe(count * 4);
    for (let i = 0; i < count; i += 1) {
      const at = i * size + idAt;
      acks[4 * i] = 0x40;
      acks[4 * i + 1] = 2;
      acks[4 * i + 2] = all[at] as number;
      acks[4 * i + 3] = all[at + 1] as number;
    }
    if (count > 0) socket.write(acks);
    rest = all.subarray(count * size);
    got(count);
  });
  socket.resume();
}
