/** Certificates (RFC 5280), written: what a profile describes, under an issuer. */
import { randomBytes } from 'node:crypto';
import { der, explicit, integer, sequence, time } from './der.ts';
import { authorityKeyIdentifier } from './extensions.ts';
import type { Profile } from './profiles.ts';
import { writeSigned, type X509Signer } from './signing.ts';

/** 20 bytes, positive, never beginning with zeros (RFC 5280 section 4.1.2.2; AWS's are as long). */
function serialNumber(): Buffer {
  const bytes = randomBytes(20);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return integer(bytes);
}

/** DER of a certificate of this profile, under the issuer's name (whole DER) and signed by its key. */
export const writeCertificate = (profile: Profile, issuer: Buffer, signer: X509Signer): Promise<Buffer> =>
  writeSigned(signer, (algorithm) =>
    sequence(
      der(explicit(0), integer(Buffer.of(2))),
      serialNumber(),
      algorithm,
      issuer,
      sequence(time(profile.notBefore), time(profile.notAfter)),
      profile.subject,
      profile.publicKey,
      der(explicit(3), sequence(authorityKeyIdentifier(signer.publicKey), ...profile.extensions)),
    ),
  );
