/** Certificates (RFC 5280), written: what a profile describes under an issuer, or every part as it is given. */
import { randomBytes } from 'node:crypto';
import { der, explicit, integer, sequence, time } from './der.ts';
import { authorityKeyIdentifier } from './extensions.ts';
import type { Profile } from './profiles.ts';
import { writeSigned, type X509Signer } from './signing.ts';

/**
 * Random serial number of so many bytes, positive and never beginning with zeros (RFC 5280 section 4.1.2.2): its first bits
 * are 01. AWS's have 20 bytes.
 */
export function randomSerialNumber(length = 20): Buffer {
  const bytes = randomBytes(length);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

/** All that is in a certificate but algorithm and signature. */
export interface CertificateContent {
  /** Big-endian bytes of a positive number. */
  readonly serialNumber: Buffer;
  /** Whole DER names. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** In this order; where they are none, the certificate has no list of extensions. */
  readonly extensions: readonly Buffer[];
}

/** DER of a certificate of version 3 with this content. */
export const writeCertificateContent = (content: CertificateContent, signer: X509Signer): Promise<Buffer> =>
  writeSigned(signer, (algorithm) =>
    sequence(
      der(explicit(0), integer(Buffer.of(2))),
      integer(content.serialNumber),
      algorithm,
      content.issuer,
      sequence(time(content.notBefore), time(content.notAfter)),
      content.subject,
      content.publicKey,
      ...(content.extensions.length === 0 ? [] : [der(explicit(3), sequence(...content.extensions))]),
    ),
  );

/** DER of a certificate of this profile, under the issuer's name (whole DER) and signed by its key. */
export const writeCertificate = (profile: Profile, issuer: Buffer, signer: X509Signer): Promise<Buffer> =>
  writeCertificateContent(
    {
      ...profile,
      serialNumber: randomSerialNumber(),
      issuer,
      extensions: [authorityKeyIdentifier(signer.publicKey), ...profile.extensions],
    },
    signer,
  );
