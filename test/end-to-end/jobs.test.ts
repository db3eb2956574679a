/** Jobs with a real device: MQTT.js over mutual TLS, and HTTPS (fact sheet 8 and 38). */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  AddThingToThingGroupCommand,
  CreateDynamicThingGroupCommand,
  CreateJobCommand,
  CreatePackageCommand,
  CreatePackageVersionCommand,
  CreateThingCommand,
  CreateThingGroupCommand,
  DescribeIndexCommand,
  DescribeJobCommand,
  SearchIndexCommand,
  UpdateEventConfigurationsCommand,
  UpdateIndexingConfigurationCommand,
  UpdatePackageCommand,
  UpdatePackageConfigurationCommand,
  UpdatePackageVersionCommand,
  UpdateThingCommand,
} from '@aws-sdk/client-iot';
import {
  GetPendingJobExecutionsCommand,
  IoTJobsDataPlaneClient,
  UpdateJobExecutionCommand,
} from '@aws-sdk/client-iot-jobs-data-plane';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { makeRole } from './identities.ts';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { connectDevice } from './provisioning.ts';
import { run } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

/** What sdk-jobs.ts prints. */
interface SdkTold {
  readonly pending: { readonly queuedJobs?: readonly { jobId: string; queuedAt: number }[]; readonly inProgressJobs?: unknown };
  readonly started: { readonly status: string; readonly jobDocument: unknown };
  readonly described: { readonly execution: { readonly statusDetails: unknown } };
  readonly going: { readonly executionState: unknown };
  readonly refused: { readonly code: string };
  readonly emptied: { readonly jobs: unknown };
  readonly ended: { readonly execution?: unknown };
}

