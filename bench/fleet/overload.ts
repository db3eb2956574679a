/** Four times what the server can take, for a minute: memory, how publishers are slowed, and how soon all is as before. */
import { Bystander } from './bystander.ts';
import { type Figure, figure, largest, median, quantile } from './figures.ts';
import { Drain, Flooders } from './flooders.ts';
import { pause, wallClock } from './pace.ts';
import { MIB, residentOf, watchResident } from './process.ts';
import { metric } from './server.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const PUBLISHERS = 10;
const TIMES = 4;
const OVERLOAD = 60_000;
const RATED = 10_000;
/** Of the saturated rate: what counts as the rated load. */
const RATED_PART = 0.8;
/** A round trip of the bystander (ms) that is normal again, and for how long all have to be so. */
const NORMAL = 100;
const CALM = 2_000;
const PREFIX = 'bench/flood';

async function run({ endpoint, server }: Stage, { scale, say }: Given): Promise<Figure[]> {
  const drain = new Drain();
  await drain.open(endpoint, PUBLISHERS, 'sub-drain', PREFIX);
  using flooders = new Flooders();
  using bystander = await Bystander.start({ endpoint, roundTrips: 100, connects: 0 });
  const start = (rate: number): Promise<void> => flooders.start({ endpoint, publishers: PUBLISHERS, rate, prefix: PREFIX });
  await pause(1_000);
  const idle = residentOf(server.pid);

  say('finding the rate that the server takes');
  await start(Number.POSITIVE_INFINITY);
  await pause(2_000);
  drain.take();
  const beginSaturated = performance.now();
  await pause(5_000 * Math.min(1, 2 * scale));
  const saturated = (drain.take().received * 1000) / (performance.now() - beginSaturated);
  await flooders.end();
  await pause(1_000);

  say(`rated: ${Math.round(saturated)} messages/s`);
  await start(saturated * RATED_PART);
  const ratedMemory = watchResident(server.pid);
  await pause(1_000);
  await bystander.take();
  drain.take();
  await pause(RATED * Math.min(1, 2 * scale));
  const rated = drain.take();
  const ratedTrips = (await bystander.take()).roundTrips.map(([, ms]) => ms);
  const ratedPeak = largest(ratedMemory());
  await flooders.end();
  await pause(1_000);

  say(`${TIMES} times that`);
  const droppedBefore = await metric(server, 'messages_dropped_total');
  await metric(server, 'event_loop_delay_max_seconds');
  const overMemory = watchResident(server.pid);
  await start(saturated * TIMES);
  await flooders.take();
  drain.take();
  const beginOver = performance.now();
  await pause(OVERLOAD * scale);
  const flooded = await flooders.end();
  const ended = wallClock();
  const seconds = (performance.now() - beginOver) / 1000;
  const over = drain.take();
  const blocked = await metric(server, 'event_loop_delay_max_seconds');
  const overPeak = largest(overMemory());
  const dropped = (await metric(server, 'messages_dropped_total')) - droppedBefore;
  const overTrips = await bystander.take();

  await pause(10_000);
  const after = await bystander.take();
  const overdue = largest([0, ...after.roundTrips.filter(([, ms]) => ms > NORMAL).map(([at, ms]) => at + ms - ended)]);
  const calm = after.roundTrips.filter(([at]) => at > ended + overdue && at < ended + overdue + CALM);
  const settled = residentOf(server.pid);
  return [
    figure('saturated rate', saturated, 'messages/s'),
    figure('at 80 % of it: received', (rated.received * 1000) / (RATED * Math.min(1, 2 * scale)), 'messages/s'),
    figure('at 80 % of it: latency p99', quantile(rated.latencies, 0.99), 'ms'),
    figure("at 80 % of it: bystander's p99", quantile(ratedTrips, 0.99), 'ms'),
    figure('overload: offered', flooded.offered / saturated / (flooded.ms / 1000), 'times the saturated rate'),
    figure('overload: could be written', (100 * flooded.written) / flooded.offered, '% of what was offered'),
    figure('overload: received', over.received / seconds, 'messages/s'),
    figure('overload: dropped by the server (QoS 0)', dropped, 'messages'),
    figure('overload: latency of what was received, p50', median(over.latencies), 'ms'),
    figure('overload: latency of what was received, p99', quantile(over.latencies, 0.99), 'ms', { most: 2000 }),
    figure(
      "overload: bystander's p99",
      quantile(
        overTrips.roundTrips.map(([, ms]) => ms),
        0.99,
      ),
      'ms',
      { most: 2000 },
    ),
    figure('overload: event loop, longest delay', blocked, 's'),
    figure('normal again after', calm.length === 0 ? Number.NaN : overdue / 1000, 's', { most: 5 }),
    figure('resident before', idle / MIB, 'MiB'),
    figure('resident at 80 %, most', ratedPeak / MIB, 'MiB'),
    figure('resident in the overload, most', overPeak / MIB, 'MiB', { most: (1.5 * ratedPeak) / MIB }),
    figure('resident 10 s after', settled / MIB, 'MiB'),
  ];
}

export const overload: Scenario = {
  about: 'four times the rate that the server takes (fan-in of small messages), for 60 s',
  stage: () => ({ certificates: PUBLISHERS + 8 }),
  run,
};
