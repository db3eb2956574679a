/** Signs a request with SigV4: of the commands to the server's own API, and of the server to Lambda's. */
import { createHmac } from 'node:crypto';
import { canonicalPath, canonicalQuery, sha256 } from './canonical-request.ts';
import { basicDate } from './signature.ts';

export interface RequestKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface ToSign {
  readonly method: string;
  readonly url: URL;
  readonly region: string;
  readonly service: string;
  /** Nothing when absent. */
  readonly body?: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly key: RequestKey;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

interface SignatureScope {
  readonly region: string;
  readonly service: string;
  /** In the basic form. */
  readonly date: string;
  readonly key: RequestKey;
}

/** The signature of a string to sign. */
export function signatureOf({ region, service, date, key }: SignatureScope, text: string): string {
  const first = hmac(`AWS4${key.secretAccessKey}`, date.slice(0, 8));
  return hmac([region, service, 'aws4_request'].reduce(hmac, first), text).toString('hex');
}

/** Headers to send with a request. Source: IAM user guide, page reference_sigv-create-signed-request. */
export function signRequest({ method, url, region, service, body, now, key }: ToSign): Record<string, string> {
  const date = basicDate(now);
  const payload = sha256(body ?? '');
  const token = key.sessionToken;
  const signed = `host;x-amz-content-sha256;x-amz-date${token === undefined ? '' : ';x-amz-security-token'}`;
  const tokenLine = token === undefined ? '' : `x-amz-security-token:${token}\n`;
  const headers = `host:${url.host}\nx-amz-content-sha256:${payload}\nx-amz-date:${date}\n${tokenLine}`;
  const canonical = [
    method,
    canonicalPath(url.pathname),
    canonicalQuery(url.search.slice(1), new Set()),
    headers,
    signed,
    payload,
  ].join('\n');
  const scope = `${date.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const signature = signatureOf({ region, service, date, key }, text);
  const sent = {
    host: url.host,
    'x-amz-content-sha256': payload,
    'x-amz-date': date,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
  };
  return token === undefined ? sent : { ...sent, 'x-amz-security-token': token };
}