describe('jobs', () => {
  let server: TestServer;
  let device: Device;

  before(async () => {
    server = await startServer();
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'device', 'all');
  });
  after(() => server[Symbol.asyncDispose]());

  /** A connected device that gives the messages of its subscriptions one by one. */
  async function listening(clientId: string, ...filters: readonly string[]) {
    const asking = await connectDevice(server, clientId, device);
    const came: string[] = [];
    const waiting: ((message: string) => void)[] = [];
    asking.client.on('message', (topic, payload) => {
      const message = `${topic} ${payload}`;
      const next = waiting.shift();
      if (next === undefined) came.push(message);
      else next(message);
    });
    for (const filter of filters) await asking.client.subscribeAsync(filter, { qos: 1 });
    const next = async (): Promise<string> => came.shift() ?? new Promise((resolve) => waiting.push(resolve));
    return { ...asking, next, came };
  }

  /** Resolves once the job has an execution that waits. */
  async function rolledOut(jobId: string): Promise<void> {
    const queued = async () =>
      (await server.iot.send(new DescribeJobCommand({ jobId }))).job?.jobProcessDetails?.numberOfQueuedThings;
    while ((await queued()) !== 1);
  }

  const base = (thing: string): string => `$aws/things/${thing}/jobs`;

  test('a job comes to its thing: notify, start-next, update; then it is complete, and events have told of it', async () => {
    await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
    await server.iot.send(
      new UpdateEventConfigurationsCommand({ eventConfigurations: { JOB: { Enabled: true }, JOB_EXECUTION: { Enabled: true } } }),
    );
    const events = await listening('owner', '$aws/events/job/#', '$aws/events/jobExecution/#');
    const lamp = await listening('lamp', `${base('lamp')}/notify`, `${base('lamp')}/notify-next`);
    await server.iot.send(new CreateJobCommand({ jobId: 'first', targets: [arn('thing/lamp')], document: '{"run": 1.0}' }));
    assert.match(await lamp.next(), /jobs\/notify \{"timestamp":\d+,"jobs":\{"QUEUED":\[\{"jobId":"first",/);
    assert.match(await lamp.next(), /jobs\/notify-next .*"status":"QUEUED",.*"jobDocument":\{"run":1\.0\}\}\}$/);
    const started = await lamp.ask(`${base('lamp')}/start-next`, { clientToken: 'a' });
    lamp.came.splice(0);
    assert.equal(started.outcome, 'accepted');
    assert.equal(started.body.clientToken, 'a');
    const done = await lamp.ask(`${base('lamp')}/first/update`, { status: 'SUCCEEDED', expectedVersion: 2 });
    assert.equal(done.outcome, 'accepted');
    assert.match(lamp.came.join('\n'), /jobs\/notify \{"timestamp":\d+,"jobs":\{\}\}\n.*jobs\/notify-next \{"timestamp":\d+\}/);
    const { job } = await server.iot.send(new DescribeJobCommand({ jobId: 'first' }));
    assert.deepEqual([job?.status, job?.jobProcessDetails?.numberOfSucceededThings], ['COMPLETED', 1]);
    assert.match(await events.next(), /^\$aws\/events\/jobExecution\/first\/succeeded \{"eventType":"JOB_EXECUTION"/);
    assert.match(await events.next(), /^\$aws\/events\/job\/first\/completed .*"status":"COMPLETED"/);
    await lamp[Symbol.asyncDispose]();
    await events[Symbol.asyncDispose]();
  });

  test('another client does not see the answers, however wide its filter is', async () => {
    const spy = await listening('spy', `${base('lamp')}/#`);
    const lamp = await connectDevice(server, 'lamp', device);
    assert.deepEqual((await lamp.ask(`${base('lamp')}/get`)).body.queuedJobs, []);
    await lamp.client.publishAsync('end', '', { qos: 1 });
    assert.deepEqual(spy.came, []);
    await lamp[Symbol.asyncDispose]();
    await spy[Symbol.asyncDispose]();
  });

  test('a thing that comes into the group of a continuous job is notified', async () => {
    await server.iot.send(new CreateThingGroupCommand({ thingGroupName: 'lamps' }));
    await server.iot.send(new CreateThingCommand({ thingName: 'late' }));
    await server.iot.send(
      new CreateJobCommand({
        jobId: 'rolling',
        targets: [arn('thinggroup/lamps')],
        document: '{}',
        targetSelection: 'CONTINUOUS',
      }),
    );
    const late = await listening('late', `${base('late')}/notify`, `${base('late')}/notify-next`);
    await server.iot.send(new AddThingToThingGroupCommand({ thingName: 'late', thingGroupName: 'lamps' }));
    assert.match(await late.next(), /notify .*"rolling"/);
    assert.match(await late.next(), /notify-next .*"rolling"/);
    await late[Symbol.asyncDispose]();
  });

  test('a thing that comes into a dynamic group is notified, and loses its job as it leaves it (36.6)', async () => {
    const thingIndexingConfiguration = { thingIndexingMode: 'REGISTRY' } as const;
    await server.iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration }));
    await server.iot.send(new CreateThingCommand({ thingName: 'mover' }));
    const indexed = async () => (await server.iot.send(new DescribeIndexCommand({ indexName: 'AWS_Things' }))).indexStatus;
    while ((await indexed()) !== 'ACTIVE');
    await server.iot.send(new CreateDynamicThingGroupCommand({ thingGroupName: 'upstairs', queryString: 'attributes.floor:2' }));
    const targets = [arn('thinggroup/upstairs')];
    await server.iot.send(new CreateJobCommand({ jobId: 'upstairs', targets, document: '{}', targetSelection: 'CONTINUOUS' }));
    const mover = await listening('mover', `${base('mover')}/notify`);
    const move = (floor: string) =>
      server.iot.send(new UpdateThingCommand({ thingName: 'mover', attributePayload: { attributes: { floor } } }));
    await move('2');
    assert.match(await mover.next(), /notify .*"QUEUED":\[\{"jobId":"upstairs"/);
    await move('1');
    assert.match(await mover.next(), /notify .*"jobs":\{\}/);
    await mover[Symbol.asyncDispose]();
  });

  test('over HTTPS with a certificate and with SigV4; the policy of a device says for which job (8.2, 38.3)', async () => {
    await server.iot.send(new CreateThingCommand({ thingName: 'board' }));
    for (const jobId of ['one', 'two'])
      await server.iot.send(new CreateJobCommand({ jobId, targets: [arn('thing/board')], document: '{"a":"b"}' }));
    await makePolicy(server, 'board', [
      allow(['iotjobsdata:GetPendingJobExecutions', 'iot:StartNextPendingJobExecution'], arn('thing/board')),
      {
        ...allow('iotjobsdata:UpdateJobExecution', arn('thing/board')),
        Condition: { StringEquals: { 'iot:JobId': 'one' } },
      } as ReturnType<typeof allow>,
    ]);
    const board = await makeDevice(server, 'board', 'board');
    const curl = async (...args: readonly string[]): Promise<string> => {
      const tls = ['--cacert', server.rootCa, '--cert', board.cert, '--key', board.key];
      const [path = '', ...more] = args;
      return (await run('curl', ['-s', ...tls, ...more, `https://localhost:${server.ports.https}/things/${path}`])).stdout;
    };
    const client = new IoTJobsDataPlaneClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: server.iot.config.credentials,
    });
    const pending = async () => (await client.send(new GetPendingJobExecutionsCommand({ thingName: 'board' }))).queuedJobs;
    while ((await pending())?.length !== 2);
    assert.match(await curl('board/jobs'), /"queuedJobs":\[\{"jobId":"one",/);
    assert.match(await curl('board/jobs/$next', '-X', 'PUT', '--data', '{}'), /"jobDocument":"\{\\"a\\":\\"b\\"\}"/);
    const update = (jobId: string, status: string) => curl(`board/jobs/${jobId}`, '--data', JSON.stringify({ status }));
    assert.match(await update('two', 'FAILED'), /Forbidden/);
    assert.match(await curl('board/jobs/one'), /Forbidden/);
    assert.match(await curl('lamp/jobs'), /Forbidden/);
    assert.equal(await update('one', 'SUCCEEDED'), '{}');
    assert.match(await update('one', 'SUCCEEDED'), /can not be updated from SUCCEEDED/);
    await assert.rejects(
      client.send(new UpdateJobExecutionCommand({ thingName: 'board', jobId: 'one', status: 'IN_PROGRESS' })),
      { name: 'InvalidStateTransitionException' },
    );
    client.destroy();
  });

  test('a document from an object, with URLs that are signed for its device: down and up (37)', async () => {
    const s3 = new S3Client({
      endpoint: server.url,
      region: 'us-east-1',
      credentials: server.credentials(),
      forcePathStyle: true,
    });
    await s3.send(new CreateBucketCommand({ Bucket: 'firmware' }));
    await s3.send(new PutObjectCommand({ Bucket: 'firmware', Key: 'v 2.bin', Body: 'the image' }));
    const source = {
      get: '${aws:iot:s3-presigned-url-v2:https://firmware.s3.amazonaws.com/v%202.bin}',
      put: '${aws:iot:s3-presigned-url-upload:https://s3.us-east-1.amazonaws.com/firmware/logs/${thingName}/${jobId}.txt}',
    };
    await s3.send(new PutObjectCommand({ Bucket: 'firmware', Key: 'job.json', Body: JSON.stringify(source) }));
    await server.iot.send(new CreateThingCommand({ thingName: 'updated' }));
    const roleArn = await makeRole(server, 'firmware', [
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::firmware/*' },
    ]);
    await server.iot.send(
      new CreateJobCommand({
        jobId: 'update',
        targets: [arn('thing/updated')],
        documentSource: 'https://s3.amazonaws.com/firmware/job.json',
        presignedUrlConfig: { roleArn, expiresInSec: 300 },
      }),
    );
    await rolledOut('update');
    const board = await connectDevice(server, 'updated', device);
    const started = await board.ask(`${base('updated')}/start-next`);
    const { jobDocument } = started.body.execution as { jobDocument: { get: string; put: string } };
    const curl = async (url: string, ...args: readonly string[]): Promise<string> => {
      const { hostname, port } = new URL(url);
      return (await run('curl', ['-s', '--resolve', `${hostname}:${port}:127.0.0.1`, ...args, url])).stdout;
    };
    assert.equal(await curl(jobDocument.get), 'the image');
    assert.match(await curl(jobDocument.get.replace('v%202.bin', 'job.json')), /SignatureDoesNotMatch/);
    assert.equal(await curl(jobDocument.put, '-X', 'PUT', '--data', 'went well'), '');
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'firmware', Key: 'logs/updated/update.txt' }));
    assert.equal(await Body?.transformToString(), 'went well');
    await board[Symbol.asyncDispose]();
    s3.destroy();
  });

  test('a software package: deployed by its default, done by the device, in $package and in the index (44)', async () => {
    const { iot } = server;
    const config = { thingIndexingMode: 'REGISTRY_AND_SHADOW', namedShadowIndexingMode: 'ON' } as const;
    const filter = { namedShadowNames: ['$package'] };
    await iot.send(new UpdateIndexingConfigurationCommand({ thingIndexingConfiguration: { ...config, filter } }));
    const packageName = 'firmware';
    await iot.send(new CreatePackageCommand({ packageName }));
    const version = { packageName, versionName: '1.0' };
    await iot.send(new CreatePackageVersionCommand({ ...version, attributes: { board: 'esp32' } }));
    await iot.send(new UpdatePackageVersionCommand({ ...version, action: 'PUBLISH' }));
    await iot.send(new UpdatePackageCommand({ packageName, defaultVersionName: '1.0' }));
    const roleArn = await makeRole(server, 'packages', [allow('iot:UpdateThingShadow', arn('thing/*/$package'))]);
    await iot.send(new UpdatePackageConfigurationCommand({ versionUpdateByJobsConfig: { enabled: true, roleArn } }));
    await iot.send(new CreateThingCommand({ thingName: 'packed' }));
    await iot.send(
      new CreateJobCommand({
        jobId: 'deploy',
        targets: [arn('thing/packed')],
        document: '{"board":"${aws:iot:package::version::attributes:board}"}',
        destinationPackageVersions: [arn(`package/${packageName}/version/$default`)],
      }),
    );
    await rolledOut('deploy');
    const packed = await connectDevice(server, 'packed', device);
    const watcher = await listening('watcher', '$aws/things/packed/shadow/name/$package/update/documents');
    const started = await packed.ask(`${base('packed')}/start-next`);
    assert.deepEqual((started.body.execution as { jobDocument: unknown }).jobDocument, { board: 'esp32' });
    await packed.ask(`${base('packed')}/deploy/update`, { status: 'SUCCEEDED' });
    assert.match(await watcher.next(), /"current":\{"state":\{"reported":\{"firmware":\{"version":"1\.0"\}\}\},/);
    const queryString = 'shadow.name.$package.reported.firmware.version:1.0';
    await until('the thing is found by its package', async () => {
      const { things = [] } = await iot.send(new SearchIndexCommand({ queryString })).catch(() => ({ things: [] }));
      return things.map(({ thingName }) => thingName).join() === 'packed' ? true : undefined;
    });
    await packed[Symbol.asyncDispose]();
    await watcher[Symbol.asyncDispose]();
  });

  test("the device SDK's jobs clients do a job: both generations, the second over MQTT 3.1.1 and MQTT 5", async () => {
    for (const generation of ['1', '2', '5']) {
      const thingName = `sdk-${generation}`;
      const jobId = `for-sdk-${generation}`;
      await server.iot.send(new CreateThingCommand({ thingName }));
      const document = '{"steps":["a","b"]}';
      await server.iot.send(new CreateJobCommand({ jobId, targets: [arn(`thing/${thingName}`)], document }));
      await rolledOut(jobId);
      const script = new URL('./sdk-jobs.ts', import.meta.url).pathname;
      const { port, ca } = { port: String(server.ports.mqtt), ca: server.rootCa };
      const { stdout, stderr } = await run(process.execPath, [script, generation, port, ca, device.cert, device.key, thingName]);
      assert.ok(stdout.startsWith('{'), stderr);
      const told = JSON.parse(stdout) as SdkTold;
      const { queuedJobs = [], inProgressJobs } = told.pending;
      assert.deepEqual([queuedJobs.map((each) => each.jobId), inProgressJobs], [[jobId], []]);
      assert.ok(Math.abs((queuedJobs[0]?.queuedAt ?? 0) * 1000 - Date.now()) < 600_000);
      assert.deepEqual([told.started.status, told.started.jobDocument], ['IN_PROGRESS', JSON.parse(document)]);
      assert.deepEqual(told.described.execution.statusDetails, { step: 'begun' });
      assert.deepEqual(told.going.executionState, { status: 'IN_PROGRESS', statusDetails: { step: 'begun' }, versionNumber: 3 });
      assert.equal(told.refused.code, 'InvalidStateTransition');
      assert.deepEqual([told.emptied.jobs, told.ended.execution], [{}, undefined]);
    }
  });
});
