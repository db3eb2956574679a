/**
 * The first step of issuing: reads and checks a certificate signing request (PKCS #10, RFC 2986). What comes out is
 * all that the second step needs; nothing else of the request (attributes, wished-for extensions) reaches a certificate.
 */
import { fail } from '@thingkeep/wire/errors.ts';
import { CSR_LABELS, isSelfSigned, parseCsr } from '@thingkeep/x509/csr.ts';
import { DerError } from '@thingkeep/x509/der.ts';
import { onePemBlock } from '@thingkeep/x509/pem.ts';
import { readAllowedKey } from './allowed-keys.ts';

export interface PreparedCertificate {
  /** DER of the subject, as the device sent it. */
  readonly subject: Buffer;
  /** DER of the public key, as the device sent it. */
  readonly publicKey: Buffer;
}

/** API reference CreateCertificateFromCsr: CertificateSigningRequest is at most 4096 long. */
const LARGEST_REQUEST = 4096;

/** "CSR violates constraints" is how AWS begins. */
const refuse = (why: string, cause?: unknown): never =>
  fail('InvalidRequestException', `CSR violates constraints: ${why}`, undefined, cause);

/**
 * A request's signature proves that its sender holds the key; the signer chooses all that is signed, so SHA-1's
 * collisions gain nothing here, and old tools still use it. In certificates SHA-1 is refused.
 */
function check(bytes: Buffer): PreparedCertificate {
  const request = parseCsr(bytes);
  const { version, subject, publicKey, algorithm } = request;
  if (version !== 0) return refuse('it is not of version 1');
  const key = readAllowedKey(publicKey);
  if (typeof key === 'string') return refuse(key);
  if (algorithm?.kind !== key.kind) return refuse('its signature algorithm is not supported');
  if (!isSelfSigned(request, key.key)) return refuse('its signature does not match its public key');
  return { subject, publicKey };
}

/** Reads and checks a request in PEM; fails with InvalidRequestException. */
export function prepareFromCsr(pem: string): PreparedCertificate {
  if (pem.length > LARGEST_REQUEST) return refuse('it is longer than 4096 characters');
  const bytes = onePemBlock(pem, CSR_LABELS);
  if (bytes === undefined) return refuse('it is not one certificate signing request in PEM format');
  try {
    return check(bytes);
  } catch (error) {
    if (error instanceof DerError) return refuse('it could not be parsed', error);
    throw error;
  }
}
