/** A file of 16 MiB for fifty devices at once (fact sheet 42): each gets it whole. */
// suite: long
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { connectDevice } from './provisioning.ts';
import { download, makeStream } from './streams.ts';
import { startServer } from './test-core.ts';

const DEVICES = 50;
const SIZE = 16 * 1024 * 1024;

test('fifty devices get a file of 16 MiB, each the whole of it', { timeout: 300_000 }, async (t) => {
  await using server = await startServer({ args: ['--log-level', 'warn'] });
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'lamp', 'all');
  const file = randomBytes(SIZE);
  await makeStream(server, 'firmware', [file]);
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const began = process.hrtime.bigint();
  const digests = await Promise.all(
    Array.from({ length: DEVICES }, async (_, i) => {
      await using lamp = await connectDevice(server, `lamp-${i}`, device, i % 2 === 0 ? 4 : 5);
      const format = i % 5 === 0 ? 'json' : 'cbor';
      const [fileId, blockSize] = [0, [4096, 16_384, 131_072][i % 3] ?? 4096];
      const stream = { thing: `lamp-${i}`, streamId: 'firmware', format } as const;
      return digest(await download(lamp.client, stream, { fileId, size: SIZE, blockSize }));
    }),
  );
  t.diagnostic(`${DEVICES} devices in ${(process.hrtime.bigint() - began) / 1_000_000n} ms`);
  assert.deepEqual(new Set(digests), new Set([digest(file)]));
  assert.deepEqual(
    server.log.filter(({ level }) => Number(level) >= 50),
    [],
  );
});
