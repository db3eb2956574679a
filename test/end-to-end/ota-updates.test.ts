/** OTA updates with real devices: over MQTT as FreeRTOS's OTA agent does it, and over HTTP (fact sheet 43). */
import assert from 'node:assert/strict';
import { createHash, createSign, createVerify, generateKeyPairSync, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  CreateOTAUpdateCommand,
  type CreateOTAUpdateCommandInput,
  CreateThingCommand,
  DeleteOTAUpdateCommand,
  DeleteStreamCommand,
  DescribeJobCommand,
  DescribeStreamCommand,
  GetOTAUpdateCommand,
  type OTAUpdateInfo,
} from '@aws-sdk/client-iot';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { makeRole, makeUser } from './identities.ts';
import { connectDevice } from './provisioning.ts';
import { run } from './run-command.ts';
import { askStream, download } from './streams.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until, within } from './until.ts';

interface OtaFile {
  readonly filepath: string;
  readonly filesize: number;
  readonly fileid: number;
  readonly certfile: string;
  readonly update_data_url: string;
  readonly 'sig-sha256-ecdsa': string;
}

interface Execution {
  readonly jobId: string;
  readonly jobDocument: {
    readonly afr_ota: { readonly protocols: string[]; readonly streamname: string; readonly files: OtaFile[] };
  };
}

