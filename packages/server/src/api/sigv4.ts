/**
 * Verifies AWS Signature Version 4: who made a request, proven by a key that both sides hold. In two steps, so that a
 * request is refused for its head before its body is read: {@link Sigv4.begin}, then {@link PendingRequest.finish}.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { fail, notesOf, RefusalNotes, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { AWS_REGIONS } from '@thingkeep/wire/regions.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AccessKey, FindAccessKey } from './access-keys.ts';
import { checkHost, type IsOwnName, withBuckets } from './host-check.ts';
import { canonicalObjectPath, canonicalPath, canonicalRequest, sha256 } from './canonical-request.ts';
import { type Payload, payloadOf, UNSIGNED_PAYLOAD } from './payload.ts';
import { basicDate, readSignature, type Signature } from './signature.ts';
import { OBJECTS } from './objects.ts';
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
  /** For S3: checks the signature over the head and what it says of the body, which is still to come. */
  finishHead(): ProvenHead;
}

/** A request whose head is proven, and what it says of the body that is still to come. */
export interface ProvenHead {
  readonly verified: Verified;
  readonly payload: Payload;
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
/** The service that a WebSocket's upgrade is signed for. */
const GATEWAY = 'iotdevicegateway';
/** Characters of a host name (RFC 1035 section 2.3.4) and a port. */
const LONGEST_HOST = 260;

const invalid = (message: string, advice?: string): never =>
  fail('InvalidSignatureException', message, {}, advice === undefined ? undefined : new RefusalNotes({ advice }));

const unknownKey = (advice: string): never =>
  fail('UnrecognizedClientException', 'The security token included in the request is invalid.', {}, new RefusalNotes({ advice }));

/** What a client has signed for, as the key's owner has to see it. */
const signedFor = ({ accessKeyId, region, service }: Signature): string =>
  `access key ${accessKeyId.slice(0, 128)}, region ${region.slice(0, 64)}, service ${service.slice(0, 64)}`;

/** Of a key that is not here, every account may see the record: the key's id is cut. */
const signedByStranger = (signature: Signature): string =>
  signedFor({ ...signature, accessKeyId: `${signature.accessKeyId.slice(0, 8)}…` });

/** Key ids of temporary credentials (IAM user guide, page reference_identifiers). */
const TEMPORARY = 'ASIA';

function unknownKeyAdvice(signature: Signature): string {
  const { accessKeyId, sessionToken } = signature;
  if (sessionToken === undefined && accessKeyId.startsWith(TEMPORARY))
    return `This is a temporary key: send its session token (${signedByStranger(signature)}).`;
  const token = sessionToken === undefined ? '' : ' with this session token';
  return `This server has no such key${token} (${signedByStranger(signature)}): take its own, by thingkeep env or aws iam create-access-key.`;
}

const UNSIGNED = 'The request has no signature: give the client an access key, by thingkeep env or aws iam create-access-key.';

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/** Of a clock that is wrong, or a presigned request that was kept too long. */
function clockAdvice({ at, expires }: Signature, now: number): string {
  const seconds = Math.round(Math.abs(at - now) / 1000);
  const clock = `The client's clock is ${seconds} seconds ${at > now ? 'ahead of' : 'behind'} this server's: set the clock that is wrong.`;
  return expires === undefined
    ? clock
    : `It ${at > now ? `is dated ${seconds} seconds in the future` : `was presigned ${seconds} seconds ago`}: presign it anew, by a clock that is right.`;
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

const scopeOf = ({ day, region, service }: Signature): string => `${day}/${region}/${service}/aws4_request`;

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

/** The Host values that a client may have signed for in the place of the one that it sent. */
function otherHosts(host: string, { service, region }: Signature): readonly string[] {
  const name = host.replace(/:\d*$/, '');
  const port = host.slice(name.length);
  const hosts = [name, `${name}:443`, `localhost${port}`, 'localhost', `${service}.${region}.amazonaws.com`];
  return hosts.filter((each) => each !== host);
}

/** Why a signature does not match: the host that it was made for, where it is one of a few; else the secret or the request. */
function mismatchAdvice(head: SignedHead, signature: Signature, isProven: (head: SignedHead) => boolean): string {
  const host = headerOf(head, 'host')?.trim() ?? '';
  const withHost = (value: string): SignedHead => ({ ...head, headers: new Map(head.headers).set('host', [value]) });
  const signed = otherHosts(host, signature).find((other) => isProven(withHost(other)));
  const shown = host.slice(0, LONGEST_HOST);
  return signed === undefined
    ? `The secret is not the one of the key (${signedFor(signature)}), it was signed for another Host than ${shown}, or something on the way has changed the request.`
    : `It is signed for the Host ${signed.slice(0, LONGEST_HOST)}, and came with the Host ${shown}: sign for ${shown}.`;
}

/** The error with the account that its record is for. */
const ofAccount = (error: unknown, accountId: string | undefined): unknown =>
  error instanceof ThingkeepError && accountId !== undefined
    ? new ThingkeepError(error.code, error.message, error.members, new RefusalNotes({ ...notesOf(error), accountId }))
    : error;

const signatureOf = (head: SignedHead): Signature =>
  readSignature(head) ??
  fail('MissingAuthenticationTokenException', 'Missing Authentication Token', {}, new RefusalNotes({ advice: UNSIGNED }));

/** The AWS IoT device SDKs presign their WebSocket upgrade without a term; nothing else may. */
function checkTerm({ presigned, expires, service }: Signature): void {
  if (presigned && expires === undefined && service !== GATEWAY)
    fail('IncompleteSignatureException', `AWS query-string parameters must include 'X-Amz-Expires'.`);
}

const wrongService = ({ service }: Signature): ThingkeepError =>
  new ThingkeepError(
    'InvalidSignatureException',
    `Credential should be scoped to correct service: '${GATEWAY}'. `,
    {},
    new RefusalNotes({ advice: `It is signed for ${service.slice(0, 64)}.` }),
  );

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

  /** The account of the key that a request names, proven or not; undefined for a key that is not here. */
  async function accountOf({ accessKeyId, sessionToken }: Signature): Promise<string | undefined> {
    try {
      const key = await findAccessKey(accessKeyId, sessionToken);
      return (key ?? (sessionToken === undefined ? undefined : await findAccessKey(accessKeyId)))?.accountId;
    } catch (error) {
      return notesOf(error).accountId;
    }
  }

  function checkHead(head: SignedHead, signature: Signature): void {
    if (!isRegion(signature.region))
      invalid(
        `Credential should be scoped to a valid region, not '${signature.region.slice(0, 64)}'. `,
        "Set the client's region to one that AWS has, or that --region names.",
      );
    checkTime(signature, clock.now());
    checkSignedHeaders(head, signature.signedHeaders);
    if (isOwnName === undefined) return;
    // A bucket's name may stand before a name of the server.
    const isOwn = signature.service === OBJECTS ? withBuckets(isOwnName) : isOwnName;
    checkHost(headerOf(head, 'host'), head.arrivedAt, isOwn);
  }

  async function keyOf(head: SignedHead, signature: Signature): Promise<AccessKey> {
    try {
      checkHead(head, signature);
      const key = await findAccessKey(signature.accessKeyId, signature.sessionToken);
      if (key === undefined) return unknownKey(unknownKeyAdvice(signature));
      checkToken(key, signature.sessionToken);
      return key;
    } catch (error) {
      throw ofAccount(error, await accountOf(signature));
    }
  }

  function matches(
    head: SignedHead,
    signature: Signature,
    key: AccessKey,
    payloadHash: string,
    leaveOut: ReadonlySet<string>,
  ): boolean {
    const pathOf = signature.service === OBJECTS ? canonicalObjectPath : canonicalPath;
    const request = canonicalRequest(head, signature.signedHeaders, payloadHash, leaveOut, pathOf);
    const toSign = `AWS4-HMAC-SHA256\n${signature.date}\n${scopeOf(signature)}\n${sha256(request)}`;
    const expected = hmac(signingKey(key, signature), toSign);
    return equalSecret(expected.toString('hex'), signature.signature);
  }

  /** What the head of a request to S3 says of its body, proven. */
  function proveHead(head: SignedHead, signature: Signature, key: AccessKey): Payload {
    const claimed = headerOf(head, 'x-amz-content-sha256')?.trim() ?? (signature.presigned ? UNSIGNED_PAYLOAD : '');
    const signing = { key: signingKey(key, signature), scope: scopeOf(signature), signature };
    const payload =
      payloadOf(claimed, signing) ?? invalid('x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.');
    proveSignature(head, signature, key, claimed, false);
    return payload;
  }

  /** Fails unless the signature is the one that the key makes over the request. */
  function prove(head: SignedHead, signature: Signature, key: AccessKey, body: Uint8Array, appendable: boolean): void {
    const payloadHash = sha256(body);
    // Streaming and unsigned payloads are for services that take them; none of these does, so a claimed hash has to be true.
    const claimed = headerOf(head, 'x-amz-content-sha256');
    if (claimed !== undefined && claimed.trim() !== payloadHash)
      invalid(`The provided 'x-amz-content-sha256' header does not match what was computed.`);
    proveSignature(head, signature, key, payloadHash, appendable);
  }

  function proveSignature(
    head: SignedHead,
    signature: Signature,
    key: AccessKey,
    payloadHash: string,
    appendable: boolean,
  ): void {
    const token = appendable && signature.presigned && signature.sessionToken !== undefined;
    const isProven = (sent: SignedHead): boolean =>
      matches(sent, signature, key, payloadHash, SIGNATURE_ONLY) ||
      (token && matches(sent, signature, key, payloadHash, SIGNATURE_AND_TOKEN));
    if (!isProven(head)) invalid(MISMATCH, mismatchAdvice(head, signature, isProven));
    checkRegion(key, signature);
  }

  /** `appendable`: the session token of a presigned request may stand outside of what is signed. */
  async function begin(head: SignedHead, signature: Signature, appendable: boolean): Promise<PendingRequest> {
    const key = await keyOf(head, signature);
    const { service, accessKeyId } = signature;
    const verified = <T>(proof: () => T): { readonly verified: Verified; readonly proven: T } => {
      try {
        const proven = proof();
        key.used?.(service, signature.region);
        return { verified: { key, service, region: signature.region }, proven };
      } catch (error) {
        throw ofAccount(error, key.accountId);
      }
    };
    return {
      service,
      accessKeyId,
      finish: (body) => verified(() => prove(head, signature, key, body, appendable)).verified,
      finishHead() {
        const { verified: who, proven: payload } = verified(() => proveHead(head, signature, key));
        return { verified: who, payload };
      },
    };
  }

  return {
    async begin(head) {
      const signature = signatureOf(head);
      checkTerm(signature);
      return begin(head, signature, false);
    },
    async webSocket(head) {
      const signature = signatureOf(head);
      if (signature.service !== GATEWAY) throw ofAccount(wrongService(signature), await accountOf(signature));
      return (await begin(head, signature, true)).finish(NO_BODY);
    },
  };
}
