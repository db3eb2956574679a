/** The bytes of an upload, and what a client says that they are: length, hashes and checksums. */
import { createHash } from 'node:crypto';
import type { ObjectCall } from '../../api/objects.ts';
import { headerOf } from '../../api/signed-request.ts';
import { CHECKSUMS } from '../checksums.ts';
import { objectFault } from '../contract.ts';
import type { GivenObject } from '../embedded-objects.ts';
import type { ObjectRecord } from '../store.ts';
import { ChunkedBody } from './aws-chunked.ts';

type Check = NonNullable<GivenObject['check']>;

export interface Upload {
  /** Bytes that are announced. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array>;
  readonly check: Check;
}

const CHECKSUM_HEADER = 'x-amz-checksum-';

/** Algorithm of the checksum that a client sends, in a header or behind the body. */
function algorithmOf({ head }: ObjectCall): string | undefined {
  const trailer = headerOf(head, 'x-amz-trailer')?.trim().toLowerCase();
  const names = [...head.headers.keys(), ...(trailer === undefined ? [] : [trailer])];
  const named = names.filter((name) => name.startsWith(CHECKSUM_HEADER)).map((name) => name.slice(CHECKSUM_HEADER.length));
  return named.find((name) => Object.hasOwn(CHECKSUMS, name));
}

const badDigest = (what: string): never =>
  objectFault('BadDigest', `The ${what} you specified did not match the calculated checksum.`);

export function readUpload(call: ObjectCall): Upload {
  const { head, payload, body } = call;
  const chunked = payload.kind === 'chunks' ? new ChunkedBody(body, payload.signer) : undefined;
  const length = headerOf(head, chunked === undefined ? 'content-length' : 'x-amz-decoded-content-length');
  if (length === undefined || !/^\d{1,15}$/.test(length.trim()))
    objectFault('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  const algorithm = algorithmOf(call);
  const checksum = algorithm === undefined ? undefined : CHECKSUMS[algorithm]?.();
  const hash = payload.kind === 'hash' ? createHash('sha256') : undefined;

  async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of chunked?.content() ?? body) {
      checksum?.update(bytes);
      hash?.update(bytes);
      yield bytes;
    }
  }

  /** What was announced of the bytes is true. */
  const check: Check = ({ md5 }): ObjectRecord['checksum'] => {
    if (payload.kind === 'hash' && hash?.digest('hex') !== payload.sha256)
      objectFault('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.");
    const wantedMd5 = headerOf(head, 'content-md5');
    if (wantedMd5 !== undefined && wantedMd5.trim() !== Buffer.from(md5, 'hex').toString('base64')) badDigest('Content-MD5');
    if (algorithm === undefined || checksum === undefined) return undefined;
    const value = checksum.digest();
    const name = `${CHECKSUM_HEADER}${algorithm}`;
    const wanted = headerOf(head, name) ?? chunked?.trailer.get(name);
    if (wanted !== undefined && wanted.trim() !== value) badDigest(algorithm.toUpperCase());
    return { algorithm, value };
  };
  return { size: Number(length), content: content(), check };
}
