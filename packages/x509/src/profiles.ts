/** What the certificates that we sign look like (RFC 5280): one function per kind, each giving all but issuer and signature. */
import {
  alternativeNames,
  certificateAuthority,
  END_ENTITY,
  SERVER_AUTHENTICATION,
  MAY_SIGN,
  MAY_SIGN_AND_ENCIPHER,
  MAY_SIGN_CERTIFICATES,
  subjectKeyIdentifier,
} from './extensions.ts';

export interface Profile {
  readonly subject: Buffer;
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Extensions behind the authority key identifier, which the signer knows. */
  readonly extensions: readonly Buffer[];
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/** AWS's device certificates all end then (developer guide, page x509-client-certs). */
const DEVICE_END = Date.UTC(2049, 11, 31, 23, 59, 59);

/** A device's certificate as AWS issues it: AKI, SKI, basicConstraints, keyUsage; begins two minutes ago. */
export const deviceProfile = (subject: Buffer, publicKey: Buffer, now: number): Profile => ({
  subject,
  publicKey,
  notBefore: now - 2 * MINUTE,
  notAfter: DEVICE_END,
  extensions: [subjectKeyIdentifier(publicKey), END_ENTITY, MAY_SIGN],
});

/** A certificate that signs others. Begins a day ago: devices' clocks lag. */
export const authorityProfile = (
  subject: Buffer,
  publicKey: Buffer,
  now: number,
  notAfter: number,
  pathLength?: number,
): Profile => ({
  subject,
  publicKey,
  notBefore: now - DAY,
  notAfter,
  extensions: [subjectKeyIdentifier(publicKey), certificateAuthority(pathLength), MAY_SIGN_CERTIFICATES],
});

/** A server's certificate; RSA keys may also be used for key exchange, which small clients of TLS 1.2 still ask for. */
export const serverProfile = (
  subject: Buffer,
  publicKey: Buffer,
  now: number,
  notAfter: number,
  { hostNames, rsa }: { hostNames: readonly string[]; rsa: boolean },
): Profile => ({
  subject,
  publicKey,
  notBefore: now - DAY,
  notAfter,
  extensions: [
    subjectKeyIdentifier(publicKey),
    END_ENTITY,
    rsa ? MAY_SIGN_AND_ENCIPHER : MAY_SIGN,
    SERVER_AUTHENTICATION,
    alternativeNames(hostNames),
  ],
});
