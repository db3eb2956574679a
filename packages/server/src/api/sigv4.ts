/**
 * Verifies AWS Signature Version 4: who made a request, proven by a key that both sides hold. In two steps, so that a
 * request is refused for its head before its body is read: {@link Sigv4.begin}, then {@link PendingRequest.finish}.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Advice, fail } from '@thingkeep/wire/errors.ts';
import { AWS_REGIONS } from '@thingkeep/wire/regions.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AccessKey, FindAccessKey } from './access-keys.ts';
import { checkHost, type IsOwnName } from './host-check.ts';
import { canonicalRequest, sha256 } from './canonical-request.ts';
import { basicDate, readSignature, type Signature } from './signature.ts';
import { checkSignedHeaders } from './signed-headers.ts';
import { headerOf, type SignedHead } from './signed-request.ts';

export interface Verified {
  readonly key: AccessKey;
  readonly service: string;
  /** Region of the credential scope: each is a space of its own, as in AWS. */
  readonly region: string;
}

export interface PendingRequest {
  /** Service of the credential scope, and the key. Not proven before `finish`. */
  readonly service: string;
  readonly accessKeyId: string;
  /** Checks the signature over the head and this body. */
  finish(body: Uint8Array): Verified;
}

export interface Sigv4 {
  /** Checks all that the head alone can tell: form, scope, time, a known key. */
  begin(head: SignedHead): Promise<PendingRequest>;
  /**
   * A presigned `GET /mqtt` of the device gateway. The security token may stand outside the signed query: the AWS device
   * SDKs append it after signing.
   */
  webSocket(head: SignedHead): Promise<Verified>;
}

const SKEW = 5 * 60_000;
const NO_BODY = new Uint8Array(0);
const SIGNATURE_ONLY = new Set(['X-Amz-Signature']);
const SIGNATURE_AND_TOKEN = new Set(['X-Amz-Signature', 'X-Amz-Security-Token']);
const MAX_CACHED_KEYS = 1_000;

const invalid = (message: string, advice?: string): never =>
  fail('InvalidSignatureException', message, {}, advice === undefined ? undefined : new Advice(advice));

const unknownKey = (advice: string): never =>
  fail('UnrecognizedClientException', 'The security token included in the request is invalid.', {}, new Advice(advice));

/** What a client has signed for, as its owner has to see it. */
const signedFor = ({ accessKeyId, region, service }: Signature): string =>
  `access key ${accessKeyId.slice(0, 128)}, region ${region.slice(0, 64)}, service ${service.slice(0, 64)}`;

const UNSIGNED = 'The request has no signature: give the client an access key, by thingkeep env or aws iam create-access-key.';

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/** Of a clock that is wrong, or a presigned request that was kept too long. */
function clockAdvice({ at, expires }: Signature, now: number): string {
  const seconds = Math.round(Math.abs(at - now) / 1000);
  const clock = `The client's clock is ${seconds} seconds ${at > now ? 'ahead of' : 'behind'} this server's: set the clock that is wrong.`;
  return expires === undefined
    ? clock
    : `It was presigned ${seconds} seconds ${at > now ? 'from now' : 'ago'}: presign it anew, by a clock that is right.`;
}

function checkTime(signature: Signature, now: number): void {
  const { at, date, expires } = signature;
  if (at > now + SKEW)
    invalid(
      `Signature not yet current: ${date} is still later than ${basicDate(now + SKEW)} (${basicDate(now)} + 5 min.)`,
      clockAdvice(signature, now),
    );
  if (expires !== undefined) {
    if (now > at + expires * 1000)
      invalid(`Signature expired: ${date} plus ${expires} s is now earlier than ${basicDate(now)}`, clockAdvice(signature, now));
  } else if (at < now - SKEW)
    invalid(
      `Signature expired: ${date} is now earlier than ${basicDate(now - SKEW)} (${basicDate(now)} - 5 min.)`,
      clockAdvice(signature, now),
    );
}

