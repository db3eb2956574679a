/** A thousand handshakes that stop in the middle, a thousand that are finished by peers with nothing to say. */
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Endpoint, open } from '../lib/connection.ts';
import { Bystander } from './bystander.ts';
import { type Figure, figure, largest, quantile } from './figures.ts';
import { pause, until } from './pace.ts';
import { descriptorsOf, MIB, residentOf } from './process.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const EACH = 1_000;
/** Seconds in which the server has to end them. */
const [LEAST, MOST] = [10, 30];
const FRESH_PER_SECOND = 20;

async function run({ endpoint, server }: Stage, { scale, say }: Given): Promise<Figure[]> {
  const count = Math.round(EACH * scale);
  const hello = await clientHello();
  using bystander = await Bystander.start({ endpoint, roundTrips: 20, connects: FRESH_PER_SECOND });
  await pause(2_000);
  const calm = await bystander.take();
  const [descriptors, resident] = [descriptorsOf(server.pid), residentOf(server.pid)];

  say(`${count} of each`);
  const halves: number[] = [];
  const silents: number[] = [];
  for (let i = 0; i < count; i += 1) {
    halfOpen(endpoint, hello.subarray(0, hello.length >> 1), (seconds) => halves.push(seconds));
    await silent(endpoint, i, (seconds) => silents.push(seconds));
  }
  const opened = descriptorsOf(server.pid) - descriptors;
  await until(() => halves.length === count && silents.length === count, (MOST + 10) * 1000);
  const meanwhile = await bystander.take();
  await pause(1_000);
  const delays = meanwhile.connects.map(([, ms]) => ms);
  const soonest = (seconds: readonly number[]): number => -largest(seconds.map((each) => -each));
  return [
    figure('descriptors that they held, most', opened, ''),
    figure('half a ClientHello: closed', halves.length, 'connections', { least: count }),
    figure('half a ClientHello: soonest', soonest(halves), 's', { least: LEAST * 0.99 }),
    figure('half a ClientHello: last', largest(halves), 's', { most: MOST }),
    figure('silent after the handshake: closed', silents.length, 'connections', { least: count }),
    figure('silent after the handshake: soonest', soonest(silents), 's', { least: LEAST * 0.99 }),
    figure('silent after the handshake: last', largest(silents), 's', { most: MOST }),
    figure(
      'new devices, TCP to CONNACK, p99 before',
      quantile(
        calm.connects.map(([, ms]) => ms),
        0.99,
      ),
      'ms',
    ),
    figure('new devices meanwhile', delays.length, 'devices', { least: 1 }),
    figure('new devices meanwhile, p99', quantile(delays, 0.99), 'ms', { most: 1000 }),
    figure('new devices meanwhile, failed', meanwhile.failures.length, '', { most: 0 }),
    figure('descriptors left over', descriptorsOf(server.pid) - descriptors, '', { most: 10 }),
    figure('resident, more than before', (residentOf(server.pid) - resident) / MIB, 'MiB'),
  ];
}

/** The first bytes of a client of TLS, as this Node sends them. */
const clientHello = (): Promise<Buffer> =>
  new Promise((resolve) => {
    const server = createServer((socket) =>
      socket.once('data', (hello) => {
        socket.destroy();
        server.close();
        resolve(hello);
      }),
    ).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      connectTls({ host: '127.0.0.1', port, servername: 'localhost' }).on('error', () => {});
    });
  });

const secondsSince = (begin: number): number => (performance.now() - begin) / 1000;

function halfOpen({ host, port }: Endpoint, bytes: Buffer, closed: (seconds: number) => void): void {
  const begin = performance.now();
  const socket = connect({ host, port }, () => socket.write(bytes));
  socket.on('error', () => {}).on('close', () => closed(secondsSince(begin)));
  socket.resume();
}

async function silent(endpoint: Endpoint, n: number, closed: (seconds: number) => void): Promise<void> {
  const socket = await open(endpoint, n);
  const begin = performance.now();
  socket.on('error', () => {}).on('close', () => closed(secondsSince(begin)));
  socket.resume();
}

export const halfOpenScenario: Scenario = {
  about: '1,000 connections with half a ClientHello, 1,000 that are silent after TLS, new devices meanwhile',
  stage: () => ({ certificates: 50 }),
  run,
};
