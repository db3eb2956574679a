/** SIGTERM under load: how the server ends, what it tells its clients, and whether all it acknowledged is there afterwards. */
import { Client, type ClientOptions } from './client.ts';
import { connectCrowd, leaveSessions } from './crowd.ts';
import { type Figure, figure } from './figures.ts';
import { pause, until } from './pace.ts';
import { numberOf } from './packets.ts';
import { Publisher } from './publisher.ts';
import type { Given, Scenario, Stage } from './stage.ts';

/** Persistent sessions: half are there when the server stops, half are away. */
const SESSIONS = 100;
const PUBLISHERS = 20;
const LOAD = 5_000;
/** Seconds for which the sessions are kept. */
const EXPIRY = 3_600;
/** MQTT 5: Server shutting down. */
const SHUTTING_DOWN = 0x8b;

const isThere = (i: number): boolean => i % 2 === 0;
const topicOf = (number: number): string => `bench/stop/${number % SESSIONS}`;

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  const { endpoint } = stage;
  const received = new Set<number>();
  let twice = 0;
  const sessionOf = (i: number): ClientOptions => ({
    clientId: `sub-${i}`,
    level: 5,
    clean: false,
    expiry: EXPIRY,
    onMessage: (bytes, end) => {
      const number = numberOf(bytes, end);
      if (received.has(number)) twice += 1;
      received.add(number);
    },
  });
  await leaveSessions(endpoint, SESSIONS, sessionOf, (i) => [topicOf(i)]);
  const there = Array.from({ length: SESSIONS }, (_, i) => i).filter(isThere);
  const subscribers = await Promise.all(there.map((i) => Client.connect(endpoint, i, sessionOf(i))));
  const publishing = await connectCrowd(endpoint, PUBLISHERS, (i) => ({ clientId: `pub-${i}`, level: 5 }));
  const publishers = publishing.map((client) => new Publisher(client));
  let number = 0;
  for (const publisher of publishers)
    publisher.sendAll(() => {
      number += 1;
      return { topic: topicOf(number - 1), number: number - 1 };
    });
  say('load');
  await pause(LOAD * scale);
  say('SIGTERM');
  const ended = await stage.stop();
  const all = [...subscribers, ...publishing];
  await until(() => all.every(({ closed }) => closed), 5_000);
  const acknowledged = new Set(publishers.flatMap((publisher) => publisher.acknowledged));
  const told = all.filter(({ goodbye }) => goodbye === SHUTTING_DOWN).length;
  const before = received.size;

  const server = await stage.start();
  const back = await connectCrowd(stage.endpoint, SESSIONS, sessionOf);
  await until(() => acknowledged.isSubsetOf(received), 60_000);
  return [
    figure('messages acknowledged before the end', acknowledged.size, 'messages', { least: 1 }),
    figure('messages received before the end', before, 'messages'),
    figure('exit code', ended.code ?? -1, '', { most: 0, least: 0 }),
    figure('SIGTERM to exit', ended.ms, 'ms', { most: 10_000 }),
    figure('MQTT 5 clients told by DISCONNECT 0x8B', told, `of ${all.length}`, { least: all.length }),
    figure('clients left open', all.filter(({ closed }) => !closed).length, '', { most: 0 }),
    figure('ready again after', server.readyIn, 'ms'),
    figure('sessions lost', back.filter(({ sessionPresent }) => !sessionPresent).length, 'sessions', { most: 0 }),
    figure('acknowledged messages lost', acknowledged.difference(received).size, 'messages', { most: 0 }),
    figure('messages that came twice', twice, 'messages'),
  ];
}

export const stop: Scenario = {
  about: 'SIGTERM under QoS 1 load, half of the sessions away',
  stage: () => ({ certificates: SESSIONS }),
  run,
};
