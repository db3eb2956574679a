/** Certificate signing requests (PKCS #10, RFC 2986), read. */
import type { KeyObject } from 'node:crypto';
import { DerReader, explicit, sequenceOf, TAG } from './der.ts';
import { readDistinguishedName } from './names.ts';
import { isSignature, readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.ts';

/** Labels of a request in PEM: today's, and an older one. */
export const CSR_LABELS = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

export interface CsrFields {
  /** What is signed. */
  readonly content: Buffer;
  /** 0 is version 1. */
  readonly version: number;
  /** Whole DER name. */
  readonly subject: Buffer;
  /** SubjectPublicKeyInfo; nothing of it has been checked. */
  readonly publicKey: Buffer;
  /** Undefined when it is an unknown one. */
  readonly algorithm: SignatureAlgorithm | undefined;
  readonly signature: Buffer;
}

/** Reads a request; whether it is signed by its key is for `isSelfSigned`. Throws DerError where it is none. */
export function parseCsr(bytes: Buffer): CsrFields {
  const request = sequenceOf(bytes);
  const content = request.value(TAG.sequence);
  const algorithm = readSignatureAlgorithm(request.value(TAG.sequence).whole);
  const signature = request.bits();
  request.end();

  const parts = new DerReader(content.content);
  const version = parts.number();
  const subject = parts.value(TAG.sequence).whole;
  readDistinguishedName(subject);
  const publicKey = parts.value(TAG.sequence).whole;
  const attributes = parts.optional(explicit(0));
  parts.end();
  if (attributes !== undefined)
    for (const each = new DerReader(attributes.content); each.next !== undefined; ) each.value(TAG.sequence);
  return { content: content.whole, version, subject, publicKey, algorithm, signature };
}

/** Whether the request is signed by its own key, here opened: proof that its sender holds it. */
export const isSelfSigned = ({ content, signature, algorithm }: CsrFields, publicKey: KeyObject): boolean =>
  algorithm !== undefined && isSignature(content, signature, algorithm, publicKey);
