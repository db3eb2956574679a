/** The other regimes: many devices with little to say, connections by the second, and connections that only are. */
import type { Socket } from 'node:net';
import { connectClient, type Endpoint, open, subscribe } from './connection.ts';
import { connectPacket, publishPacket } from './wire.ts';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export interface Sparse {
  readonly devices: number;
  readonly subscribers: number;
  /** Messages per second over all devices. */
  readonly rate: number;
  readonly seconds: number;
}

/** One small message per packet, from one device after another; gives the messages that arrived per second. */
export async function sparse(endpoint: Endpoint, load: Sparse, measured: (phase: 'begin' | 'end') => void): Promise<number> {
  let received = 0;
  const topic = (i: number): string => `bench/${String(i % load.subscribers).padStart(2, '0')}/${String(i).padStart(4, '0')}`;
  const size = publishPacket(topic(0), 64, 0).bytes.length;
  for (let i = 0; i < load.subscribers; i += 1) {
    const socket = await connectClient(endpoint, i, `sub-${i}`);
    await subscribe(socket, [`bench/${String(i).padStart(2, '0')}/+`], 0);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      received += Math.floor(bytes / size);
      bytes %= size;
    });
    socket.resume();
  }
  const devices: { socket: Socket; packet: Buffer }[] = [];
  for (let i = 0; i < load.devices; i += 1) {
    const socket = await connectClient(endpoint, load.subscribers + i, `pub-${i}`);
    socket.resume();
    devices.push({ socket, packet: publishPacket(topic(i), 64, 0).bytes });
  }
  let due = 0;
  let next = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    due += ((now - last) * load.rate) / 1000;
    last = now;
    for (; due >= 1; due -= 1) {
      const device = devices[next++ % devices.length] as (typeof devices)[number];
      device.socket.write(device.packet);
    }
  }, 2);
  await pause(1000);
  measured('begin');
  const [before, start] = [received, performance.now()];
  await pause(load.seconds * 1000);
  const rate = ((received - before) * 1000) / (performance.now() - start);
  measured('end');
  clearInterval(timer);
  return rate;
}

/** Mutual TLS connections up to the CONNACK, a few at a time, then closed; gives connections per second. */
export async function connections(
  endpoint: Endpoint,
  load: { atATime: number; seconds: number },
  measured: (phase: 'begin' | 'end') => void,
): Promise<number> {
  let count = 0;
  let running = true;
  const one = async (n: number): Promise<void> => {
    while (running) {
      const socket = await connectClient(endpoint, n, `pub-${n}`);
      // A DISCONNECT, and the TCP end behind it: what a device does that goes to sleep.
      socket.on('error', () => {}).end(Buffer.of(0xe0, 0));
      socket.resume();
      count += 1;
    }
  };
  const workers = Array.from({ length: load.atATime }, (_, n) => one(n));
  await pause(1000);
  measured('begin');
  const [before, start] = [count, performance.now()];
  await pause(load.seconds * 1000);
  const rate = ((count - before) * 1000) / (performance.now() - start);
  measured('end');
  running = false;
  await Promise.all(workers);
  return rate;
}

/** Opens connections that stay silent; `measured` is called before the first and once all stand. */
export async function idle(
  endpoint: Endpoint,
  load: { connections: number },
  measured: (phase: 'begin' | 'end') => void,
): Promise<number> {
  measured('begin');
  const sockets: Socket[] = [];
  for (let i = 0; i < load.connections; i += 1) {
    const socket = await open(endpoint, i);
    socket.write(connectPacket(`idle-${i}`));
    socket.resume();
    sockets.push(socket);
  }
  await pause(1500);
  measured('end');
  return sockets.length;
}
