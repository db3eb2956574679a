/** Streams with real MQTT clients: files in blocks, in JSON and CBOR (fact sheet 42; page mqtt-based-file-delivery-in-devices). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { putRolePolicy } from './identities.ts';
import { connectDevice } from './provisioning.ts';
import { askStream, download, makeStream } from './streams.ts';
import { startServer, type TestServer } from './test-core.ts';

describe('files over MQTT', () => {
  let server: TestServer;
  let device: Device;
  const files = [randomBytes(300_001), randomBytes(1_000)];
  const GET = '$aws/things/lamp/streams/firmware/get';

  before(async () => {
    server = await startServer({ args: ['--log-level', 'warn'] });
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'lamp', 'all');
    await makeStream(server, 'firmware', files);
  });
  after(() => server[Symbol.asyncDispose]());

  for (const [format, version] of [
    ['json', 4],
    ['cbor', 5],
  ] as const)
    test(`a device describes a stream and gets its files whole, in ${format}`, async () => {
      await using lamp = await connectDevice(server, `lamp-${format}`, device, version);
      const about = `$aws/things/lamp/streams/firmware/describe/${format}`;
      const [described] = await askStream(lamp.client, about, { c: 'token' });
      const r = files.map(({ length: z }, f) => ({ f, z }));
      assert.deepEqual(described, { what: 'description', body: { c: 'token', s: 1, d: 'firmware', r } });
      const stream = { thing: 'lamp', streamId: 'firmware', format };
      for (const [fileId, file] of files.entries())
        for (const blockSize of [256, 4098, 131_072]) {
          const got = await download(lamp.client, stream, { fileId, size: file.length, blockSize });
          assert.ok(got.equals(file), `file ${fileId} in blocks of ${blockSize}`);
        }
    });

  test("the guide's bitmap, a token and a rejection; QoS 1 works as QoS 0 does", async () => {
    await using lamp = await connectDevice(server, 'lamp-bitmap', device);
    const request = { c: '1', s: 1, l: 256, f: 0, o: 20, n: 32, b: '0x130080' };
    const got = await askStream(lamp.client, `${GET}/json`, request, 4, 1);
    assert.deepEqual(
      got.map(({ what, body: { c, f, l, i } }) => [what, c, f, l, i]),
      [20, 21, 24, 43].map((i) => ['data', '1', 0, 256, i]),
    );
    const [bad] = await askStream(lamp.client, `${GET}/cbor`, { ...request, b: new Uint8Array(3), l: 1 });
    assert.deepEqual(bad, {
      what: 'rejected',
      body: { o: 'BlockSizeOutOfBounds', m: 'The block size is out of bounds', c: '1' },
    });
  });

  test('answers reach the requester alone, and only where it may receive them', async () => {
    await makePolicy(server, 'watch', [
      allow('iot:Connect', '*'),
      allow('iot:Subscribe', '*'),
      allow('iot:Receive', arn('topic/$aws/things/lamp/streams/firmware/rejected/*')),
      allow('iot:Publish', arn('topic/$aws/things/lamp/streams/*')),
    ]);
    await using watcher = await connectDevice(server, 'watcher', await makeDevice(server, 'watcher', 'watch'));
    const seen: string[] = [];
    watcher.client.on('message', (topic) => seen.push(topic));
    await watcher.client.subscribeAsync('$aws/things/lamp/streams/#', { qos: 1 });
    await using lamp = await connectDevice(server, 'lamp-alone', device);
    await askStream(lamp.client, `${GET}/json`, { f: 0, l: 256, n: 1 });
    watcher.client.publish(`${GET}/json`, JSON.stringify({ f: 0, l: 256, n: 1 }));
    await askStream(watcher.client, `${GET}/json`, { f: 9, l: 256 });
    assert.deepEqual(seen, ['$aws/things/lamp/streams/firmware/rejected/json']);
  });

  test('a role that has lost its right gives nothing more, not even what was read before', async () => {
    await using lamp = await connectDevice(server, 'lamp-right', device);
    const ask = async () => (await askStream(lamp.client, `${GET}/json`, { f: 0, l: 256, n: 1 }))[0];
    assert.equal((await ask())?.what, 'data');
    await putRolePolicy(server, 'streams-firmware', [allow('s3:GetObject', 'arn:aws:s3:::other/*')]);
    assert.equal((await ask())?.body.o, 'Unauthorized');
    await putRolePolicy(server, 'streams-firmware', [allow('s3:GetObject', 'arn:aws:s3:::bucket-firmware/*')]);
    assert.equal((await ask())?.what, 'data');
  });
});
