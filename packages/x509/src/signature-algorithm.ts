/** Algorithms of signatures: read from an AlgorithmIdentifier, chosen for a key that signs, and verified. */
import { constants, type KeyObject, verify } from 'node:crypto';
import { der, DerReader, explicit, oid, sequence, sequenceOf, TAG } from './der.ts';
import { positiveBytes, type PublicKeyFacts, readPublicKey } from './public-key.ts';

const id = (dotted: string): string => oid(dotted).toString('latin1');

export type KeyKind = 'rsa' | 'ec' | 'dsa' | 'ed25519';

export interface SignatureAlgorithm {
  readonly kind: KeyKind;
  /** Null where the algorithm brings its own (Ed25519). */
  readonly hash: string | null;
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
  [id('1.3.101.112'), { kind: 'ed25519', hash: null }],
]);

const RSA_PSS = id('1.2.840.113549.1.1.10');
const MGF1 = id('1.2.840.113549.1.1.8');
const HASHES = new Map([
  [id('2.16.840.1.101.3.4.2.1'), 'sha256'],
  [id('2.16.840.1.101.3.4.2.2'), 'sha384'],
  [id('2.16.840.1.101.3.4.2.3'), 'sha512'],
]);
const DEFAULT_SALT = 20;

const hashOf = (algorithm: Buffer | undefined): string | undefined =>
  algorithm === undefined ? undefined : HASHES.get(sequenceOf(algorithm).value(TAG.oid).whole.toString('latin1'));

/** RSASSA-PSS-params (RFC 4055 section 3.1): hash and mask hash named and equal; the defaults are SHA-1. */
function readPss(parameters: DerReader): SignatureAlgorithm | undefined {
  const hash = hashOf(parameters.optional(explicit(0))?.content);
  const mask = parameters.optional(explicit(1));
  if (hash === undefined || mask === undefined) return undefined;
  const mgf = sequenceOf(mask.content);
  if (mgf.value(TAG.oid).whole.toString('latin1') !== MGF1 || hashOf(mgf.value(TAG.sequence).whole) !== hash) return undefined;
  const salt = parameters.optional(explicit(2));
  const length = salt === undefined ? undefined : positiveBytes(new DerReader(salt.content).value(TAG.integer).content);
  if (length !== undefined && length.length > 1) return undefined;
  return { kind: 'rsa', hash, pssSalt: length === undefined ? DEFAULT_SALT : (length[0] ?? 0) };
}

/** Reads an AlgorithmIdentifier of a signature; undefined when it is an unknown one. */
export function readSignatureAlgorithm(whole: Buffer): SignatureAlgorithm | undefined {
  const parts = sequenceOf(whole);
  const type = parts.value(TAG.oid).whole.toString('latin1');
  if (type === RSA_PSS) return parts.next === TAG.sequence ? readPss(parts.enter(TAG.sequence)) : undefined;
  return SIGNATURES.get(type);
}

/** Whether `signature` over `signed` is the key's, made by this algorithm. */
export function isSignature(
  signed: Buffer,
  signature: Buffer,
  { hash, pssSalt }: SignatureAlgorithm,
  publicKey: KeyObject,
): boolean {
  const padding = pssSalt === undefined ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pssSalt };
  try {
    return verify(hash, signed, { key: publicKey, ...padding }, signature);
  } catch {
    return false;
  }
}

/** How a key signs, and the AlgorithmIdentifier that says so. */
export interface SigningAlgorithm extends SignatureAlgorithm {
  readonly identifier: Buffer;
}

/** A key that nothing is signed with here; the message says which. */
export class UnsupportedKeyError extends Error {
  override readonly name = 'UnsupportedKeyError';
}

const ECDSA: Readonly<Record<string, SigningAlgorithm>> = {
  'P-256': { kind: 'ec', hash: 'sha256', identifier: sequence(oid('1.2.840.10045.4.3.2')) },
  'P-384': { kind: 'ec', hash: 'sha384', identifier: sequence(oid('1.2.840.10045.4.3.3')) },
  'P-521': { kind: 'ec', hash: 'sha512', identifier: sequence(oid('1.2.840.10045.4.3.4')) },
};
const RSA: SigningAlgorithm = {
  kind: 'rsa',
  hash: 'sha256',
  identifier: sequence(oid('1.2.840.113549.1.1.11'), der(TAG.null)),
};
const ED25519: SigningAlgorithm = { kind: 'ed25519', hash: null, identifier: sequence(oid('1.3.101.112')) };

function chosenFor(facts: PublicKeyFacts): SigningAlgorithm | undefined {
  if (facts.kind === 'ec') return ECDSA[facts.curve ?? ''];
  if (facts.kind === 'rsa') return facts.pssOnly ? undefined : RSA;
  return facts.kind === 'ed25519' ? ED25519 : undefined;
}

/** The algorithm that a key (SubjectPublicKeyInfo) signs with: a curve's own hash, SHA-256 for RSA. */
export function signingAlgorithmOf(spki: Buffer): SigningAlgorithm {
  const facts = readPublicKey(spki);
  const chosen = chosenFor(facts);
  if (chosen === undefined) throw new UnsupportedKeyError(`nothing is signed with this kind of key (${facts.kind})`);
  return chosen;
}
