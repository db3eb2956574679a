/** The second step of issuing: signs what a profile describes. */
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { fail } from '@thingkeep/wire/errors.ts';
import { bitString, der, explicit, integer, oid, sequence, TAG, time } from './der.ts';
import { authorityKeyIdentifier, type Profile } from './profile.ts';
import { isSignatureOf } from './proof.ts';

/** A name and a key that sign. `publicKey` is that of the issuer's certificate. */
export interface Signer {
  readonly name: Buffer;
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
}

// The signature is made on libuv's pool: an RSA signature is too long for the loop that also serves devices.
const signAside = promisify(sign);

const ALGORITHMS = {
  rsa: sequence(oid('1.2.840.113549.1.1.11'), der(TAG.null)),
  ec: sequence(oid('1.2.840.10045.4.3.2')),
};

/** 20 bytes, positive, never beginning with zeros (RFC 5280 section 4.1.2.2; AWS's are as long). */
function serialNumber(): Buffer {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return integer(bytes);
}

/**
 * DER of a certificate of this profile, signed by `signer` with SHA-256. Fails with InternalFailureException when the
 * issuer's certificate does not verify the signature.
 */
export async function issueCertificate(profile: Profile, signer: Signer): Promise<Buffer> {
  const algorithm = signer.privateKey.asymmetricKeyType === 'ec' ? ALGORITHMS.ec : ALGORITHMS.rsa;
  const toBeSigned = sequence(
    der(explicit(0), integer(Buffer.of(2))),
    serialNumber(),
    algorithm,
    signer.name,
    sequence(time(profile.notBefore), time(profile.notAfter)),
    profile.subject,
    profile.publicKey,
    der(explicit(3), sequence(authorityKeyIdentifier(signer.publicKey), ...profile.extensions)),
  );
  const signature = await signAside('sha256', toBeSigned, signer.privateKey);
  if (!isSignatureOf(signer.publicKey, toBeSigned, signature))
    fail('InternalFailureException', 'The certificate does not verify under its issuer: it was not issued.');
  return sequence(toBeSigned, algorithm, bitString(signature));
}

/** AWS's certificate id: SHA-256 of the certificate's DER, in hexadecimal. */
export const certificateIdOf = (certificate: Buffer): string => createHash('sha256').update(certificate).digest('hex');
