/** Latency with many devices that say little each: Thingkeep and Mosquitto in turn, in one run. */
import { join } from 'node:path';
import type { Endpoint } from '../lib/connection.ts';
import { startMosquitto } from '../lib/peers.ts';
import { connectCrowd } from './crowd.ts';
import { type Figure, figure, median, quantile } from './figures.ts';
import { pace, pause } from './pace.ts';
import { stamped, stampOf } from './packets.ts';
import { cpuOf } from './process.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const DEVICES = 400;
const SUBSCRIBERS = 10;
const RATE = 10_000;
const RUNS = 5;
const SECONDS = 6;

interface Measured {
  readonly latencies: readonly number[];
  readonly lost: number;
  /** Of the broker, µs a message. */
  readonly cpu: number;
}

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  await stage.stop();
  const measured = { thingkeep: [] as Measured[], mosquitto: [] as Measured[] };
  const seconds = Math.max(1, SECONDS * Math.min(1, 2 * scale));
  for (let turn = 0; turn < Math.max(1, Math.round(RUNS * scale)); turn += 1) {
    say(`turn ${turn + 1}`);
    const ours = await stage.start();
    measured.thingkeep.push(await measure(stage.endpoint, ours.pid, seconds));
    await stage.stop();
    const theirs = await startMosquitto(join(stage.folder, 'mosquitto'), join(stage.data, 'ca'));
    try {
      measured.mosquitto.push(await measure(stage.endpointAt(theirs.port), theirs.pid, seconds));
    } finally {
      await theirs.stop();
    }
  }
  const middle = (name: keyof typeof measured, of: (each: Measured) => number): number => median(measured[name].map(of));
  const part = (name: keyof typeof measured, q: number): number => middle(name, ({ latencies }) => quantile(latencies, q));
  return [
    ...(['thingkeep', 'mosquitto'] as const).flatMap((name) => [
      figure(`${name}: p50`, part(name, 0.5), 'ms'),
      figure(`${name}: p99`, part(name, 0.99), 'ms', name === 'thingkeep' ? { most: part('mosquitto', 0.99) } : {}),
      figure(`${name}: p99.9`, part(name, 0.999), 'ms'),
      figure(
        `${name}: CPU`,
        middle(name, ({ cpu }) => cpu),
        'µs/message',
      ),
      figure(
        `${name}: messages lost, worst run`,
        Math.max(...measured[name].map(({ lost }) => lost)),
        'messages',
        name === 'thingkeep' ? { most: 0 } : {},
      ),
    ]),
  ];
}

/** One run against one broker; a second of it is not counted. */
async function measure(endpoint: Endpoint, pid: number, seconds: number): Promise<Measured> {
  let latencies: number[] = [];
  let received = 0;
  const onMessage = (bytes: Buffer, end: number): void => {
    received += 1;
    latencies.push(performance.now() - stampOf(bytes, end));
  };
  const subscribers = await connectCrowd(endpoint, SUBSCRIBERS, (i) => ({ clientId: `sub-${i}`, onMessage }));
  await Promise.all(subscribers.map((client, i) => client.subscribe([`bench/${i}/+`], 0)));
  const devices = await connectCrowd(endpoint, DEVICES, (i) => ({ clientId: `pub-${i}` }), SUBSCRIBERS);
  let sent = 0;
  const stop = pace(RATE, () => {
    const i = sent % DEVICES;
    devices[i]?.publish(`bench/${i % SUBSCRIBERS}/${i}`, stamped(performance.now(), sent));
    sent += 1;
  });
  await pause(1_000);
  latencies = [];
  const [cpu, before] = [cpuOf(pid), sent];
  await pause(seconds * 1000);
  const used = cpuOf(pid) - cpu;
  const counted = sent - before;
  stop();
  await pause(500);
  for (const client of [...subscribers, ...devices]) client.leave();
  return { latencies, lost: sent - received, cpu: (used * 1000) / counted };
}

export const latency: Scenario = {
  about: '400 devices, 10 subscribers, 10,000 messages/s: latency beside Mosquitto',
  stage: () => ({ certificates: DEVICES + SUBSCRIBERS }),
  run,
};
