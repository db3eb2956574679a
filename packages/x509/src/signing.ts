/** What signs certificates and requests: a key at hand, or a function that asks the one who holds it. */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { bitString, integer, sequence } from './der.ts';
import { openPublicKey, publicKeyOf } from './public-key.ts';
import { isSignature, signingAlgorithmOf } from './signature-algorithm.ts';

export interface SignatureInput {
  readonly bytes: Buffer;
  /** Null for Ed25519, which signs the bytes themselves. */
  readonly hash: string | null;
  /** The hash of the bytes, for what signs digests alone (a secure element); empty where `hash` is null. */
  readonly digest: Buffer;
}

export interface X509Signer {
  /** SubjectPublicKeyInfo of the key that signs. */
  readonly publicKey: Buffer;
  /** The signature as X.509 carries it; of a curve's key that is `ecdsaSignature` of the two numbers. */
  sign(input: SignatureInput): Buffer | Promise<Buffer>;
}

/** A signature that does not verify under the key that should have made it. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

// The signature is made on libuv's pool: an RSA signature is too long for a loop that also serves devices.
const signAside = (hash: string | null, bytes: Buffer, key: KeyObject): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    sign(hash, bytes, key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
  });

/** Signs with a private key; `publicKey` may be given where it is at hand. */
export const keySigner = (privateKey: KeyObject, publicKey = publicKeyOf(privateKey)): X509Signer => ({
  publicKey,
  sign: ({ bytes, hash }) => signAside(hash, bytes, privateKey),
});

/** An ECDSA signature as X.509 carries it, from the two numbers one behind the other, as chips give them. */
export const ecdsaSignature = (numbers: Buffer): Buffer =>
  sequence(integer(numbers.subarray(0, numbers.length / 2)), integer(numbers.subarray(numbers.length / 2)));

/**
 * SEQUENCE of content, algorithm and signature, as certificates and requests are; the content is told the algorithm's
 * identifier. Throws SignatureError when the signature is not that of the signer's public key.
 */
export async function writeSigned(signer: X509Signer, contentFor: (algorithm: Buffer) => Buffer): Promise<Buffer> {
  const algorithm = signingAlgorithmOf(signer.publicKey);
  const { hash, identifier } = algorithm;
  const bytes = contentFor(identifier);
  const digest = hash === null ? Buffer.alloc(0) : createHash(hash).update(bytes).digest();
  const signature = await signer.sign({ bytes, hash, digest });
  if (!isSignature(bytes, signature, algorithm, openPublicKey(signer.publicKey)))
    throw new SignatureError('the signature does not verify under its public key');
  return sequence(bytes, identifier, bitString(signature));
}
