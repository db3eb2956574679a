/**
 * Public keys (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7): what kind they are is read from their own DER, so that a
 * key can be refused before OpenSSL spends time on it.
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { DerError, type DerReader, oid, sequenceOf, TAG } from './der.ts';

const id = (dotted: string): string => oid(dotted).toString('latin1');

const RSA = id('1.2.840.113549.1.1.1');
const RSA_PSS = id('1.2.840.113549.1.1.10');
const DSA = id('1.2.840.10040.4.1');
const EC = id('1.2.840.10045.2.1');
const ED25519 = id('1.3.101.112');
const CURVES = new Map([
  [id('1.2.840.10045.3.1.7'), 'P-256'],
  [id('1.3.132.0.34'), 'P-384'],
  [id('1.3.132.0.35'), 'P-521'],
] as const);

export type Curve = 'P-256' | 'P-384' | 'P-521';

export type PublicKeyFacts =
  | {
      readonly kind: 'rsa';
      readonly modulusBits: number;
      /** Big-endian, without leading zeros. */
      readonly exponent: Buffer;
      /** Whether it is for RSASSA-PSS alone. */
      readonly pssOnly: boolean;
    }
  | {
      readonly kind: 'ec';
      /** Undefined for another curve, and for explicit parameters: a known way to smuggle in a weak one. */
      readonly curve: Curve | undefined;
    }
  | { readonly kind: 'ed25519' | 'dsa' | 'unknown' };

const bitLength = (bytes: Buffer): number => (bytes.length === 0 ? 0 : (bytes.length - 1) * 8 + (32 - Math.clz32(bytes[0] ?? 0)));

/** The bytes of an INTEGER above 0, or of 0 itself, without leading zeros. */
export const positiveBytes = (bytes: Buffer): Buffer => {
  if (bytes.length === 0 || (bytes[0] ?? 0) >= 0x80) throw new DerError('no positive number');
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
};

function rsaFacts(key: Buffer, pssOnly: boolean): PublicKeyFacts {
  const numbers = sequenceOf(key);
  const modulus = positiveBytes(numbers.value(TAG.integer).content);
  const exponent = positiveBytes(numbers.value(TAG.integer).content);
  numbers.end();
  return { kind: 'rsa', modulusBits: bitLength(modulus), exponent, pssOnly };
}

function curveOf(algorithm: DerReader): Curve | undefined {
  return algorithm.next === TAG.oid ? CURVES.get(algorithm.value(TAG.oid).whole.toString('latin1')) : undefined;
}

/** What a SubjectPublicKeyInfo says. Throws DerError where it is none. */
export function readPublicKey(spki: Buffer): PublicKeyFacts {
  const outer = sequenceOf(spki);
  const algorithm = outer.enter(TAG.sequence);
  const type = algorithm.value(TAG.oid).whole.toString('latin1');
  if (type === DSA) return { kind: 'dsa' };
  if (type === ED25519) return { kind: 'ed25519' };
  if (type === RSA || type === RSA_PSS) {
    const facts = rsaFacts(outer.bits(), type === RSA_PSS);
    outer.end();
    return facts;
  }
  if (type !== EC) return { kind: 'unknown' };
  const curve = curveOf(algorithm);
  if (curve !== undefined) {
    algorithm.end();
    outer.bits();
    outer.end();
  }
  return { kind: 'ec', curve };
}

/** The key for Node to use. Throws DerError where OpenSSL can't read it. */
export function openPublicKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new DerError('public key', { cause });
  }
}

/** The SubjectPublicKeyInfo of a private key. */
export const publicKeyOf = (privateKey: KeyObject): Buffer => createPublicKey(privateKey).export({ type: 'spki', format: 'der' });

/** SHA-1 of the key's bits: RFC 5280 section 4.2.1.2, method 1. A name for a key, no protection. */
export function keyIdentifier(spki: Buffer): Buffer {
  const parts = sequenceOf(spki);
  parts.value(TAG.sequence);
  return createHash('sha1').update(parts.bits()).digest();
}
