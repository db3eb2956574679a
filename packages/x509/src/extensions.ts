/** The extensions that certificates here carry (RFC 5280 section 4.2.1). */
import { bitString, der, implicit, oid, sequence, TAG } from './der.ts';
import { addressBytes } from './host-names.ts';
import { keyIdentifier } from './public-key.ts';

const TRUE = der(TAG.boolean, Buffer.of(0xff));

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  critical ? sequence(oid(id), TRUE, der(TAG.octetString, value)) : sequence(oid(id), der(TAG.octetString, value));

export const authorityKeyIdentifier = (issuerKey: Buffer): Buffer =>
  extension('2.5.29.35', sequence(der(implicit(0), keyIdentifier(issuerKey))));

export const subjectKeyIdentifier = (publicKey: Buffer): Buffer =>
  extension('2.5.29.14', der(TAG.octetString, keyIdentifier(publicKey)));

/** Basic constraints of a certificate that signs no others. */
export const END_ENTITY = extension('2.5.29.19', sequence(), true);

/** Basic constraints of a certificate that signs others. */
export const certificateAuthority = (pathLength?: number): Buffer =>
  extension('2.5.29.19', sequence(TRUE, ...(pathLength === undefined ? [] : [der(TAG.integer, Buffer.of(pathLength))])), true);

/** Bits of KeyUsage from the left: digitalSignature 0, keyEncipherment 2, keyCertSign 5, cRLSign 6. */
const keyUsage = (bits: number, unused: number): Buffer => extension('2.5.29.15', bitString(Buffer.of(bits), unused), true);
export const MAY_SIGN = keyUsage(0x80, 7);
export const MAY_SIGN_AND_ENCIPHER = keyUsage(0xa0, 5);
export const MAY_SIGN_CERTIFICATES = keyUsage(0x06, 1);
/** Of an authority that signs more than certificates and lists, such as its own proofs. */
export const MAY_SIGN_ALL = keyUsage(0x86, 1);

/** Extended key usage of a TLS server. */
export const SERVER_AUTHENTICATION = extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1')));

function generalName(hostName: string): Buffer {
  const address = addressBytes(hostName);
  return address === undefined ? der(implicit(2), Buffer.from(hostName, 'latin1')) : der(implicit(7), address);
}

/** SubjectAltName of host names and addresses. */
export const alternativeNames = (hostNames: readonly string[]): Buffer =>
  extension('2.5.29.17', sequence(...hostNames.map(generalName)));
