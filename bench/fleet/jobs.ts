/** Jobs: 10,000 devices ask at once what waits for them, start it and finish it; each answer follows what is on disk. */
import {
  AddThingToThingGroupCommand,
  CreateJobCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DescribeJobCommand,
  IoTClient,
  type JobProcessDetails,
} from '@aws-sdk/client-iot';
import { Bystander } from './bystander.ts';
import type { Client } from './client.ts';
import { connectAt } from './crowd.ts';
import { type Figure, figure, quantile } from './figures.ts';
import { pause } from './pace.ts';
import type { Given, Scenario, Stage } from './stage.ts';
import type { Watched } from './watcher.ts';

const DEVICES = 10_000;
const PER_SECOND = 300;
/** Jobs, each to a group of its own: one job rolls out 1,000 executions a minute at most. */
const JOBS = 40;
/** Devices with a request under way where not all ask at once. */
const AT_ONCE = 400;
const LANES = 16;
/** Milliseconds for the rollout of all jobs. */
const ROLLOUT = 180_000;

const jobOf = (device: number): string => `bench-${device % JOBS}`;

async function inLanes(count: number, lanes: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function makeThings(iot: IoTClient, count: number): Promise<string[]> {
  const groups = await Promise.all(
    Array.from({ length: JOBS }, (_, i) => iot.send(new CreateThingGroupCommand({ thingGroupName: jobOf(i) }))),
  );
  await inLanes(count, LANES, async (i) => {
    const thingName = `idle-${i}`;
    await iot.send(new CreateThingCommand({ thingName }));
    await iot.send(new AddThingToThingGroupCommand({ thingName, thingGroupName: jobOf(i) }));
  });
  return groups.map(({ thingGroupArn = '' }) => thingGroupArn);
}

/** Executions of all jobs in a state. */
async function executions(iot: IoTClient, state: keyof JobProcessDetails): Promise<number> {
  let sum = 0;
  for (let i = 0; i < JOBS; i += 1) {
    const { job } = await iot.send(new DescribeJobCommand({ jobId: jobOf(i) }));
    sum += Number(job?.jobProcessDetails?.[state] ?? 0);
  }
  return sum;
}

/** Publishes a request of QoS 1; resolves with the PUBACK, which follows the answer. */
function ask(client: Client, topic: string, body: object): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    client.socket.once('close', () => reject(new Error(`${client.clientId}: closed`)));
    client.onAcknowledged = () => resolve(performance.now() - begun);
    client.publish(`$aws/things/${client.clientId}/jobs/${topic}`, Buffer.from(JSON.stringify(body)), 1);
  });
}

const p99Of = ({ roundTrips }: Watched): number =>
  quantile(
    roundTrips.map(([, ms]) => ms),
    0.99,
  );

interface Asked {
  /** A second. */
  readonly rate: number;
  readonly delays: number[];
}

async function askAll(clients: readonly Client[], lanes: number, topic: (i: number) => string, body: object): Promise<Asked> {
  const begun = performance.now();
  const delays: number[] = [];
  await inLanes(clients.length, lanes, async (i) => delays.push(await ask(clients[i] as Client, topic(i), body)));
  return { rate: (clients.length * 1000) / (performance.now() - begun), delays };
}

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  const count = Math.max(JOBS, Math.round(DEVICES * scale));
  const iot = new IoTClient(stage.api);
  say(`${count} things in ${JOBS} groups`);
  const groups = await makeThings(iot, count);
  say(`connecting ${count} devices`);
  const { clients, failures } = await connectAt(stage.endpoint, count, PER_SECOND, (i) => ({ clientId: `idle-${i}` }));
  const there = clients.filter((client) => client !== undefined);
  for (const client of there) client.socket.setMaxListeners(0);
  say(`${JOBS} jobs roll out`);
  const begun = performance.now();
  for (const [i, arn] of groups.entries())
    await iot.send(new CreateJobCommand({ jobId: jobOf(i), targets: [arn], document: '{"operation":"bench"}' }));
  while ((await executions(iot, 'numberOfQueuedThings')) < count && performance.now() - begun < ROLLOUT) await pause(500);
  using bystander = await Bystander.start({ endpoint: stage.endpoint, roundTrips: 50, connects: 0 });
  await pause(2_000);
  const quiet = await bystander.take();
  say('all ask for what is pending');
  const pending = await askAll(there, there.length, () => 'get', {});
  const besidePending = await bystander.take();
  say('all start and finish');
  const started = await askAll(there, AT_ONCE, () => 'start-next', {});
  const running = await executions(iot, 'numberOfInProgressThings');
  const finished = await askAll(there, AT_ONCE, (i) => `${jobOf(i)}/update`, { status: 'SUCCEEDED' });
  const besideWork = await bystander.take();
  const succeeded = await executions(iot, 'numberOfSucceededThings');
  for (const client of there) client.leave();
  return [
    figure('failures to connect', failures.length, '', { most: 0 }),
    figure('pending jobs, all devices at once', pending.rate, 'answers/s'),
    figure('the last answer', quantile(pending.delays, 1), 'ms', { most: 5_000 }),
    figure('started', started.rate, 'executions/s', { least: 1_000 }),
    figure('finished', finished.rate, 'executions/s', { least: 1_000 }),
    figure('executions that were not started', count - running, '', { most: 0 }),
    figure('executions that have not succeeded', count - succeeded, '', { most: 0 }),
    figure("a bystander's p99 before", p99Of(quiet), 'ms'),
    // It is of the same account, and waits behind those that came before it.
    figure("a bystander's p99 while all ask", p99Of(besidePending), 'ms', { most: 5_000 }),
    figure("a bystander's p99 while all start and finish", p99Of(besideWork), 'ms', { most: 1_000 }),
  ];
}

export const jobs: Scenario = {
  about: '10,000 devices fetch their pending jobs at once, start and finish them',
  stage: ({ scale }) => ({ certificates: Math.max(20, Math.round(400 * Math.min(1, scale))) }),
  run,
};
