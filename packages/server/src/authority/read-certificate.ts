/**
 * Certificates that are brought to the API: read, their keys and algorithms checked, and who signed them.
 * Refusals are CertificateValidationException.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import { CERTIFICATE_LABELS, type CertificateFields, certificateIdOf, parseCertificate } from '@thingkeep/x509/certificate.ts';
import { DerError } from '@thingkeep/x509/der.ts';
import { readCommonNames } from '@thingkeep/x509/names.ts';
import type { PathRules } from '@thingkeep/x509/path.ts';
import { onePemBlock } from '@thingkeep/x509/pem.ts';
import type { KeyKind, SignatureAlgorithm } from '@thingkeep/x509/signature-algorithm.ts';
import { readAllowedKey } from './allowed-keys.ts';

export interface ReadCertificate extends Pick<CertificateFields, 'subject' | 'issuer' | 'notBefore' | 'notAfter'> {
  readonly der: Buffer;
  readonly certificateId: string;
  readonly commonNames: readonly string[];
  readonly publicKey: KeyObject;
  readonly signatureKind: KeyKind;
  readonly x509: X509Certificate;
}

/** API reference RegisterCertificate: CertificatePem is at most 65536 long. */
const LARGEST_PEM = 65_536;

const refuse = (why: string, cause?: unknown): never => fail('CertificateValidationException', why, undefined, cause);

/** Developer guide, page x509-client-certs. */
const isAllowed = ({ kind, hash }: SignatureAlgorithm): boolean => hash !== 'sha1' && kind !== 'ed25519';

/** Milliseconds that the clock of who issues certificates may be ahead of this one. */
const CLOCKS_DIFFER = 5 * 60_000;

/** Which keys and algorithms a path of devices' certificates may have, at `now` (milliseconds since the epoch). */
export const pathRules = (now: number, ignoresDates = false): PathRules => ({
  now,
  early: CLOCKS_DIFFER,
  ignoresDates,
  allowsAlgorithm: isAllowed,
  openKey: (spki) => {
    const key = readAllowedKey(spki);
    return typeof key === 'string' ? undefined : key.key;
  },
});

function check(bytes: Buffer): ReadCertificate {
  const fields = parseCertificate(bytes);
  const { subject, issuer, notBefore, notAfter, algorithm } = fields;
  if (algorithm === undefined || !isAllowed(algorithm))
    return refuse('The signature algorithm of the certificate is not supported.');
  const key = readAllowedKey(fields.publicKey);
  if (typeof key === 'string') return refuse(`The public key of the certificate is not supported: ${key}.`);
  if (notAfter < notBefore) return refuse('The validity of the certificate ends before it begins.');
  return {
    der: bytes,
    certificateId: certificateIdOf(bytes),
    subject,
    issuer,
    commonNames: readCommonNames(subject),
    notBefore,
    notAfter,
    publicKey: key.key,
    signatureKind: algorithm.kind,
    x509: openX509(bytes),
  };
}

/** What OpenSSL can't read could never open a connection. */
function openX509(bytes: Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    throw new DerError('certificate', { cause });
  }
}

/** Reads the one certificate that `pem` must hold. */
export function readCertificate(pem: string): ReadCertificate {
  const bytes = pem.length > LARGEST_PEM ? undefined : onePemBlock(pem, CERTIFICATE_LABELS);
  if (bytes === undefined) return refuse('The certificate must be one X.509 certificate in PEM format.');
  try {
    return check(bytes);
  } catch (error) {
    if (error instanceof DerError) return refuse('The certificate could not be parsed.', error);
    throw error;
  }
}

/** Whether `issuer` signed `certificate`: by name, and by the signature itself. */
export function isSignedBy(certificate: ReadCertificate, issuer: ReadCertificate): boolean {
  const kind: KeyKind = issuer.publicKey.asymmetricKeyType === 'ec' ? 'ec' : 'rsa';
  if (!certificate.issuer.equals(issuer.subject) || certificate.signatureKind !== kind) return false;
  try {
    return certificate.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
}
