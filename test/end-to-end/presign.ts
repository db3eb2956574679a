/** URLs that open a WebSocket, signed as AWS's own signer does it (developer guide, page protocols; fact 1.5). */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface PresignOptions {
  readonly service?: string;
  readonly region?: string;
  /** Signing time; now when absent. */
  readonly at?: Date;
  /** Seconds. */
  readonly expiresIn?: number;
  readonly path?: string;
  /** The device SDKs append a session token after signing; other signers sign it. */
  readonly token?: 'appended' | 'signed';
}

/** `url` names protocol, host and port: `wss://localhost:8443`. */
export async function presign(url: string, credentials: Credentials, options: PresignOptions = {}): Promise<string> {
  const { service = 'iotdevicegateway', region = 'us-east-1', at, expiresIn = 300, path = '/mqtt', token = 'appended' } = options;
  const { protocol, hostname, host, port } = new URL(url);
  const { sessionToken, ...key } = credentials;
  const inside = token === 'signed' && sessionToken !== undefined;
  const signer = new SignatureV4({
    service,
    region,
    credentials: inside ? { ...key, sessionToken } : key,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.presign(
    { method: 'GET', protocol, hostname, port: Number(port), path, query: {}, headers: { host } },
    { expiresIn, signingDate: at },
  );
  const query = Object.entries(signed.query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  if (sessionToken !== undefined && !inside) query.push(`X-Amz-Security-Token=${encodeURIComponent(sessionToken)}`);
  return `${protocol}//${host}${path}?${query.join('&')}`;
}
