/** The second step of issuing: signs what a profile describes. */
import type { KeyObject } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Profile } from '@thingkeep/x509/profiles.ts';
import { keySigner, SignatureError } from '@thingkeep/x509/signing.ts';
import { writeCertificate } from '@thingkeep/x509/write-certificate.ts';

/** A name and a key that sign. `publicKey` is that of the issuer's certificate. */
export interface Issuer {
  readonly name: Buffer;
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
}

/**
 * DER of a certificate of this profile, signed by `issuer`. Fails with InternalFailureException when the issuer's
 * certificate does not verify the signature.
 */
export async function issueCertificate(profile: Profile, { name, publicKey, privateKey }: Issuer): Promise<Buffer> {
  try {
    return await writeCertificate(profile, name, keySigner(privateKey, publicKey));
  } catch (error) {
    if (error instanceof SignatureError)
      fail('InternalFailureException', 'The certificate does not verify under its issuer: it was not issued.');
    throw error;
  }
}
