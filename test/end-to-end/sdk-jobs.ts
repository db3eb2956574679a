/**
 * The AWS IoT device SDK's jobs clients, as a device uses them, in a process of its own: its native threads outlive its clients.
 * Arguments: generation (1, 2, 2 over MQTT 5), port, CA file, certificate and key file, thing. Does the one job that the thing has,
 * is refused once, and prints what it got in one line of JSON.
 */
import { iotjobs, mqtt } from 'aws-iot-device-sdk-v2';
import { answered, connect311, type SdkDevice, secondGeneration } from './sdk-connect.ts';

const [generation = '', port = '', ca = '', cert = '', key = '', thingName = ''] = process.argv.slice(2);
const device: SdkDevice = { clientId: `${thingName}-${generation}`, port: Number(port), ca, cert, key };
const qos = mqtt.QoS.AtLeastOnce;
const { IN_PROGRESS, SUCCEEDED } = iotjobs.model.JobStatus;

type Update = Omit<iotjobs.model.UpdateJobExecutionRequest, 'thingName'>;

interface JobsClient {
  pending(): Promise<object>;
  startNext(): Promise<iotjobs.model.StartNextJobExecutionResponse>;
  describe(jobId: string): Promise<object>;
  /** Fails with what the service says. */
  update(update: Update): Promise<object>;
  /** The first message on `notify`, and on `notify-next`. */
  readonly changed: Promise<object>;
  readonly next: Promise<object>;
}

const STEP = { step: 'begun' };

async function first(): Promise<JobsClient> {
  const client = new iotjobs.IotJobsClient(await connect311(device));
  const of = { thingName };
  const changed = Promise.withResolvers<object>();
  const next = Promise.withResolvers<object>();
  await client.subscribeToJobExecutionsChangedEvents(of, qos, (_, message) => message && changed.resolve(message));
  await client.subscribeToNextJobExecutionChangedEvents(of, qos, (_, message) => message && next.resolve(message));
  return {
    changed: changed.promise,
    next: next.promise,
    pending: () =>
      answered<object>(
        async (accepted, rejected) => {
          await client.subscribeToGetPendingJobExecutionsAccepted(of, qos, accepted);
          await client.subscribeToGetPendingJobExecutionsRejected(of, qos, rejected);
        },
        () => client.publishGetPendingJobExecutions(of, qos),
      ),
    startNext: () =>
      answered<iotjobs.model.StartNextJobExecutionResponse>(
        async (accepted, rejected) => {
          await client.subscribeToStartNextPendingJobExecutionAccepted(of, qos, accepted);
          await client.subscribeToStartNextPendingJobExecutionRejected(of, qos, rejected);
        },
        () => client.publishStartNextPendingJobExecution({ ...of, statusDetails: STEP }, qos),
      ),
    describe: (jobId) =>
      answered<object>(
        async (accepted, rejected) => {
          await client.subscribeToDescribeJobExecutionAccepted({ ...of, jobId }, qos, accepted);
          await client.subscribeToDescribeJobExecutionRejected({ ...of, jobId }, qos, rejected);
        },
        () => client.publishDescribeJobExecution({ ...of, jobId, includeJobDocument: true }, qos),
      ),
    update: (update) =>
      answered<object>(
        async (accepted, rejected) => {
          await client.subscribeToUpdateJobExecutionAccepted({ ...of, jobId: update.jobId }, qos, accepted);
          await client.subscribeToUpdateJobExecutionRejected({ ...of, jobId: update.jobId }, qos, rejected);
        },
        () => client.publishUpdateJobExecution({ ...of, ...update }, qos),
      ),
  };
}

async function second(): Promise<JobsClient> {
  const client = await secondGeneration(generation, device, iotjobs.IotJobsClientv2);
  const changedStream = client.createJobExecutionsChangedStream({ thingName });
  const nextStream = client.createNextJobExecutionChangedStream({ thingName });
  const changed = new Promise<object>((resolve) => changedStream.on('incomingPublish', ({ message }) => resolve(message)));
  const next = new Promise<object>((resolve) => nextStream.on('incomingPublish', ({ message }) => resolve(message)));
  const streams = [changedStream, nextStream];
  const subscribed = streams.map((stream) => new Promise((resolve) => stream.once('subscriptionStatus', resolve)));
  for (const stream of streams) stream.open();
  await Promise.all(subscribed);
  return {
    changed,
    next,
    pending: () => client.getPendingJobExecutions({ thingName }),
    startNext: () => client.startNextPendingJobExecution({ thingName, statusDetails: STEP }),
    describe: (jobId) => client.describeJobExecution({ thingName, jobId, includeJobDocument: true }),
    update: (update) =>
      client.updateJobExecution({ thingName, ...update }).catch((error: { readonly modeledError?: object }) => {
        throw error.modeledError ?? error;
      }),
  };
}

const client = generation === '1' ? await first() : await second();
const pending = await client.pending();
const { execution: started } = await client.startNext();
const jobId = started?.jobId ?? '';
const described = await client.describe(jobId);
const going = await client.update({ jobId, status: IN_PROGRESS, expectedVersion: 2, includeJobExecutionState: true });
await client.update({ jobId, status: SUCCEEDED });
const refused = await client.update({ jobId, status: SUCCEEDED }).then(
  () => undefined,
  (error: object) => error,
);
const told = { pending, started, described, going, refused, emptied: await client.changed, ended: await client.next };
process.stdout.write(`${JSON.stringify(told)}\n`);
process.exit();
