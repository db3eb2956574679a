/** All devices are cut off at once, and all come back at once, while a pair of others goes on talking. */
import { Bystander } from './bystander.ts';
import { Client, type ClientOptions } from './client.ts';
import { connectCrowd, connectPublishers } from './crowd.ts';
import { type Figure, figure, largest, quantile } from './figures.ts';
import { pause, until } from './pace.ts';
import { numberOf } from './packets.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const DEVICES = 3_000;
/** Milliseconds until all are back, at most. */
const BOUND = 12_000;
/** Milliseconds before a device that failed tries again, at least; as much again by chance. */
const RETRY = 200;

const topicOf = (i: number): string => `bench/storm/${i}`;

async function run({ endpoint }: Stage, { scale, say }: Given): Promise<Figure[]> {
  const count = Math.round(DEVICES * scale);
  const received = new Map<number, number>();
  const optionsOf = (i: number): ClientOptions => ({
    clientId: `idle-${i}`,
    clean: false,
    onMessage: (bytes, end) => {
      const number = numberOf(bytes, end);
      received.set(number, (received.get(number) ?? 0) + 1);
    },
  });
  say(`connecting ${count} devices`);
  const clients = await connectCrowd(endpoint, count, optionsOf);
  const subscribed = clients.map((_, i) => i).filter((i) => i % 2 === 0);
  for (const i of subscribed) await clients[i]?.subscribe([topicOf(i)], 1);
  const [publisher] = await connectPublishers(endpoint, 1);
  using bystander = await Bystander.start({ endpoint, roundTrips: 100, connects: 0 });
  await pause(2_000);
  const calm = await bystander.take();

  say('the storm');
  for (const client of clients) client.drop();
  // A message for each device that subscribed, while it is away.
  const waiting = subscribed.values();
  publisher?.sendAll(() => {
    const { value, done } = waiting.next();
    return done ? undefined : { topic: topicOf(value), number: value };
  });
  const begin = performance.now();
  const back = await Promise.all(clients.map((_, i) => comeBack(() => Client.connect(endpoint, i, optionsOf(i)), begin)));
  const storm = await bystander.take();
  const unacknowledged = (): number => subscribed.length - (publisher?.acknowledged.length ?? 0);
  await until(() => unacknowledged() === 0, 10_000);
  await until(() => received.size === subscribed.length, 10_000);
  const forgotten = back.filter(({ client }) => !client.sessionPresent).length;
  const delays = back.map(({ ms }) => ms);
  const trips = storm.roundTrips.map(([, ms]) => ms);
  return [
    figure('devices', count, 'devices'),
    figure('all back after', largest(delays), 'ms', { most: BOUND }),
    figure('back after, p50', quantile(delays, 0.5), 'ms'),
    figure(
      'attempts that failed',
      back.reduce((sum, { failures }) => sum + failures, 0),
      '',
      { most: 0 },
    ),
    figure('persistent sessions lost', forgotten, 'sessions', { most: 0 }),
    figure('messages to them not acknowledged', unacknowledged(), 'messages', { most: 0 }),
    figure('messages to them lost', subscribed.length - received.size, 'messages', { most: 0 }),
    figure(
      'bystander, p99 before',
      quantile(
        calm.roundTrips.map(([, ms]) => ms),
        0.99,
      ),
      'ms',
    ),
    figure('bystander, p99 during the storm', quantile(trips, 0.99), 'ms', { most: 1000 }),
    figure('bystander, longest during the storm', largest(trips), 'ms'),
    figure('bystander, round trips overdue', storm.overdue, '', { most: 0 }),
  ];
}

async function comeBack(
  connect: () => Promise<Client>,
  begin: number,
): Promise<{ client: Client; ms: number; failures: number }> {
  for (let failures = 0; ; failures += 1) {
    try {
      return { client: await connect(), ms: performance.now() - begin, failures };
    } catch (error) {
      if (failures > 100) throw error;
      await pause(RETRY * (1 + Math.random()));
    }
  }
}

export const storm: Scenario = {
  about: '3,000 devices with persistent sessions dropped at once, all back at once',
  stage: ({ scale }) => ({ certificates: Math.max(20, Math.round(400 * Math.min(1, scale))) }),
  run,
};
