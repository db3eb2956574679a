/**
 * Reads a certificate that somebody hands in (RFC 5280), judges its key and signature algorithm, and checks who signed
 * it. Names are compared as DER, never as printed text. Refusals are CertificateValidationException.
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import { DerError, DerReader, explicit, implicit, readTime, sequenceOf, TAG } from './der.ts';
import { certificateIdOf } from './issue.ts';
import { readName } from './names.ts';
import { onePemBlock } from './pem.ts';
import { findExtension } from './profile.ts';
import { type KeyKind, readPublicKey, readSignatureAlgorithm } from './public-key.ts';

export interface ReadCertificate {
  readonly der: Buffer;
  readonly certificateId: string;
  /** Whole DER names. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly commonNames: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether basicConstraints says that it may sign certificates. */
  readonly authority: boolean;
  readonly publicKey: KeyObject;
  readonly signatureKind: KeyKind;
  readonly x509: X509Certificate;
}

/** API reference RegisterCertificate: CertificatePem is at most 65536 long. */
const LARGEST_PEM = 65_536;
const LABELS = ['CERTIFICATE', 'X509 CERTIFICATE'];

const refuse = (why: string, cause?: unknown): never => fail('CertificateValidationException', why, undefined, cause);

function isAuthority(extensions: Buffer | undefined): boolean {
  if (extensions === undefined) return false;
  const constraints = findExtension(sequenceOf(extensions), '2.5.29.19');
  if (constraints === undefined) return false;
  const flag = sequenceOf(constraints).optional(TAG.boolean)?.content;
  return flag !== undefined && flag.length === 1 && flag[0] !== 0;
}

function parse(bytes: Buffer): ReadCertificate {
  const certificate = sequenceOf(bytes);
  const signed = certificate.value(TAG.sequence);
  const outerAlgorithm = certificate.value(TAG.sequence).whole;
  certificate.bits();
  certificate.end();

  const parts = new DerReader(signed.content);
  parts.optional(explicit(0));
  parts.value(TAG.integer);
  const innerAlgorithm = parts.value(TAG.sequence).whole;
  const issuer = parts.value(TAG.sequence).whole;
  const validity = parts.enter(TAG.sequence);
  const notBefore = readTime(validity.value());
  const notAfter = readTime(validity.value());
  validity.end();
  const subject = parts.value(TAG.sequence).whole;
  const spki = parts.value(TAG.sequence).whole;
  parts.optional(implicit(1));
  parts.optional(implicit(2));
  const extensions = parts.optional(explicit(3))?.content;
  parts.end();

  readName(issuer);
  const commonNames = readName(subject);
  const algorithm = readSignatureAlgorithm(outerAlgorithm);
  if (!innerAlgorithm.equals(outerAlgorithm) || algorithm === undefined || algorithm.hash === 'sha1')
    return refuse('The signature algorithm of the certificate is not supported.');
  const key = readPublicKey(spki);
  if (typeof key === 'string') return refuse(`The public key of the certificate is not supported: ${key}.`);
  if (notAfter < notBefore) return refuse('The validity of the certificate ends before it begins.');
  return {
    der: bytes,
    certificateId: certificateIdOf(bytes),
    subject,
    issuer,
    commonNames,
    notBefore,
    notAfter,
    authority: isAuthority(extensions),
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
  const bytes = pem.length > LARGEST_PEM ? undefined : onePemBlock(pem, LABELS);
  if (bytes === undefined) return refuse('The certificate must be one X.509 certificate in PEM format.');
  try {
    return parse(bytes);
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
