/** The checksums that an upload names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectCall } from '../../api/objects.ts';
import { readUpload } from './upload.ts';

async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from('hello');
}

/** What is stored of the checksum of an upload with these headers. */
async function checksumOf(headers: Readonly<Record<string, string>>) {
  const values = Object.entries({ 'content-length': '5', ...headers }).map(([name, value]) => [name, [value]] as const);
  const head = { method: 'PUT', path: '/b/k', query: '', headers: new Map(values) };
  const upload = readUpload({ head, payload: { kind: 'unsigned' }, body: body() } as unknown as ObjectCall);
  for await (const _ of upload.content);
  return upload.check({ md5: '5d41402abc4b2a76b9719d911017c592' });
}

test('a checksum of a known algorithm is compared and kept', async () => {
  const headers = { 'x-amz-checksum-crc32': 'NhCmhg==' };
  assert.deepEqual(await checksumOf(headers), { algorithm: 'crc32', value: 'NhCmhg==' });
  await assert.rejects(checksumOf({ 'x-amz-checksum-crc32': 'AAAAAA==' }), { code: 'BadDigest' });
});

test('a header of no algorithm is no checksum, whatever its name ends with', async () => {
  for (const name of ['type', 'constructor', 'valueof', '__proto__'])
    assert.equal(await checksumOf({ [`x-amz-checksum-${name}`]: 'x' }), undefined, name);
});
