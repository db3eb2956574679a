/** Streams of files in another store that speaks S3's API: another server of this project, so that requests are signed and checked. */
// suite: long
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateStreamCommand, UpdateStreamCommand } from '@aws-sdk/client-iot';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ALLOW_ALL, allow, makeDevice, makePolicy } from './devices.ts';
import { makeRole } from './identities.ts';
import { connectDevice } from './provisioning.ts';
import { askStream, download } from './streams.ts';
import { startServer, temporaryFolder } from './test-core.ts';

test('files come from the store of --action-endpoints, by ranges; a replaced one is not mixed with the old one', async () => {
  await using store = await startServer();
  const { accessKeyId, secretAccessKey } = store.credentials();
  const credentials = { accessKeyId, secretAccessKey };
  const s3 = new S3Client({ endpoint: store.url, region: 'us-east-1', credentials, forcePathStyle: true });
  const [Bucket, Key] = ['elsewhere', 'file'];
  const put = (Body: Buffer) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const file = randomBytes(700_000);
  await s3.send(new CreateBucketCommand({ Bucket }));
  await put(file);

  const folder = temporaryFolder();
  const keys = join(folder, 'keys');
  writeFileSync(keys, `[s3]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`, { mode: 0o600 });
  const named = ['--action-endpoints', `s3=${store.url}`, '--action-credentials', keys];
  await using server = await startServer({ args: ['--log-level', 'warn', ...named] });
  await makePolicy(server, 'all', ALLOW_ALL);
  const roleArn = await makeRole(server, 'streams', [allow('s3:GetObject', `arn:aws:s3:::${Bucket}/*`)]);
  const files = [{ fileId: 0, s3Location: { bucket: Bucket, key: Key } }];
  await server.iot.send(new CreateStreamCommand({ streamId: 'firmware', roleArn, files }));
  await using lamp = await connectDevice(server, 'lamp', await makeDevice(server, 'lamp', 'all'));
  const stream = { thing: 'lamp', streamId: 'firmware', format: 'cbor' } as const;
  const get = () => download(lamp.client, stream, { fileId: 0, size: file.length, blockSize: 4096 });
  const code = async () => {
    // The last part has not been read: what is in memory does not hide the change.
    const [answer] = await askStream(lamp.client, '$aws/things/lamp/streams/firmware/get/json', { f: 0, l: 4096, o: 170, n: 1 });
    return answer?.body.o ?? answer?.what;
  };
  const first = await download(lamp.client, stream, { fileId: 0, size: 4096, blockSize: 4096 });
  assert.ok(first.equals(file.subarray(0, 4096)));
  await put(randomBytes(700_000));
  assert.equal(await code(), 'ETagMismatch');
  await s3.send(new DeleteObjectCommand({ Bucket, Key }));
  assert.equal(await code(), 'ResourceNotFound');
  await put(file);
  await server.iot.send(new UpdateStreamCommand({ streamId: 'firmware', files }));
  assert.ok((await get()).equals(file));
  s3.destroy();
  rmSync(folder, { recursive: true, force: true });
});
