/**
 * The first step of issuing: reads and judges a certificate signing request (PKCS #10, RFC 2986). What comes out is
 * all that the second step needs; nothing else of the request (attributes, wished-for extensions) reaches a certificate.
 */
import { constants, verify } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import { DerError, DerReader, explicit, sequenceOf, TAG } from './der.ts';
import { readName } from './names.ts';
import { onePemBlock } from './pem.ts';
import { type DeviceKey, readPublicKey, readSignatureAlgorithm, type SignatureAlgorithm } from './public-key.ts';

export interface PreparedCertificate {
  /** DER of the subject, as the device sent it. */
  readonly subject: Buffer;
  /** DER of the public key, as the device sent it. */
  readonly publicKey: Buffer;
}

/** API reference CreateCertificateFromCsr: CertificateSigningRequest is at most 4096 long. */
const LARGEST_REQUEST = 4096;
const LABELS = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

/** "CSR violates constraints" is how AWS begins. */
const refuse = (why: string, cause?: unknown): never =>
  fail('InvalidRequestException', `CSR violates constraints: ${why}`, undefined, cause);

/**
 * A request's signature proves that its sender holds the key; whoever signs chooses all that is signed, so SHA-1's
 * collisions gain nothing here, and old tools still use it. In certificates SHA-1 is refused.
 */
function signedByItself(signed: Buffer, signature: Buffer, algorithm: SignatureAlgorithm, { key }: DeviceKey): boolean {
  const padding =
    algorithm.pssSalt === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.pssSalt };
  try {
    return verify(algorithm.hash, signed, { key, ...padding }, signature);
  } catch {
    return false;
  }
}

function readRequest(bytes: Buffer): PreparedCertificate {
  const request = sequenceOf(bytes);
  const info = request.value(TAG.sequence);
  const algorithm = readSignatureAlgorithm(request.value(TAG.sequence).whole);
  const signature = request.bits();
  request.end();

  const parts = new DerReader(info.content);
  const version = parts.value(TAG.integer).content;
  if (version.length !== 1 || version[0] !== 0) return refuse('it is not of version 1');
  const subject = parts.value(TAG.sequence).whole;
  readName(subject);
  const publicKey = parts.value(TAG.sequence).whole;
  const attributes = parts.optional(explicit(0));
  parts.end();
  if (attributes !== undefined)
    for (const each = new DerReader(attributes.content); each.next !== undefined; ) each.value(TAG.sequence);

  const key = readPublicKey(publicKey);
  if (typeof key === 'string') return refuse(key);
  if (algorithm === undefined || algorithm.kind !== key.kind) return refuse('its signature algorithm is not supported');
  if (!signedByItself(info.whole, signature, algorithm, key)) return refuse('its signature does not match its public key');
  return { subject, publicKey };
}

/** Reads and judges a request in PEM; fails with InvalidRequestException. */
export function prepareFromCsr(pem: string): PreparedCertificate {
  if (pem.length > LARGEST_REQUEST) return refuse('it is longer than 4096 characters');
  const bytes = onePemBlock(pem, LABELS);
  if (bytes === undefined) return refuse('it is not one certificate signing request in PEM format');
  try {
    return readRequest(bytes);
  } catch (error) {
    if (error instanceof DerError) return refuse('it could not be parsed', error);
    throw error;
  }
}