const hmac = (key: string | Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** Secrets and signatures are compared by their digests: equal in length, and in a time that tells nothing. */
function equalSecret(a: string, b: string): boolean {
  return timingSafeEqual(hmac('compare', a), hmac('compare', b));
}

function checkToken(key: AccessKey, token: string | undefined): void {
  if (key.sessionToken === undefined ? token !== undefined : !equalSecret(token ?? '', key.sessionToken))
    unknownKey(
      `The session token is not the one that access key ${key.accessKeyId} came with: use all three parts of the credentials together.`,
    );
}

/** Temporary credentials of a device are of one region; who it is, a caller may ask anywhere. */
function checkRegion(key: AccessKey, { region, service }: Signature): void {
  if (key.region !== undefined && key.region !== region && service !== 'sts')
    fail('AccessDeniedException', `The credentials are good for ${key.region} alone, not for ${region}`);
}

export interface Sigv4Options {
  readonly clock: Clock;
  readonly findAccessKey: FindAccessKey;
  /** Without it a request may be signed for any host. */
  readonly isOwnName?: IsOwnName;
  /** Whether a request may be signed for the region; for those of AWS when absent. */
  readonly isRegion?: (region: string) => boolean;
}

const isAwsRegion = AWS_REGIONS.has.bind(AWS_REGIONS);

export function createSigv4({ clock, findAccessKey, isOwnName, isRegion = isAwsRegion }: Sigv4Options): Sigv4 {
  const signingKeys = new Map<string, { secret: string; key: Buffer }>();

  function signingKey({ accessKeyId, secretAccessKey: secret }: AccessKey, { day, region, service }: Signature): Buffer {
    const name = `${accessKeyId}/${day}/${region}/${service}`;
    const cached = signingKeys.get(name);
    if (cached !== undefined && cached.secret === secret) return cached.key;
    const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request');
    if (signingKeys.size >= MAX_CACHED_KEYS) signingKeys.delete(signingKeys.keys().next().value ?? '');
    signingKeys.set(name, { secret, key });
    return key;
  }

  async function open(head: SignedHead): Promise<{ signature: Signature; key: AccessKey }> {
    const signature =
      readSignature(head) ??
      fail('MissingAuthenticationTokenException', 'Missing Authentication Token', {}, new Advice(UNSIGNED));
    if (!isRegion(signature.region))
      invalid(
        `Credential should be scoped to a valid region, not '${signature.region.slice(0, 64)}'. `,
        "Set the client's region to one that AWS has, or that --region names.",
      );
    checkTime(signature, clock.now());
    checkSignedHeaders(head, signature.signedHeaders);
    if (isOwnName !== undefined) checkHost(headerOf(head, 'host'), head.arrivedAt, isOwnName);
    const key = await findAccessKey(signature.accessKeyId, signature.sessionToken);
    if (key === undefined)
      return unknownKey(
        `This server has no such key${signature.sessionToken === undefined ? '' : ' with this session token'} (${signedFor(signature)}): take its own, by thingkeep env or aws iam create-access-key.`,
      );
    checkToken(key, signature.sessionToken);
    return { signature, key };
  }

  function matches(
    head: SignedHead,
    signature: Signature,
    key: AccessKey,
    payloadHash: string,
    leaveOut: ReadonlySet<string>,
  ): boolean {
    const request = canonicalRequest(head, signature.signedHeaders, payloadHash, leaveOut);
    const scope = `${signature.day}/${signature.region}/${signature.service}/aws4_request`;
    const expected = hmac(signingKey(key, signature), `AWS4-HMAC-SHA256\n${signature.date}\n${scope}\n${sha256(request)}`);
    return equalSecret(expected.toString('hex'), signature.signature);
  }

  /** `appendable`: the session token of a presigned request may stand outside of what is signed. */
  async function begin(head: SignedHead, appendable: boolean): Promise<PendingRequest> {
    const { signature, key } = await open(head);
    const { service, accessKeyId } = signature;
    return {
      service,
      accessKeyId,
      finish(body) {
        const payloadHash = sha256(body);
        // Streaming and unsigned payloads are for services that take them; none of these does, so a claimed hash has to be true.
        const claimed = headerOf(head, 'x-amz-content-sha256');
        if (claimed !== undefined && claimed.trim() !== payloadHash)
          invalid(`The provided 'x-amz-content-sha256' header does not match what was computed.`);
        const token = appendable && signature.presigned && signature.sessionToken !== undefined;
        const proven =
          matches(head, signature, key, payloadHash, SIGNATURE_ONLY) ||
          (token && matches(head, signature, key, payloadHash, SIGNATURE_AND_TOKEN));
        if (!proven)
          return invalid(
            MISMATCH,
            `The secret is not the one of the key (${signedFor(signature)}), or something on the way has changed the request.`,
          );
        checkRegion(key, signature);
        key.used?.(service, signature.region);
        return { key, service, region: signature.region };
      },
    };
  }

  return {
    begin: (head) => begin(head, false),
    async webSocket(head) {
      const pending = await begin(head, true);
      if (pending.service !== 'iotdevicegateway')
        invalid(
          `Credential should be scoped to correct service: 'iotdevicegateway'. `,
          `It is signed for ${pending.service.slice(0, 64)}.`,
        );
      return pending.finish(NO_BODY);
    },
  };
}
