/** The framing aws-chunked: AWS's own example with its signatures, trailers, and bodies that are cut or forged. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { payloadOf } from '../../api/payload.ts';
import type { Signature } from '../../api/signature.ts';
import { ChunkedBody } from './aws-chunked.ts';

const hmac = (key: string | Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** The example of page sigv4-streaming: 66,560 letters a in chunks of 64 KB. */
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const SCOPE = '20130524/us-east-1/s3/aws4_request';
const key = SCOPE.split('/').reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${SECRET}`);
const signature = {
  date: '20130524T000000Z',
  signature: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
} as Signature;
const SIGNATURES = [
  'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
  'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
];

const signer = () => {
  const payload = payloadOf('STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { key: key as Buffer, scope: SCOPE, signature });
  return payload?.kind === 'chunks' ? payload.signer : undefined;
};

const example = [65_536, 1024, 0]
  .map((size, i) => `${size.toString(16)};chunk-signature=${SIGNATURES[i]}\r\n${'a'.repeat(size)}\r\n`)
  .join('');

/** A body that comes in pieces of a size. */
async function* pieces(body: string, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < body.length; at += size) yield Buffer.from(body.slice(at, at + size), 'latin1');
}

async function read(body: string, size = 10_000, isSigned = true): Promise<{ text: string; trailer: Map<string, string> }> {
  const chunked = new ChunkedBody(pieces(body, size), isSigned ? signer() : undefined);
  let content = '';
  for await (const bytes of chunked.content()) content += Buffer.from(bytes).toString('latin1');
  return { text: content, trailer: chunked.trailer };
}

const fails = (body: string, code: string, isSigned = true): Promise<void> => assert.rejects(read(body, 100, isSigned), { code });

test("AWS's example is read, however it comes", async () => {
  for (const size of [1_000_000, 10_000, 37]) assert.equal((await read(example, size)).text, 'a'.repeat(66_560));
});

test('a signed chunk is not held until it is whole', async () => {
  for await (const bytes of new ChunkedBody(pieces(example, 1000), signer()).content()) assert.ok(bytes.length <= 1000);
});

test('a chunk that is changed, left out, or signed by another key is refused', async () => {
  await fails(example.replace('aaaa\r\n', 'aaab\r\n'), 'SignatureDoesNotMatch');
  await fails(example.replace(SIGNATURES[1] as string, '0'.repeat(64)), 'SignatureDoesNotMatch');
  await fails(`0\r\n\r\n`, 'SignatureDoesNotMatch');
  const secondAlone = `400;chunk-signature=${SIGNATURES[1]}\r\n${'a'.repeat(1024)}\r\n0;chunk-signature=${SIGNATURES[2]}\r\n\r\n`;
  await fails(secondAlone, 'SignatureDoesNotMatch');
});

test('chunks without signatures may end with a trailer', async () => {
  const { text, trailer } = await read('5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32: 3q2+7w==\r\n\r\n', 3, false);
  assert.equal(text, 'hello!');
  assert.deepEqual([...trailer], [['x-amz-checksum-crc32', '3q2+7w==']]);
});

test('a body without the framing, or that ends early, is IncompleteBody', async () => {
  for (const body of [
    '',
    'hello',
    '5\r\nhel',
    '5\r\nhello',
    '5\r\nhello\r\n',
    '5\r\nhelloXX0\r\n\r\n',
    'zz\r\n',
    '-1\r\n',
    '0\r\nno colon\r\n\r\n',
    'x'.repeat(10_000),
  ])
    await fails(body, 'IncompleteBody', false);
});
