/** Signs a URL of S3 with SigV4, which its holder uses without keys (S3 API reference, page sigv4-query-string-auth). */
import { percentEncode } from '@thingkeep/wire/api/percent.ts';
import { canonicalObjectPath, canonicalQuery, sha256 } from './canonical-request.ts';
import { signatureOf, type RequestKey } from './sign-request.ts';
import { basicDate } from './signature.ts';

export interface ToPresign {
  readonly method: 'GET' | 'PUT';
  /** Without the parameters of a signature. */
  readonly url: URL;
  readonly region: string;
  readonly expiresInSec: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly key: RequestKey;
}

export function presignUrl({ method, url, region, expiresInSec, now, key }: ToPresign): string {
  const date = basicDate(now);
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const parameters: [string, string][] = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${key.accessKeyId}/${scope}`],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', String(expiresInSec)],
    ['X-Amz-SignedHeaders', 'host'],
  ];
  if (key.sessionToken !== undefined) parameters.push(['X-Amz-Security-Token', key.sessionToken]);
  const added = parameters.map(([name, value]) => `${name}=${percentEncode(value)}`).join('&');
  const query = canonicalQuery(`${url.search.slice(1)}&${added}`, new Set());
  const path = canonicalObjectPath(url.pathname);
  const canonical = [method, path, query, `host:${url.host}\n`, 'host', 'UNSIGNED-PAYLOAD'].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  return `${url.origin}${path}?${query}&X-Amz-Signature=${signatureOf({ region, service: 's3', date, key }, text)}`;
}
