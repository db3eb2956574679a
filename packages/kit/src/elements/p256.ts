/** Public keys on the P-256 curve, between SubjectPublicKeyInfo and the point that chips give and take. */
import { createPublicKey } from 'node:crypto';
import { ElementError } from './contract.ts';

/** SubjectPublicKeyInfo of a P-256 key as far as the point (RFC 5480 section 2); the point follows, uncompressed. */
const PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
const POINT = 64;

/** SubjectPublicKeyInfo of a point, X and Y, 32 bytes each. Throws ElementError `invalid` where it is not on the curve. */
export function spkiOfPoint(point: Buffer): Buffer {
  const spki = Buffer.concat([PREFIX, point]);
  try {
    if (point.length !== POINT) throw new ElementError('invalid', `a point of P-256 has 64 bytes, not ${point.length}`);
    createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    if (cause instanceof ElementError) throw cause;
    throw new ElementError('invalid', 'the public key is no point of P-256', { cause });
  }
  return spki;
}

/** X and Y, 32 bytes each, of a SubjectPublicKeyInfo. Throws ElementError `invalid` where it is no P-256 key. */
export function pointOfSpki(spki: Buffer): Buffer {
  if (spki.length !== PREFIX.length + POINT || !spki.subarray(0, PREFIX.length).equals(PREFIX))
    throw new ElementError('invalid', 'the public key is none of P-256 with an uncompressed point');
  const point = spki.subarray(PREFIX.length);
  spkiOfPoint(point);
  return point;
}

/** Throws where `digest` is none of SHA-256. */
export function checkDigest(digest: Buffer): void {
  if (digest.length !== 32) throw new ElementError('invalid', `a SHA-256 digest has 32 bytes, not ${digest.length}`);
}

/** Most bytes that `random` gives in one call. */
const MAX_RANDOM = 4096;

/** Throws where `length` is none that `random` takes. */
export function checkRandomLength(length: number): void {
  if (!Number.isInteger(length) || length < 1 || length > MAX_RANDOM)
    throw new ElementError('invalid', `random takes 1 to ${MAX_RANDOM} bytes, not ${length}`);
}
