/** Subscribers that stop reading: what one of them costs, and a thousand, and whether the others notice. */
import { Bystander } from './bystander.ts';
import { Client } from './client.ts';
import { connectCrowd } from './crowd.ts';
import { type Figure, figure, largest, quantile } from './figures.ts';
import { Flooders } from './flooders.ts';
import type { Memory } from './memory-probe.ts';
import { pace, pause, until } from './pace.ts';
import { numberOf, stamped, stampOf } from './packets.ts';
import { MIB, residentOf, watchResident } from './process.ts';
import { Publisher } from './publisher.ts';
import { metric } from './server.ts';
import type { Given, Scenario, Stage } from './stage.ts';

/** A second, by QoS: what waits of QoS 1 for two minutes has to fit into a session's queue of 500,000. */
const RATES = [5_000, 4_000] as const;
const STALL = 120_000;
/** Milliseconds of traffic before the stall. */
const BEFORE = 20_000;
/** Large enough that the kernel's buffers are full in a few seconds. */
const SIZE = 512;
const PUBLISHERS = 10;
const CROWD = 1_000;
const CROWD_STALL = 60_000;

async function run(stage: Stage, given: Given): Promise<Figure[]> {
  return [...(await stallOne(stage, given, 0)), ...(await stallOne(stage, given, 1)), ...(await stallCrowd(stage, given))];
}

/** One subscriber, of QoS 0 with a clean session or of QoS 1 with a persistent one, and a healthy one beside it. */
async function stallOne({ endpoint, server }: Stage, { scale, say }: Given, qos: 0 | 1): Promise<Figure[]> {
  const filter = `bench/stalled-${qos}/+`;
  let latencies: number[] = [];
  const received = new Set<number>();
  const listener = await Client.connect(endpoint, 0, {
    clientId: `sub-well-${qos}`,
    onMessage: (bytes, end) => void latencies.push(performance.now() - stampOf(bytes, end)),
  });
  await listener.subscribe([filter], 0);
  const stalled = await Client.connect(endpoint, 1, {
    clientId: `sub-stalled-${qos}`,
    clean: qos === 0,
    onMessage: (bytes, end) => void received.add(numberOf(bytes, end)),
  });
  await stalled.subscribe([filter], qos);
  const crowd = await connectCrowd(endpoint, PUBLISHERS, (i) => ({ clientId: `pub-${qos}-${i}` }), 2);
  const publishers = crowd.map((client) => new Publisher(client));
  let sent = 0;
  const rate = RATES[qos];
  const stop = pace(rate, (due) => {
    const publisher = publishers[sent % PUBLISHERS] as Publisher;
    const topic = `bench/stalled-${qos}/${sent % PUBLISHERS}`;
    sent += 1;
    if (qos === 1) publisher.send(topic, sent, due, SIZE);
    else publisher.client.publish(topic, stamped(due, sent, SIZE));
  });
  say(`QoS ${qos}: all read`);
  await pause(BEFORE * Math.min(1, scale * 2));
  const before = await server.memory(true);
  const calm = latencies;
  latencies = [];
  say(`QoS ${qos}: one does not`);
  stalled.socket.pause();
  await pause((STALL * scale) / 2);
  const middle = await server.memory(true);
  await pause((STALL * scale) / 2);
  const end = await server.memory(true);
  const during = latencies;
  stop();
  const acknowledged = await until(() => publishers.every(({ inFlight }) => inFlight === 0), 30_000);
  stalled.socket.resume();
  // What was dropped (QoS 0) is not waited for.
  const complete = await until(() => received.size === sent || stalled.closed, qos === 0 ? 3_000 : 30_000);
  stalled.drop();
  await pause(1_000);
  const after = await server.memory(true);
  const costs = costOf([middle, end], [before, after]);
  const name = (what: string): string => `QoS ${qos}, one stalled: ${what}`;
  const beforeP99 = quantile(calm, 0.99);
  for (const client of [listener, ...crowd]) client.leave();
  return [
    figure(name('heap and external memory for it'), costs / MIB, 'MiB', { most: 4 }),
    figure(name('resident, more than before'), (Math.max(middle.resident, end.resident) - before.resident) / MIB, 'MiB'),
    figure(name("others' p99 before"), beforeP99, 'ms'),
    figure(name("others' p99 during the stall"), quantile(during, 0.99), 'ms', { most: Math.max(2 * beforeP99, 20) }),
    figure(name("others' longest"), largest(during), 'ms'),
    figure(name('messages others did not get'), sent - calm.length - during.length, 'messages', { most: rate / 10 }),
    figure(name('messages it got in the end'), received.size, `of ${sent}`, qos === 1 ? { least: sent } : {}),
    ...(qos === 1
      ? [figure(name('publishers acknowledged, all received'), acknowledged && complete ? 1 : 0, '', { least: 1 })]
      : []),
  ];
}

