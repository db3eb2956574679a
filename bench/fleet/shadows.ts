/** Updates of shadows over MQTT, each answered once it is on disk: how many go, how soon, at what cost; and a start with 100,000 shadows. */
import { join } from 'node:path';
import type { Endpoint } from '../lib/connection.ts';
import { startMosquitto } from '../lib/peers.ts';
import type { Client } from './client.ts';
import { connectCrowd } from './crowd.ts';
import { type Figure, figure, quantile } from './figures.ts';
import { pace, pause, until } from './pace.ts';
import { cpuOf } from './process.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const DEVICES = 400;
const SHADOWS = 100_000;
/** Requests of a device that are under way at a time. */
const WINDOW = 5;
const SECONDS = 10;
const CERTIFICATES = 20;

/** A device that updates its shadow, or several in turn, with a few requests under way. */
class Updater {
  readonly client: Client;
  topics: readonly string[];
  readonly #begun: number[] = [];
  readonly delays: number[] = [];
  done = 0;
  #id = 0;
  #next = 0;
  onDone: () => void = () => {};

  constructor(client: Client, topics: readonly string[]) {
    this.client = client;
    this.topics = topics;
    client.onAcknowledged = () => {
      this.delays.push(performance.now() - (this.#begun.shift() ?? Number.NaN));
      this.done += 1;
      this.onDone();
    };
  }

  get inFlight(): number {
    return this.#begun.length;
  }

  update(due = performance.now()): void {
    this.#id = (this.#id % 65_535) + 1;
    this.#begun.push(due);
    const n = this.#next++;
    const reported = { temperature: 20 + (n % 100) / 10, door: n % 2 === 0 ? 'open' : 'closed', count: n };
    const topic = this.topics[n % this.topics.length] ?? '';
    this.client.publish(topic, Buffer.from(JSON.stringify({ state: { reported }, clientToken: `t-${n}` })), this.#id);
  }
}

interface Ran {
  /** A second. */
  readonly rate: number;
  /** Of the broker, µs an update. */
  readonly cpu: number;
  readonly delays: number[];
}

const doneOf = (updaters: readonly Updater[]): number => updaters.reduce((sum, { done }) => sum + done, 0);

/** Measures what `load` does in some seconds. */
async function measured(updaters: readonly Updater[], pid: number, seconds: number, load: () => () => void): Promise<Ran> {
  const stop = load();
  await pause(500);
  for (const { delays } of updaters) delays.length = 0;
  const [cpu, before, begun] = [cpuOf(pid), doneOf(updaters), performance.now()];
  await pause(seconds * 1000);
  const count = doneOf(updaters) - before;
  const ran = { rate: (count * 1000) / (performance.now() - begun), cpu: ((cpuOf(pid) - cpu) * 1000) / count };
  stop();
  const delays = updaters.flatMap((updater) => updater.delays);
  await until(() => updaters.every(({ inFlight }) => inFlight === 0), 30_000);
  return { ...ran, delays };
}

/** Each device has as many requests under way as are served at a time. */
function flatOut(updaters: readonly Updater[]): () => void {
  for (const updater of updaters) {
    updater.onDone = () => updater.update();
    for (let i = 0; i < WINDOW; i += 1) updater.update();
  }
  return () => {
    for (const updater of updaters) updater.onDone = () => {};
  };
}

function atRate(updaters: readonly Updater[], rate: number): () => void {
  let turn = 0;
  return pace(rate, (due) => updaters[turn++ % updaters.length]?.update(due));
}

async function updatersAt(endpoint: Endpoint, topicOf: (n: number) => string, count: number): Promise<Updater[]> {
  const clients = await connectCrowd(endpoint, DEVICES, (i) => ({ clientId: `pub-${i}` }));
  const each = Math.ceil(count / DEVICES);
  return clients.map(
    (client, i) =>
      new Updater(
        client,
        Array.from({ length: each }, (_, n) => topicOf(i * each + n)),
      ),
  );
}

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  const seconds = Math.max(1, SECONDS * scale);
  const count = Math.round(SHADOWS * scale);
  const { pid } = stage.server;
  const updaters = await updatersAt(stage.endpoint, (n) => `$aws/things/thing-${n}/shadow/update`, count);
  say(`${count} shadows are made`);
  const stop = flatOut(updaters);
  await until(() => doneOf(updaters) >= count, 120_000);
  stop();
  await until(() => updaters.every(({ inFlight }) => inFlight === 0), 30_000);
  // From here on each device updates its own shadow.
  for (const updater of updaters) updater.topics = updater.topics.slice(0, 1);
  say('as many updates as go');
  const most = await measured(updaters, pid, seconds, () => flatOut(updaters));
  const half = Math.round(most.rate / 2);
  say(`${half} updates/s`);
  const paced = await measured(updaters, pid, seconds, () => atRate(updaters, half));
  for (const { client } of updaters) client.leave();
  say('a restart');
  await stage.stop();
  const { readyIn } = await stage.start();
  await stage.stop();
  say('Mosquitto');
  const theirs = await startMosquitto(join(stage.folder, 'mosquitto'), join(stage.data, 'ca'));
  const plain = await (async (): Promise<Ran> => {
    try {
      const publishers = await updatersAt(stage.endpointAt(theirs.port), (n) => `bench/thing-${n}/update`, DEVICES);
      const ran = await measured(publishers, theirs.pid, seconds, () => atRate(publishers, half));
      for (const { client } of publishers) client.leave();
      return ran;
    } finally {
      await theirs.stop();
    }
  })();
  await stage.start();
  return [
    figure('updates accepted', most.rate, 'updates/s', { least: 10_000 }),
    figure('updates accepted: CPU', most.cpu, 'µs/update'),
    figure('updates accepted: p99', quantile(most.delays, 0.99), 'ms'),
    figure('at half that rate: p50', quantile(paced.delays, 0.5), 'ms'),
    figure('at half that rate: p99', quantile(paced.delays, 0.99), 'ms'),
    figure('at half that rate: CPU', paced.cpu, 'µs/update'),
    figure("mosquitto's plain publish at that rate: CPU", plain.cpu, 'µs/publish'),
    figure(`a start with ${count} shadows`, readyIn, 'ms', { most: 2_000 }),
  ];
}

export const shadows: Scenario = {
  about: '100,000 shadows; 400 devices update theirs, as many as go and half of that; a start with them',
  stage: () => ({ certificates: CERTIFICATES }),
  run,
};
