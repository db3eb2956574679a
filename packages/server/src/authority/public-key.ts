/**
 * Which public keys and signature algorithms devices may use: RSA of 2048 bits and up, P-256, P-384, P-521 (AWS IoT
 * developer guide, page x509-client-certs). Keys are read from their own DER, before OpenSSL spends time on them.
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { DerError, DerReader, explicit, oid, sequenceOf, TAG } from './der.ts';

const id = (dotted: string): string => oid(dotted).toString('latin1');

const RSA_KEY = id('1.2.840.113549.1.1.1');
const RSA_PSS = id('1.2.840.113549.1.1.10');
const DSA_KEY = id('1.2.840.10040.4.1');
const EC_KEY = id('1.2.840.10045.2.1');
const CURVES = new Set([id('1.2.840.10045.3.1.7'), id('1.3.132.0.34'), id('1.3.132.0.35')]);
const HASHES = new Map([
  [id('2.16.840.1.101.3.4.2.1'), 'sha256'],
  [id('2.16.840.1.101.3.4.2.2'), 'sha384'],
  [id('2.16.840.1.101.3.4.2.3'), 'sha512'],
]);
const MGF1 = id('1.2.840.113549.1.1.8');

export type KeyKind = 'rsa' | 'ec' | 'dsa';

export interface SignatureAlgorithm {
  readonly kind: KeyKind;
  readonly hash: string;
  /** Length of the salt, for RSASSA-PSS alone. */
  readonly pssSalt?: number;
}

const SIGNATURES = new Map<string, SignatureAlgorithm>([
  [id('1.2.840.113549.1.1.5'), { kind: 'rsa', hash: 'sha1' }],
  [id('1.2.840.113549.1.1.11'), { kind: 'rsa', hash: 'sha256' }],
  [id('1.2.840.113549.1.1.12'), { kind: 'rsa', hash: 'sha384' }],
  [id('1.2.840.113549.1.1.13'), { kind: 'rsa', hash: 'sha512' }],
  [id('1.2.840.10045.4.1'), { kind: 'ec', hash: 'sha1' }],
  [id('1.2.840.10045.4.3.2'), { kind: 'ec', hash: 'sha256' }],
  [id('1.2.840.10045.4.3.3'), { kind: 'ec', hash: 'sha384' }],
  [id('1.2.840.10045.4.3.4'), { kind: 'ec', hash: 'sha512' }],
  [id('2.16.840.1.101.3.4.3.2'), { kind: 'dsa', hash: 'sha256' }],
]);

const LEAST_RSA_BITS = 2048;
/** A larger modulus buys nothing and lets one request hold the processor for long. */
const MAX_RSA_BITS = 8192;
const MAX_EXPONENT_BYTES = 8;

export interface DeviceKey {
  readonly kind: KeyKind;
  readonly key: KeyObject;
}

const bitLength = (bytes: Buffer): number => (bytes.length === 0 ? 0 : (bytes.length - 1) * 8 + (32 - Math.clz32(bytes[0] ?? 0)));

const positive = (bytes: Buffer): Buffer => {
  if (bytes.length === 0 || (bytes[0] ?? 0) >= 0x80) throw new DerError('no positive number');
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
};

function judgeRsa(key: Buffer): string | undefined {
  const numbers = sequenceOf(key);
  const modulus = positive(numbers.value(TAG.integer).content);
  const exponent = positive(numbers.value(TAG.integer).content);
  numbers.end();
  const bits = bitLength(modulus);
  if (bits < LEAST_RSA_BITS) return `the RSA key has ${bits} bits, at least ${LEAST_RSA_BITS} are needed`;
  if (bits > MAX_RSA_BITS) return `the RSA key has ${bits} bits, at most ${MAX_RSA_BITS} are allowed`;
  const last = exponent.at(-1) ?? 0;
  if (exponent.length > MAX_EXPONENT_BYTES || last % 2 === 0 || (exponent.length === 1 && last < 3))
    return 'the RSA exponent is not allowed';
  return undefined;
}

/** Reads a SubjectPublicKeyInfo; a string says why the key is refused. Throws DerError where it is no key at all. */
export function readPublicKey(spki: Buffer): DeviceKey | string {
  const outer = sequenceOf(spki);
  const algorithm = outer.enter(TAG.sequence);
  const type = algorithm.value(TAG.oid).whole.toString('latin1');
  let kind: KeyKind = 'rsa';
  if (type === RSA_KEY || type === RSA_PSS) {
    const refusal = judgeRsa(outer.bits());
    if (refusal !== undefined) return refusal;
  } else if (type === EC_KEY) {
    kind = 'ec';
    // A named curve alone: explicit parameters are a known way to smuggle in a weak one.
    if (algorithm.next !== TAG.oid || !CURVES.has(algorithm.value(TAG.oid).whole.toString('latin1')))
      return 'the elliptic curve is none of P-256, P-384, P-521';
    algorithm.end();
    outer.bits();
  } else return type === DSA_KEY ? 'DSA keys are not allowed' : 'the key is neither RSA nor on an elliptic curve';
  outer.end();
  try {
    return { kind, key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
  } catch (cause) {
    throw new DerError('public key', { cause });
  }
}

const DEFAULT_SALT = 20;

/** RSASSA-PSS-params (RFC 4055 section 3.1): hash and mask hash named and equal; the defaults are SHA-1. */
function readPss(parameters: DerReader): SignatureAlgorithm | undefined {
  const hash = hashOf(parameters.optional(explicit(0))?.content);
  const mask = parameters.optional(explicit(1));
  if (hash === undefined || mask === undefined) return undefined;
  const mgf = sequenceOf(mask.content);
  if (mgf.value(TAG.oid).whole.toString('latin1') !== MGF1 || hashOf(mgf.value(TAG.sequence).whole) !== hash) return undefined;
  const salt = parameters.optional(explicit(2));
  const length = salt === undefined ? undefined : positive(new DerReader(salt.content).value(TAG.integer).content);
  if (length !== undefined && length.length > 1) return undefined;
  return { kind: 'rsa', hash, pssSalt: length === undefined ? DEFAULT_SALT : (length[0] ?? 0) };
}

const hashOf = (algorithm: Buffer | undefined): string | undefined =>
  algorithm === undefined ? undefined : HASHES.get(sequenceOf(algorithm).value(TAG.oid).whole.toString('latin1'));

/** Reads an AlgorithmIdentifier of a signature; undefined when it is one that we don't take. */
export function readSignatureAlgorithm(whole: Buffer): SignatureAlgorithm | undefined {
  const parts = sequenceOf(whole);
  const type = parts.value(TAG.oid).whole.toString('latin1');
  if (type === RSA_PSS) return parts.next === TAG.sequence ? readPss(parts.enter(TAG.sequence)) : undefined;
  return SIGNATURES.get(type);
}
