/** Asks a Thingkeep why it has refused a device: its own operation, signed for the service `thingkeep`. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import type { IoTClient } from '@aws-sdk/client-iot';
import { SignatureV4 } from '@smithy/signature-v4';

/** SHA-256 as the signer takes it: with a secret it is HMAC (RFC 2104). */
class Sha256 {
  readonly #secret: string | Uint8Array | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = ArrayBuffer.isView(secret)
      ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
      : secret instanceof ArrayBuffer
        ? new Uint8Array(secret)
        : secret;
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }

  update(data: Uint8Array | string): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#begin();
  }
}

/** The server has no such operation, or does not let the caller ask. */
export class RefusalsError extends Error {
  override readonly name = 'RefusalsError';
}

/** Milliseconds. */
const PATIENCE = 10_000;
const MOST = 5;

/** The newest reasons that concern a client id or a certificate, the newest first: a time and a sentence each. */
export async function refusalReasons(
  client: IoTClient,
  endpoint: string,
  who: { readonly clientId?: string; readonly certificateId?: string },
): Promise<string[]> {
  const url = new URL('/admin/refusals', endpoint);
  const query = {
    limit: String(MOST),
    ...(who.certificateId !== undefined ? { 'certificate-id': who.certificateId } : { 'client-id': who.clientId ?? '' }),
  };
  const signer = new SignatureV4({
    service: 'thingkeep',
    region: await client.config.region(),
    credentials: await client.config.credentials(),
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query,
    headers: { host: url.host },
  });
  const answer = await fetch(`${url}?${new URLSearchParams(query)}`, { headers, signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) throw new RefusalsError(`${url.host} answers ${answer.status} to /admin/refusals`);
  const { refusals = [] } = (await answer.json()) as { refusals?: { time: string; check: string; reason: string }[] };
  return refusals.toReversed().map(({ time, check, reason }) => `${time}  ${check}  ${reason}`);
}
