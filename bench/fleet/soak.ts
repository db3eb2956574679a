/** Hours at half load: whether memory, descriptors and delays stay as they are. Leaves a CSV and a plot. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Figure, figure, largest, median, quantile, slope } from './figures.ts';
import { pause } from './pace.ts';
import { plot } from './plot.ts';
import { cpuOf, descriptorsOf, MIB } from './process.ts';
import { metric, type Server } from './server.ts';
import { SoakLoad } from './soak-load.ts';
import type { Given, Scenario, Stage } from './stage.ts';

/** Milliseconds between samples, and minutes at the begin that no slope counts: caches fill, code is compiled. */
const EVERY = 5_000;
const WARM = 15;
/** Shorter runs tell of no slope. */
const MEANINGFUL = 60;

interface Sample {
  readonly minutes: number;
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
  readonly descriptors: number;
  readonly resources: number;
  /** Longest delay of the event loop since the last sample, ms. */
  readonly delay: number;
  /** Share of a core since the last sample, %. */
  readonly cpu: number;
}

const COLUMNS = ['minutes', 'resident', 'heap', 'external', 'descriptors', 'resources', 'delay', 'cpu'] as const;

async function run({ endpoint, server }: Stage, { minutes, out, say }: Given): Promise<Figure[]> {
  const load = new SoakLoad(endpoint);
  await load.start();
  const csv = join(out, 'soak.csv');
  writeFileSync(csv, `${COLUMNS.join(',')}\n`);
  const samples: Sample[] = [];
  const begin = performance.now();
  let cpu = cpuOf(server.pid);
  for (let count = 1; count * EVERY <= minutes * 60_000; count += 1) {
    await pause(begin + count * EVERY - performance.now());
    const used = cpuOf(server.pid);
    const sample = await look(server, (performance.now() - begin) / 60_000, (100 * (used - cpu)) / EVERY);
    cpu = used;
    samples.push(sample);
    appendFileSync(csv, `${COLUMNS.map((name) => Number(sample[name].toFixed(4))).join(',')}\n`);
    if (count % 60 === 0) say(`${sample.minutes.toFixed(0)} minutes, ${Math.round(sample.resident / MIB)} MiB resident`);
  }
  await load.end();
  const collected = await server.memory(true);
  writeFileSync(join(out, 'soak.svg'), drawing(samples));
  return [
    ...steadiness(samples, minutes),
    ...honesty(load),
    figure('heap at the end, collected', collected.heapUsed / MIB, 'MiB'),
  ];
}

async function look(server: Server, minutes: number, cpu: number): Promise<Sample> {
  const { heapUsed, external, resident, resources } = await server.memory(false);
  const delay = (await metric(server, 'event_loop_delay_max_seconds')) * 1000;
  return { minutes, resident, heap: heapUsed, external, descriptors: descriptorsOf(server.pid), resources, delay, cpu };
}

/** Slopes, in a run that is long enough; elsewhere they are only told. */
function steadiness(samples: readonly Sample[], minutes: number): Figure[] {
  const warm = samples.filter((sample) => sample.minutes >= Math.min(WARM, minutes / 4));
  const perHour = (of: (sample: Sample) => number): number =>
    (100 * 60 * slope(warm.map((sample) => [sample.minutes, of(sample)]))) / median(warm.map(of));
  const bound = minutes >= MEANINGFUL ? { most: 1 } : {};
  return [
    figure('resident, median', median(warm.map(({ resident }) => resident)) / MIB, 'MiB'),
    figure('resident, most', largest(warm.map(({ resident }) => resident)) / MIB, 'MiB'),
    figure(
      'resident, slope',
      perHour(({ resident }) => resident),
      '%/h',
      bound,
    ),
    figure(
      'heap, slope',
      perHour(({ heap }) => heap),
      '%/h',
    ),
    figure(
      'external memory, slope',
      perHour(({ external }) => external),
      '%/h',
    ),
    figure('descriptors, median', median(warm.map(({ descriptors }) => descriptors)), ''),
    figure(
      'descriptors, slope',
      perHour(({ descriptors }) => descriptors),
      '%/h',
      bound,
    ),
    figure(
      'timers and handles, slope',
      perHour(({ resources }) => resources),
      '%/h',
      bound,
    ),
    figure('event loop, longest delay', largest(warm.map(({ delay }) => delay)), 'ms'),
    figure(
      'event loop, longest delay of 5 s, p99',
      quantile(
        warm.map(({ delay }) => delay),
        0.99,
      ),
      'ms',
    ),
    figure('CPU, median', median(warm.map(({ cpu }) => cpu)), '% of a core'),
  ];
}

const honesty = ({ qos0, present, visited, comings, failures, left }: SoakLoad): Figure[] => [
  figure('messages of QoS 0', qos0.sent, 'messages'),
  figure('of these lost', qos0.sent - qos0.received, 'messages', { most: 0 }),
  figure('messages of QoS 1', present.sent + visited.sent, 'messages'),
  figure('of these lost', present.count + visited.count, 'messages', { most: 0 }),
  figure('came twice to who stayed', present.unexpected, 'messages', { most: 0 }),
  figure('came twice to who came and went', visited.unexpected, 'messages'),
  figure('connections that came and went', comings, ''),
  figure('connections that failed', failures.length, '', { most: 0 }),
  figure('listeners that were closed', left, '', { most: 0 }),
];

const drawing = (samples: readonly Sample[]): string => {
  const curve = (title: string, unit: string, of: (sample: Sample) => number) => ({
    title,
    unit,
    points: samples.map((sample) => [sample.minutes, of(sample)] as const),
  });
  return plot([
    curve('Resident memory', 'MiB', ({ resident }) => resident / MIB),
    curve('Heap', 'MiB', ({ heap }) => heap / MIB),
    curve('External memory', 'MiB', ({ external }) => external / MIB),
    curve('Open descriptors', 'number', ({ descriptors }) => descriptors),
    curve('Longest delay of the event loop', 'ms', ({ delay }) => delay),
    curve('CPU', '% of a core', ({ cpu }) => cpu),
  ]);
};

export const soak: Scenario = {
  about: 'hours (--minutes) at half load with connections that come and go; soak.csv and soak.svg',
  stage: () => ({ certificates: 410, probe: true }),
  run,
};
