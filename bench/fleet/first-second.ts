/** The first second of many new connections: what their messages wait for, beside the seconds after it, and beside Mosquitto. */
import { join } from 'node:path';
import type { Endpoint } from '../lib/connection.ts';
import { startMosquitto } from '../lib/peers.ts';
import { connectCrowd } from './crowd.ts';
import { type Figure, figure, median, quantile } from './figures.ts';
import { pace, pause } from './pace.ts';
import { stamped, stampOf } from './packets.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const DEVICES = 800;
const SUBSCRIBERS = 10;
const CERTIFICATES = 400;
const RATE = 10_000;
const SECONDS = 4;
/** Crowds that come to one broker, one after another: the first one meets cold code. */
const CROWDS = 4;

/** p99 of each second, milliseconds. */
type Seconds = readonly number[];

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  const devices = Math.max(20, Math.round(DEVICES * scale));
  const crowds = async (name: string, endpoint: Endpoint): Promise<Seconds[]> => {
    const all: Seconds[] = [];
    for (let i = 0; i < CROWDS; i += 1) {
      all.push(await oneCrowd(endpoint, devices));
      say(
        `${name}, crowd ${i + 1}: p99 of each second ${all
          .at(-1)
          ?.map((ms) => ms.toFixed(1))
          .join(' ')} ms`,
      );
    }
    return all;
  };
  const ours = await crowds('thingkeep', stage.endpoint);
  const theirs = await startMosquitto(join(stage.folder, 'mosquitto'), join(stage.data, 'ca'));
  let mosquitto: Seconds[];
  try {
    mosquitto = await crowds('mosquitto', stage.endpointAt(theirs.port));
  } finally {
    await theirs.stop();
  }
  const first = (all: readonly Seconds[]): number => median(all.slice(1).map(([ms = 0]) => ms));
  const later = (all: readonly Seconds[]): number => median(all.flatMap((seconds) => seconds.slice(1)));
  return [
    figure('thingkeep: p99 of second 0, cold', ours[0]?.[0] ?? 0, 'ms'),
    figure('thingkeep: p99 of second 0, warm', first(ours), 'ms', { most: 30 }),
    figure('thingkeep: p99 of the seconds after', later(ours), 'ms'),
    figure('mosquitto: p99 of second 0', first(mosquitto), 'ms'),
    figure('mosquitto: p99 of the seconds after', later(mosquitto), 'ms'),
  ];
}

async function oneCrowd(endpoint: Endpoint, count: number): Promise<Seconds> {
  const seconds = Array.from({ length: SECONDS }, (): number[] => []);
  let begin = Number.POSITIVE_INFINITY;
  const onMessage = (bytes: Buffer, end: number): void => {
    const now = performance.now();
    seconds[Math.floor((now - begin) / 1000)]?.push(now - stampOf(bytes, end));
  };
  const subscribers = await connectCrowd(endpoint, SUBSCRIBERS, (i) => ({ clientId: `sub-${i}`, onMessage }));
  await Promise.all(subscribers.map((client, i) => client.subscribe([`bench/${i}/+`], 0)));
  const devices = await connectCrowd(endpoint, count, (i) => ({ clientId: `pub-${i}` }), SUBSCRIBERS);
  begin = performance.now();
  let sent = 0;
  const stop = pace(RATE, () => {
    const i = sent % count;
    devices[i]?.publish(`bench/${i % SUBSCRIBERS}/${i}`, stamped(performance.now(), sent));
    sent += 1;
  });
  await pause(SECONDS * 1000);
  stop();
  for (const client of [...subscribers, ...devices]) client.leave();
  await pause(2_000);
  return seconds.map((each) => quantile(each, 0.99));
}

export const firstSecond: Scenario = {
  about: '800 new connections, then at once 10,000 messages/s from them: p99 second by second, beside Mosquitto',
  stage: () => ({ certificates: CERTIFICATES }),
  run,
};