describe('OTA updates', () => {
  let server: TestServer;
  let device: Device;
  let roleArn: string;
  const image = randomBytes(300_001);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = createSign('sha256').update(image).sign(privateKey);

  before(async () => {
    server = await startServer({ args: ['--log-level', 'warn'] });
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'agent', 'all');
    const config = { endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), forcePathStyle: true };
    const s3 = new S3Client(config);
    await s3.send(new CreateBucketCommand({ Bucket: 'ota' }));
    await s3.send(new PutObjectCommand({ Bucket: 'ota', Key: 'v 2/image.bin', Body: image }));
    s3.destroy();
    roleArn = await makeRole(server, 'ota', [allow('s3:GetObject', 'arn:aws:s3:::ota/*')]);
  });
  after(() => server[Symbol.asyncDispose]());

  const signed = {
    signature: { inlineDocument: signature },
    certificateChain: { certificateName: 'P11:signer' },
    hashAlgorithm: 'SHA256',
    signatureAlgorithm: 'ECDSA',
  };

  const inputOf = (otaUpdateId: string, thing: string, more: Partial<CreateOTAUpdateCommandInput> = {}) => ({
    ...{ otaUpdateId, targets: [arn(`thing/${thing}`)], roleArn },
    files: [
      {
        fileName: '/firmware/image.bin',
        fileLocation: { s3Location: { bucket: 'ota', key: 'v 2/image.bin' } },
        codeSigning: { customCodeSigning: signed },
      },
    ],
    ...more,
  });

  const infoOf = async (otaUpdateId: string): Promise<OTAUpdateInfo> =>
    (await server.iot.send(new GetOTAUpdateCommand({ otaUpdateId }))).otaUpdateInfo ?? assert.fail('no info');

  const made = (otaUpdateId: string): Promise<OTAUpdateInfo> =>
    until('an OTA update is made', async () => {
      const info = await infoOf(otaUpdateId);
      return info.otaUpdateStatus?.startsWith('CREATE_P') || info.otaUpdateStatus?.startsWith('CREATE_I') ? undefined : info;
    });

  /** Makes an update while its device listens: gives what notify-next brings. */
  async function begun(thing: string, input: CreateOTAUpdateCommandInput) {
    await server.iot.send(new CreateThingCommand({ thingName: thing }));
    const agent = await connectDevice(server, thing, device);
    const { promise, resolve } = Promise.withResolvers<Execution>();
    agent.client.on('message', (topic, payload) => {
      if (!topic.endsWith('/notify-next')) return;
      const { execution } = JSON.parse(payload.toString()) as { readonly execution?: Execution };
      if (execution !== undefined) resolve(execution);
    });
    await agent.client.subscribeAsync(`$aws/things/${thing}/jobs/notify-next`, { qos: 1 });
    const answer = await server.iot.send(new CreateOTAUpdateCommand(input));
    return { agent, answer, execution: await within('notify-next', promise) };
  }

  const jobStatus = async (jobId: string) => (await server.iot.send(new DescribeJobCommand({ jobId }))).job?.status;

  test('a FreeRTOS agent gets the job by notify-next, the image in CBOR blocks, and reports SUCCEEDED', async () => {
    const { agent, answer, execution } = await begun('agent-mqtt', inputOf('mqtt', 'agent-mqtt'));
    const { $metadata, ...members } = answer;
    assert.equal($metadata.httpStatusCode, 200);
    assert.deepEqual(members, {
      otaUpdateId: 'mqtt',
      otaUpdateArn: arn('otaupdate/mqtt'),
      otaUpdateStatus: 'CREATE_PENDING',
    });
    assert.equal(execution.jobId, 'AFR_OTA-mqtt');
    const { streamname } = execution.jobDocument.afr_ota;
    assert.match(streamname, /^AFR_OTA-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const file = {
      ...{ filepath: '/firmware/image.bin', filesize: image.length, fileid: 0, certfile: 'P11:signer' },
      'sig-sha256-ecdsa': signature.toString('base64'),
    };
    const document = { afr_ota: { protocols: ['MQTT'], streamname, files: [file] } };
    assert.equal(JSON.stringify(execution.jobDocument), JSON.stringify(document));
    const about = `$aws/things/agent-mqtt/streams/${streamname}/describe/cbor`;
    const [described] = await askStream(agent.client, about, { c: 'rdy' });
    assert.deepEqual(described?.body.r, [{ f: 0, z: image.length }]);
    const stream = { thing: 'agent-mqtt', streamId: streamname, format: 'cbor' } as const;
    const got = await download(agent.client, stream, { fileId: 0, size: file.filesize, blockSize: 4096 });
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    assert.equal(hash(got), hash(image));
    assert.ok(createVerify('sha256').update(got).verify(publicKey, file['sig-sha256-ecdsa'], 'base64'));
    const update = '$aws/things/agent-mqtt/jobs/AFR_OTA-mqtt/update';
    for (const [status, statusDetails] of [
      ['IN_PROGRESS', { self_test: 'ready', updatedBy: '0x1000000' }],
      ['SUCCEEDED', { reason: 'accepted v2.0.0' }],
    ])
      assert.equal((await agent.ask(update, { status, statusDetails })).outcome, 'accepted');
    assert.equal(await jobStatus('AFR_OTA-mqtt'), 'COMPLETED');
    await agent[Symbol.asyncDispose]();
    await assert.rejects(server.iot.send(new DeleteStreamCommand({ streamId: streamname })), { name: 'DeleteConflictException' });
    await server.iot.send(new DeleteOTAUpdateCommand({ otaUpdateId: 'mqtt', deleteStream: true }));
    const gone = { name: 'ResourceNotFoundException' };
    await assert.rejects(infoOf('mqtt'), gone);
    await assert.rejects(jobStatus('AFR_OTA-mqtt'), gone);
    await assert.rejects(server.iot.send(new DescribeStreamCommand({ streamId: streamname })), gone);
  });

  test('a device gets the image over HTTP by the URL of the document, which is signed with the role', async () => {
    const input = inputOf('http', 'agent-http', { protocols: ['HTTP'], awsJobPresignedUrlConfig: { expiresInSec: 300 } });
    const { agent, execution } = await begun('agent-http', input);
    const [file] = execution.jobDocument.afr_ota.files;
    assert.ok(file !== undefined);
    const keys = ['filepath', 'filesize', 'fileid', 'certfile', 'update_data_url', 'auth_scheme', 'sig-sha256-ecdsa'];
    assert.deepEqual([Object.keys(execution.jobDocument.afr_ota), Object.keys(file)], [['protocols', 'files'], keys]);
    const { hostname, port, searchParams } = new URL(file.update_data_url);
    assert.equal(searchParams.get('X-Amz-Expires'), '300');
    const resolved = ['-s', '--resolve', `${hostname}:${port}:127.0.0.1`, '-o', '-', file.update_data_url];
    const { stdout } = await run('sh', ['-c', 'curl "$@" | sha256sum', 'curl', ...resolved]);
    assert.equal(stdout.split(' ')[0], createHash('sha256').update(image).digest('hex'));
    const { outcome } = await agent.ask('$aws/things/agent-http/jobs/AFR_OTA-http/update', { status: 'SUCCEEDED' });
    assert.equal(outcome, 'accepted');
    await agent[Symbol.asyncDispose]();
  });

  test('what the role can not read fails the update, and leaves neither stream nor job', async () => {
    const fileLocation = { s3Location: { bucket: 'ota', key: 'none' } };
    await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
    await server.iot.send(new CreateOTAUpdateCommand(inputOf('failed', 'lamp', { files: [{ fileLocation }] })));
    const { otaUpdateStatus, errorInfo, awsIotJobId } = await made('failed');
    assert.deepEqual([otaUpdateStatus, errorInfo?.code, awsIotJobId], ['CREATE_FAILED', 'ResourceNotFoundException', undefined]);
    await assert.rejects(jobStatus('AFR_OTA-failed'), { name: 'ResourceNotFoundException' });
  });

  test('a caller needs the rights to create the job and the stream', async () => {
    const own = [allow('iot:CreateOTAUpdate', '*'), allow('iam:PassRole', '*')];
    for (const [name, more] of [
      ['no-job', [allow('iot:CreateStream', '*')]],
      ['no-stream', [allow('iot:CreateJob', '*')]],
    ] as const) {
      const { iot } = await makeUser(server, name, [...own, ...more]);
      const missing =
        name === 'no-job' ? /iot:CreateJob on resource: .*job\/AFR_OTA-mine/ : /iot:CreateStream .*stream\/AFR_OTA-/;
      await assert.rejects(iot.send(new CreateOTAUpdateCommand(inputOf('mine', 'lamp'))), missing);
    }
  });
});
