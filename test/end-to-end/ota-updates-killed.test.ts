/** OTA updates across the death of the process: each is made whole, or waits (fact sheet 43). */
// suite: long
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import {
  CreateOTAUpdateCommand,
  CreateThingCommand,
  DescribeStreamCommand,
  GetJobDocumentCommand,
  GetOTAUpdateCommand,
  ListJobsCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-iot';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { allow, arn } from './devices.ts';
import { makeRole } from './identities.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const KILLS = 3;
const UPDATES = 10;

const complete = (server: TestServer, otaUpdateId: string): Promise<string> =>
  until('an OTA update is made', async () => {
    const { otaUpdateInfo } = await server.iot.send(new GetOTAUpdateCommand({ otaUpdateId }));
    if (otaUpdateInfo?.otaUpdateStatus !== 'CREATE_COMPLETE') return undefined;
    return otaUpdateInfo.otaUpdateFiles?.[0]?.fileLocation?.stream?.streamId ?? 'none';
  });

test('updates that a kill -9 has cut off are made after it: each has one job and one stream, and there are no others', async () => {
  const dataDir = temporaryFolder();
  let server = await startServer({ dataDir });
  await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
  const config = { endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), forcePathStyle: true };
  const s3 = new S3Client(config);
  await s3.send(new CreateBucketCommand({ Bucket: 'ota' }));
  await s3.send(new PutObjectCommand({ Bucket: 'ota', Key: 'image', Body: 'image' }));
  s3.destroy();
  const roleArn = await makeRole(server, 'ota', [allow('s3:GetObject', 'arn:aws:s3:::ota/*')]);
  const files = [{ fileLocation: { s3Location: { bucket: 'ota', key: 'image' } } }];
  const ids: string[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    for (let i = 0; i < UPDATES; i += 1) {
      const otaUpdateId = `u-${kill}-${i}`;
      await server.iot.send(new CreateOTAUpdateCommand({ otaUpdateId, targets: [arn('thing/lamp')], roleArn, files }));
      ids.push(otaUpdateId);
    }
    // Some are made by then, and those behind it are not.
    await complete(server, `u-${kill}-${kill}`);
    await server.signal('SIGKILL');
    server = await startServer({ dataDir });
  }
  const made: string[] = [];
  for (const id of ids) {
    const streamId = await complete(server, id);
    const { document = '' } = await server.iot.send(new GetJobDocumentCommand({ jobId: `AFR_OTA-${id}` }));
    assert.ok(document.includes(`"streamname":"${streamId}"`));
    await server.iot.send(new DescribeStreamCommand({ streamId }));
    made.push(streamId);
  }
  const { jobs = [] } = await server.iot.send(new ListJobsCommand({ maxResults: 250 }));
  const { streams = [] } = await server.iot.send(new ListStreamsCommand({ maxResults: 250 }));
  assert.equal(jobs.length, ids.length);
  assert.deepEqual(streams.map(({ streamId }) => streamId).sort(), made.sort());
  await server[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});