/** Bytes more, garbage collected, than with everybody reading: before it or after it, whatever makes it more. */
function costOf(during: readonly Memory[], calm: readonly Memory[]): number {
  const total = ({ heapUsed, external }: Memory): number => heapUsed + external;
  return Math.max(...during.map(total)) - Math.min(...calm.map(total));
}

/** A thousand of them, with publishers that do not wait. */
async function stallCrowd({ endpoint, server }: Stage, { scale, say }: Given): Promise<Figure[]> {
  const count = Math.round(CROWD * scale);
  const clients = await connectCrowd(endpoint, count, (i) => ({ clientId: `sub-crowd-${i}` }));
  await Promise.all(clients.map((client) => client.subscribe(['bench/flood/+'], 0)));
  using bystander = await Bystander.start({ endpoint, roundTrips: 50, connects: 5 });
  await pause(2_000);
  await bystander.take();
  await metric(server, 'event_loop_delay_max_seconds');
  const before = residentOf(server.pid);
  const seen = watchResident(server.pid);
  say(`${count} subscribers stop reading, ${PUBLISHERS} publishers send`);
  for (const client of clients) client.socket.pause();
  using flooders = new Flooders();
  await flooders.start({ endpoint, publishers: PUBLISHERS, rate: Number.POSITIVE_INFINITY, prefix: 'bench/flood' });
  await pause(CROWD_STALL * Math.min(1, scale * 2));
  const flooded = await flooders.end();
  const blocked = await metric(server, 'event_loop_delay_max_seconds');
  const dropped = await metric(server, 'messages_dropped_total');
  const meanwhile = await bystander.take();
  const peak = largest(seen());
  for (const client of clients) client.drop();
  await pause(5_000);
  const after = await server.memory(true);
  const trips = meanwhile.roundTrips.map(([, ms]) => ms);
  const name = (what: string): string => `${count} stalled: ${what}`;
  return [
    figure(name('publishers could write'), (flooded.written * 1000) / flooded.ms, 'messages/s'),
    figure(name('messages dropped'), dropped, 'messages'),
    figure(name('resident before'), before / MIB, 'MiB'),
    figure(name('resident, most'), peak / MIB, 'MiB', { most: before / MIB + 512 }),
    figure(name('resident 5 s after'), after.resident / MIB, 'MiB'),
    figure(name('heap and external after, collected'), (after.heapUsed + after.external) / MIB, 'MiB'),
    figure(name('event loop, longest delay'), blocked, 's'),
    figure(name("bystander's p99"), quantile(trips, 0.99), 'ms', { most: 1000 }),
    figure(name('round trips overdue'), meanwhile.overdue, '', { most: 0 }),
    figure(name('new devices meanwhile'), meanwhile.connects.length, 'devices', { least: 1 }),
    figure(name('new devices, longest to CONNACK'), largest(meanwhile.connects.map(([, ms]) => ms)), 'ms', { most: 1000 }),
    figure(name('new devices that failed'), meanwhile.failures.length, '', { most: 0 }),
  ];
}

export const stalled: Scenario = {
  about: 'a subscriber that stops reading for 120 s at 5,000 or 4,000 messages/s; then 1,000 of them',
  stage: () => ({ certificates: 100, probe: true }),
  run,
};
