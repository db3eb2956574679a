/** Certificates (RFC 5280), read. Names are compared as DER, never as printed text. */
import { hash } from 'node:crypto';
import { DerReader, explicit, implicit, parseTime, sequenceOf, TAG } from './der.ts';
import { readDistinguishedName } from './names.ts';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts';

/** Labels of a certificate in PEM: today's, and an older one. */
export const CERTIFICATE_LABELS = ['CERTIFICATE', 'X509 CERTIFICATE'];

export interface CertificateFields {
  /** What is signed, whole. */
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** Whole DER names. */
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo; nothing of it has been checked. */
  readonly publicKey: Buffer;
  /** Undefined when it is an unknown one, or not the same inside and outside of what is signed. */
  readonly algorithm: SignatureAlgorithm | undefined;
  /** The list of extensions, whole. */
  readonly extensions: Buffer | undefined;
}

/** Reads a certificate; its signature is not verified. Throws DerError where it is none. */
export function parseCertificate(bytes: Buffer): CertificateFields {
  const certificate = sequenceOf(bytes);
  const content = certificate.value(TAG.sequence);
  const outerAlgorithm = certificate.value(TAG.sequence).whole;
  const signature = certificate.bits();
  certificate.end();

  const parts = new DerReader(content.content);
  parts.optional(explicit(0));
  parts.value(TAG.integer);
  const innerAlgorithm = parts.value(TAG.sequence).whole;
  const issuer = parts.value(TAG.sequence).whole;
  const validity = parts.enter(TAG.sequence);
  const notBefore = parseTime(validity.value());
  const notAfter = parseTime(validity.value());
  validity.end();
  const subject = parts.value(TAG.sequence).whole;
  const publicKey = parts.value(TAG.sequence).whole;
  parts.optional(implicit(1));
  parts.optional(implicit(2));
  const extensions = parts.optional(explicit(3))?.content;
  parts.end();
  readDistinguishedName(issuer);
  readDistinguishedName(subject);
  const outer = readSignatureAlgorithm(outerAlgorithm);
  const algorithm = innerAlgorithm.equals(outerAlgorithm) ? outer : undefined;
  return { signed: content.whole, signature, subject, issuer, notBefore, notAfter, publicKey, algorithm, extensions };
}

/** AWS IoT's id of a certificate: SHA-256 of its DER, in hexadecimal. */
export const certificateIdOf = (certificate: Buffer): string => hash('sha256', certificate, 'hex');
