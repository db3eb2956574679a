/** What the certificates that we sign look like (RFC 5280): one function per kind, each giving all but issuer and signature. */
import { createHash } from 'node:crypto';
import { bitString, type DerReader, der, implicit, oid, sequence, sequenceOf, TAG } from './der.ts';
import { addressBytes } from './host-names.ts';

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

const CRITICAL = der(TAG.boolean, Buffer.of(0xff));
const extension = (id: string, value: Buffer, critical = false): Buffer =>
  critical ? sequence(oid(id), CRITICAL, der(TAG.octetString, value)) : sequence(oid(id), der(TAG.octetString, value));

/** SHA-1 of the key's bits: RFC 5280 section 4.2.1.2, method 1. A name for a key, no protection. */
export function keyIdentifier(publicKey: Buffer): Buffer {
  const parts = sequenceOf(publicKey);
  parts.value(TAG.sequence);
  return createHash('sha1').update(parts.bits()).digest();
}

export const authorityKeyIdentifier = (issuerKey: Buffer): Buffer =>
  extension('2.5.29.35', sequence(der(implicit(0), keyIdentifier(issuerKey))));
const subjectKeyIdentifier = (publicKey: Buffer): Buffer =>
  extension('2.5.29.14', der(TAG.octetString, keyIdentifier(publicKey)));

const noAuthority = extension('2.5.29.19', sequence(), true);
const authority = (pathLength?: number): Buffer =>
  extension(
    '2.5.29.19',
    sequence(der(TAG.boolean, Buffer.of(0xff)), ...(pathLength === undefined ? [] : [der(TAG.integer, Buffer.of(pathLength))])),
    true,
  );
/** Bits of KeyUsage from the left: digitalSignature 0, keyEncipherment 2, keyCertSign 5, cRLSign 6. */
const keyUsage = (bits: number, unused: number): Buffer => extension('2.5.29.15', bitString(Buffer.of(bits), unused), true);
const SIGN = keyUsage(0x80, 7);
const SIGN_AND_ENCIPHER = keyUsage(0xa0, 5);
const SIGN_CERTIFICATES = keyUsage(0x06, 1);
const SERVER = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1')));

/** AWS's device certificates all end then (developer guide, page x509-client-certs). */
const DEVICE_END = Date.UTC(2049, 11, 31, 23, 59, 59);

/** A device's certificate as AWS issues it: AKI, SKI, basicConstraints, keyUsage; begins two minutes ago. */
export const deviceProfile = (subject: Buffer, publicKey: Buffer, now: number): Profile => ({
  subject,
  publicKey,
  notBefore: now - 2 * MINUTE,
  notAfter: DEVICE_END,
  extensions: [subjectKeyIdentifier(publicKey), noAuthority, SIGN],
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
  extensions: [subjectKeyIdentifier(publicKey), authority(pathLength), SIGN_CERTIFICATES],
});

function generalName(hostName: string): Buffer {
  const address = addressBytes(hostName);
  return address === undefined ? der(implicit(2), Buffer.from(hostName, 'latin1')) : der(implicit(7), address);
}

/** SubjectAltName of host names and addresses. */
export const alternativeNames = (hostNames: readonly string[]): Buffer =>
  extension('2.5.29.17', sequence(...hostNames.map(generalName)));

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
  extensions: [subjectKeyIdentifier(publicKey), noAuthority, rsa ? SIGN_AND_ENCIPHER : SIGN, SERVER, alternativeNames(hostNames)],
});

/** Content of an extension in a certificate's extension list, or undefined. */
export function findExtension(extensions: DerReader, id: string): Buffer | undefined {
  const wanted = oid(id);
  while (extensions.next !== undefined) {
    const each = extensions.enter(TAG.sequence);
    const found = each.value(TAG.oid).whole.equals(wanted);
    each.optional(TAG.boolean);
    const value = each.value(TAG.octetString).content;
    each.end();
    if (found) return value;
  }
  return undefined;
}
