/** A hundred thousand messages wait while the server is stopped and started: when the last of them has arrived. */
import { Client } from './client.ts';
import { connectPublishers, leaveSessions } from './crowd.ts';
import { type Figure, figure } from './figures.ts';
import { until } from './pace.ts';
import { numberOf } from './packets.ts';
import { MIB, residentOf } from './process.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const MESSAGES = 100_000;
const PUBLISHERS = 20;
/** Milliseconds from the start of the process to the last message, at most. */
const BOUND = 5_000;
/** Topics within each session: messages of one topic that lie side by side would share a row of the queue. */
const TOPICS = 10;

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  const messages = Math.round(MESSAGES * scale);
  return [
    ...(await waitFor(stage, 'one session', 1, messages, say)),
    ...(await waitFor(stage, '100 sessions', 100, messages, say)),
  ];
}

async function waitFor(stage: Stage, what: string, sessions: number, messages: number, say: Given['say']): Promise<Figure[]> {
  const name = (i: number): string => `sub-${sessions}-${i}`;
  await leaveSessions(
    stage.endpoint,
    sessions,
    (i) => ({ clientId: name(i), clean: false }),
    (i) => [`bench/queue-${sessions}/${i}/+`],
  );
  say(`${messages} messages to ${what}`);
  const acknowledged = await publish(stage, sessions, messages);
  const stopped = await stage.stop();
  const began = performance.now();
  const server = await stage.start();
  const { endpoint } = stage;
  const resident = residentOf(server.pid);
  const received = new Set<number>();
  let twice = 0;
  const onMessage = (bytes: Buffer, end: number): void => {
    const number = numberOf(bytes, end);
    if (received.has(number)) twice += 1;
    received.add(number);
  };
  const clients = await Promise.all(
    Array.from({ length: sessions }, (_, i) => Client.connect(endpoint, i, { clientId: name(i), clean: false, onMessage })),
  );
  await until(() => received.size >= acknowledged.size, 60_000);
  const ms = performance.now() - began;
  for (const client of clients) client.leave();
  return [
    figure(`${what}: stopped after`, stopped.ms, 'ms', { most: 10_000 }),
    figure(`${what}: exit code`, stopped.code ?? -1, '', { most: 0, least: 0 }),
    figure(`${what}: ready after`, server.readyIn, 'ms'),
    figure(`${what}: all received after`, ms, 'ms', { most: BOUND }),
    figure(`${what}: resident when ready`, resident / MIB, 'MiB'),
    figure(`${what}: acknowledged messages lost`, acknowledged.difference(received).size, 'messages', { most: 0 }),
    figure(`${what}: messages that came twice`, twice, 'messages', { most: 0 }),
    figure(`${what}: sessions lost`, clients.filter(({ sessionPresent }) => !sessionPresent).length, 'sessions', { most: 0 }),
  ];
}

/** Publishes all, as fast as it is acknowledged; gives the numbers that were. */
async function publish({ endpoint }: Stage, sessions: number, messages: number): Promise<Set<number>> {
  const publishers = await connectPublishers(endpoint, PUBLISHERS);
  let number = 0;
  for (const publisher of publishers)
    publisher.sendAll(() => {
      if (number === messages) return undefined;
      const topic = `bench/queue-${sessions}/${number % sessions}/${Math.floor(number / sessions) % TOPICS}`;
      number += 1;
      return { topic, number: number - 1 };
    });
  await until(() => number === messages && publishers.every(({ inFlight }) => inFlight === 0), 120_000);
  for (const { client } of publishers) client.leave();
  return new Set(publishers.flatMap(({ acknowledged }) => acknowledged));
}

export const queue: Scenario = {
  about: '100,000 queued messages, one session and 100, through a stop and a start of the server',
  stage: () => ({ certificates: 100 }),
  run,
};
