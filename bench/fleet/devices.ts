/** Ten thousand devices: connected at a rate, their memory, and a little traffic over all of them. */
import type { Client } from './client.ts';
import { connectAt } from './crowd.ts';
import { type Figure, figure, largest, quantile } from './figures.ts';
import { pace, pause } from './pace.ts';
import { stamped, stampOf } from './packets.ts';
import { MIB, residentOf, watchResident } from './process.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const DEVICES = 10_000;
const PER_SECOND = 300;
const MESSAGES = 1_000;
const SUBSCRIBERS = 10;
/** Milliseconds after the last connection in which memory settles. */
const SETTLE = 10_000;
const TRAFFIC = 20_000;

async function run({ endpoint, server }: Stage, { scale, say }: Given): Promise<Figure[]> {
  const count = Math.max(SUBSCRIBERS, Math.round(DEVICES * scale));
  const latencies: number[] = [];
  const onMessage = (bytes: Buffer, end: number): void => {
    latencies.push(performance.now() - stampOf(bytes, end));
  };
  const before = residentOf(server.pid);
  const seen = watchResident(server.pid);
  say(`connecting ${count} devices`);
  const { clients, delays, failures } = await connectAt(endpoint, count, PER_SECOND, (i) => ({
    clientId: `idle-${i}`,
    onMessage,
  }));
  for (const failure of failures.slice(0, 5)) say(failure);
  const after = residentOf(server.pid);
  await pause(SETTLE * Math.min(1, scale * 2));
  const settled = residentOf(server.pid);
  const there = clients.filter((client) => client !== undefined);
  const sent = await talk(there, TRAFFIC * Math.min(1, scale * 2));
  const peak = largest(seen());
  return [
    figure('devices connected', there.length, 'devices', { least: count }),
    figure('failures to connect', failures.length, '', { most: 0 }),
    figure('connections lost later', there.filter(({ closed }) => closed).length, '', { most: 0 }),
    figure('TCP to CONNACK, p50', quantile(delays, 0.5), 'ms'),
    figure('TCP to CONNACK, p99', quantile(delays, 0.99), 'ms', { most: 250 }),
    figure('resident per connection, at once', (after - before) / there.length / 1024, 'KiB'),
    figure('resident per connection, settled', (settled - before) / there.length / 1024, 'KiB', { most: 60 }),
    figure('resident in all, most', peak / MIB, 'MiB', { most: 1200 }),
    figure('messages lost', sent - latencies.length, 'messages', { most: 0 }),
    figure('latency at 1,000 messages/s, p50', quantile(latencies, 0.5), 'ms'),
    figure('latency at 1,000 messages/s, p99', quantile(latencies, 0.99), 'ms', { most: 20 }),
  ];
}

/** Each device in turn sends a small message to one of ten subscribers; gives how many were sent. */
async function talk(clients: readonly Client[], ms: number): Promise<number> {
  for (const [i, client] of clients.slice(0, SUBSCRIBERS).entries()) await client.subscribe([`bench/${i}/+`], 0);
  let sent = 0;
  const stop = pace(MESSAGES, () => {
    const i = sent % clients.length;
    clients[i]?.publish(`bench/${i % SUBSCRIBERS}/${i}`, stamped(performance.now(), sent));
    sent += 1;
  });
  await pause(ms);
  stop();
  await pause(2_000);
  return sent;
}

export const devices: Scenario = {
  about: '10,000 mutual TLS devices at 300 per second, then 1,000 messages per second over them',
  stage: ({ scale }) => ({ certificates: Math.max(20, Math.round(400 * Math.min(1, scale))) }),
  run,
};
