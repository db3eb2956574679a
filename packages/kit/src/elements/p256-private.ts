/**
 * Work with a P-256 private key that is at hand as a number: of a file, and inside virtual chips. Node's own functions hash
 * what they sign, and an element is handed the digest.
 */
import { createECDH } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { ElementError } from './contract.ts';

/** As chips sign: the digest as it is, and s as it comes (RFC 6979 nonces, no lower half). */
const AS_GIVEN = { prehash: false, lowS: false } as const;

/** Whether these 32 bytes are a private key of the curve. */
export const isPrivateKey = (secret: Uint8Array): boolean => p256.utils.isValidSecretKey(secret);

export const newPrivateKey = (): Buffer => Buffer.from(p256.utils.randomSecretKey());

/** X and Y of the public key. */
export const pointOfPrivateKey = (secret: Uint8Array): Buffer => Buffer.from(p256.getPublicKey(secret, false).subarray(1));

/** r and s of a SHA-256 digest. */
export const signDigest = (secret: Uint8Array, digest: Uint8Array): Buffer => Buffer.from(p256.sign(digest, secret, AS_GIVEN));

/** Whether r and s are those of the digest under a public point. */
export function verifyDigest(point: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  try {
    return p256.verify(signature, digest, Buffer.concat([Buffer.of(4), point]), AS_GIVEN);
  } catch {
    // A point that is not on the curve, or numbers out of their range.
    return false;
  }
}

/** The x coordinate of ECDH with a peer's point. Throws ElementError `invalid` where that is not on the curve. */
export function agreeWithPoint(secret: Uint8Array, point: Uint8Array): Buffer {
  const own = createECDH('prime256v1');
  own.setPrivateKey(secret);
  try {
    return own.computeSecret(Buffer.concat([Buffer.of(4), point]));
  } catch (cause) {
    throw new ElementError('invalid', "the peer's public key is no point of P-256", { cause });
  }
}
