/**
 * QoS 1 to sessions that are away: how soon it is acknowledged, how much of it goes, and whether all of it is there afterwards.
 */
import { Client } from './client.ts';
import { connectPublishers, leaveSessions } from './crowd.ts';
import { type Figure, figure, largest, quantile } from './figures.ts';
import { pace, pause, until } from './pace.ts';
import { numberOf } from './packets.ts';
import type { Publisher } from './publisher.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const SESSIONS = 50;
const PUBLISHERS = 20;
/** A bit more than what is asked for. */
const RATE = 2_200;
const RATED = 20_000;
const FLAT_OUT = 10_000;

const topicOf = (number: number): string => `bench/durable/${number % SESSIONS}`;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

async function run({ endpoint }: Stage, { scale, say }: Given): Promise<Figure[]> {
  await leaveSessions(
    endpoint,
    SESSIONS,
    (i) => ({ clientId: `sub-${i}`, clean: false }),
    (i) => [topicOf(i)],
  );
  const publishers = await connectPublishers(endpoint, PUBLISHERS);
  let number = 0;
  say(`${RATE} messages/s`);
  const rated = await atRate(publishers, RATED * scale, () => number++);
  const delays = publishers.flatMap((publisher) => publisher.delays);
  say('as many as go');
  const begin = performance.now();
  const before = sum(publishers.map(({ acknowledged }) => acknowledged.length));
  const end = begin + FLAT_OUT * scale;
  for (const publisher of publishers)
    publisher.sendAll(() => {
      if (performance.now() > end) return undefined;
      number += 1;
      return { topic: topicOf(number - 1), number: number - 1 };
    });
  await until(() => performance.now() > end && publishers.every(({ inFlight }) => inFlight === 0), FLAT_OUT * scale + 30_000);
  const elapsed = performance.now() - begin;
  const acknowledged = new Set(publishers.flatMap((publisher) => publisher.acknowledged));
  const flatOut = (acknowledged.size - before) / (elapsed / 1000);
  const flatDelays = publishers.flatMap((publisher) => publisher.delays).slice(delays.length);

  say('the sessions come back');
  const { lost, twice, ms } = await comeBack(endpoint, acknowledged);
  return [
    figure('rate, asked', RATE, 'messages/s'),
    figure('rate, acknowledged', rated.rate, 'messages/s', { least: 2000 }),
    figure('sent late, the window being full', rated.held, 'messages'),
    figure('PUBACK, p50', quantile(delays, 0.5), 'ms'),
    figure('PUBACK, p99', quantile(delays, 0.99), 'ms', { most: 50 }),
    figure('PUBACK, longest', largest(delays), 'ms'),
    figure('highest rate sustained', flatOut, 'messages/s'),
    figure('PUBACK at that rate, p99', quantile(flatDelays, 0.99), 'ms'),
    figure('messages not acknowledged', number - acknowledged.size, 'messages', { most: 0 }),
    figure('acknowledged messages lost', lost, 'messages', { most: 0 }),
    figure('messages that came twice', twice, 'messages', { most: 0 }),
    figure('messages back per second', (acknowledged.size * 1000) / ms, 'messages/s'),
  ];
}

/** Sends at the rate; a message that finds its publisher's window full is due all the same, and counts as late. */
async function atRate(publishers: readonly Publisher[], ms: number, next: () => number): Promise<{ rate: number; held: number }> {
  const queue: { number: number; due: number }[] = [];
  let held = 0;
  const begin = performance.now();
  const stop = pace(RATE, (due) => {
    queue.push({ number: next(), due });
    if (!sendFrom(queue, publishers)) held += 1;
  });
  await pause(ms);
  stop();
  const all = await until(() => {
    sendFrom(queue, publishers);
    return queue.length === 0 && publishers.every(({ inFlight }) => inFlight === 0);
  }, 30_000);
  const count = sum(publishers.map(({ acknowledged }) => acknowledged.length));
  return { rate: all ? (count * 1000) / (performance.now() - begin) : Number.NaN, held };
}

let turn = 0;

/** Sends what is queued as far as windows have room; says whether all went. */
function sendFrom(queue: { number: number; due: number }[], publishers: readonly Publisher[]): boolean {
  for (let tries = 0; queue.length > 0 && tries < publishers.length; turn += 1) {
    const publisher = publishers[turn % publishers.length];
    if (publisher === undefined || !publisher.hasRoom) {
      tries += 1;
      continue;
    }
    const { number, due } = queue.shift() as { number: number; due: number };
    publisher.send(topicOf(number), number, due);
    tries = 0;
  }
  return queue.length === 0;
}

async function comeBack(
  endpoint: Stage['endpoint'],
  acknowledged: ReadonlySet<number>,
): Promise<{ lost: number; twice: number; ms: number }> {
  const received = new Set<number>();
  let twice = 0;
  const onMessage = (bytes: Buffer, end: number): void => {
    const number = numberOf(bytes, end);
    if (received.has(number)) twice += 1;
    received.add(number);
  };
  const begin = performance.now();
  for (let i = 0; i < SESSIONS; i += 1) await Client.connect(endpoint, i, { clientId: `sub-${i}`, clean: false, onMessage });
  await until(() => received.size >= acknowledged.size, 60_000);
  return { lost: acknowledged.difference(received).size, twice, ms: performance.now() - begin };
}

export const durable: Scenario = {
  about: 'QoS 1 at 2,200 messages/s to 50 persistent sessions that are away, then as fast as it goes',
  stage: () => ({ certificates: SESSIONS }),
  run,
};
