/**
 * Presigned requests to S3 by Signature Version 2 (S3 user guide, page RESTAuthentication, "Query string request
 * authentication alternative"): what boto3 and the aws command make where nobody asks them for version 4.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseQuery } from '@thingkeep/wire/api/percent.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { AccessKey, FindAccessKey } from './access-keys.ts';
import { headerOf, type SignedHead } from './signed-request.ts';

/** Parameters that are signed with the path, beside those that replace headers of the answer. */
const SIGNED =
  /^(?:response-(?:cache-control|content-disposition|content-encoding|content-language|content-type|expires)|uploadId|uploads|location)$/;
const TOKEN = 'x-amz-security-token';

export interface PresignedV2 {
  readonly accessKeyId: string;
  readonly signature: string;
  /** Seconds since the epoch. */
  readonly expires: string;
  readonly sessionToken: string | undefined;
  readonly pairs: readonly (readonly [string, string])[];
}

/** What a request claims; undefined for one that is not presigned so. */
export function readPresignedV2(head: SignedHead): PresignedV2 | undefined {
  if (!head.query.includes('AWSAccessKeyId=')) return undefined;
  const pairs = parseQuery(head.query) ?? [];
  const query = new Map(pairs);
  const [accessKeyId, signature, expires] = [query.get('AWSAccessKeyId'), query.get('Signature'), query.get('Expires')];
  if (accessKeyId === undefined || signature === undefined || expires === undefined) return undefined;
  return { accessKeyId, signature, expires, sessionToken: query.get(TOKEN), pairs };
}

function textToSign(head: SignedHead, { expires, pairs, sessionToken }: PresignedV2, bucket: string | undefined): string {
  const amz = new Map(
    [...head.headers].filter(([name]) => name.startsWith('x-amz-')).map(([name, values]) => [name, values.join(',')]),
  );
  if (sessionToken !== undefined) amz.set(TOKEN, sessionToken);
  const lines = [...amz].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value.trim()}\n`);
  const signed = pairs.filter(([name]) => SIGNED.test(name)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parameters = signed.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&');
  const path = `${bucket === undefined ? '' : `/${bucket}`}${head.path}`;
  return [
    head.method,
    headerOf(head, 'content-md5') ?? '',
    headerOf(head, 'content-type') ?? '',
    expires,
    `${lines.join('')}${path}${parameters === '' ? '' : `?${parameters}`}`,
  ].join('\n');
}

export interface PresignedV2Options {
  readonly now: number;
  readonly findAccessKey: FindAccessKey;
  /** The bucket that the Host names. */
  readonly bucket: string | undefined;
}

/** The key that has presigned the request; fails where it is over, or signed by none that is here. */
export async function verifyPresignedV2(
  head: SignedHead,
  presigned: PresignedV2,
  { now, findAccessKey, bucket }: PresignedV2Options,
): Promise<AccessKey> {
  if (!/^\d{1,12}$/.test(presigned.expires) || Number(presigned.expires) * 1000 < now)
    fail('AccessDeniedException', 'Request has expired');
  const key = await findAccessKey(presigned.accessKeyId, presigned.sessionToken);
  if (key === undefined || key.sessionToken !== presigned.sessionToken)
    return fail('UnrecognizedClientException', 'The AWS Access Key Id you provided does not exist in our records.');
  const wanted = createHmac('sha1', key.secretAccessKey)
    .update(textToSign(head, presigned, bucket))
    .digest();
  const given = Buffer.from(presigned.signature, 'base64');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    fail('InvalidSignatureException', 'The request signature we calculated does not match the signature you provided.');
  return key;
}
