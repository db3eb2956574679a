/**
 * Definitions of certificates that are kept in compressed form (compressed.ts): what all certificates of one kind have in common.
 * Those of Microchip's AWS Zero Touch kit, as its firmware has them.
 */
import { der, implicit, integer, oid, sequence, TAG } from '@thingkeep/x509/der.ts';
import { certificateAuthority, MAY_SIGN_ALL, subjectKeyIdentifier } from '@thingkeep/x509/extensions.ts';
import { distinguishedName } from '@thingkeep/x509/names.ts';
import type { X509Signer } from '@thingkeep/x509/signing.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';

/** Where a serial number comes from: the high half of byte 70 (cryptoauthlib, atcacert_def.h). */
export const SERIAL_SOURCES = {
  /** Kept beside the compressed certificate. */
  stored: 0x0,
  /** Likewise, of any length. */
  'stored-dynamic': 0x7,
  /** 0x40 and the chip's serial number. */
  'device-serial': 0x8,
  /** 0x40 and the signer id. */
  'signer-id': 0x9,
  /** SHA-256 of public key and dates, its two highest bits 01. */
  'public-key-hash': 0xa,
  /** SHA-256 of the chip's serial number and dates, likewise. */
  'device-serial-hash': 0xb,
  /** Older forms: the highest bit is 0; or all bits are as they come. */
  'public-key-hash-positive': 0xc,
  'device-serial-hash-positive': 0xd,
  'public-key-hash-raw': 0xe,
  'device-serial-hash-raw': 0xf,
} as const;

export type SerialSource = keyof typeof SERIAL_SOURCES;

export interface CertificateDefinition {
  readonly name: string;
  /** 0 to 15 each. */
  readonly templateId: number;
  readonly chainId: number;
  /** 0; or 1, with two more bits for the year of issue and the years of validity. */
  readonly formatVersion: 0 | 1;
  readonly serialSource: SerialSource;
  /** Bytes of the serial number. */
  readonly serialLength: number;
  /** The name whose common name ends with the signer id, four hexadecimal digits. */
  readonly signerIdIn: 'subject' | 'issuer';
  /** Whole dates are kept beside the compressed certificate; else minutes and seconds are 0. */
  readonly hasStoredDates: boolean;
  readonly notAfter: {
    readonly form: 'utc' | 'generalized';
    /** Digits of the date that 0 years of validity stand for; else the last one that the form has. */
    readonly never?: string;
  };
  /** Whole DER names. */
  readonly issuer: (signerId: string) => Buffer;
  readonly subject: (signerId: string) => Buffer;
  /** In order, for the SubjectPublicKeyInfo and the key identifier of the issuer. */
  readonly extensions: (publicKey: Buffer, issuerKeyIdentifier: Buffer) => readonly Buffer[];
}

const AUTHORITY_KEY_IDENTIFIER = oid('2.5.29.35');

const authorityKey = (keyIdentifier: Buffer): Buffer =>
  sequence(AUTHORITY_KEY_IDENTIFIER, der(TAG.octetString, sequence(der(implicit(0), keyIdentifier))));

const exampleName = (commonName: string): Buffer =>
  distinguishedName({ type: 'O', value: 'Example Inc' }, { type: 'CN', value: commonName });
const signerName = (signerId: string): Buffer => exampleName(`Example Signer ${signerId}`);

/** The signer's certificate: serial number and whole dates are kept in slot 14. */
export const ZERO_TOUCH_SIGNER: CertificateDefinition = {
  name: 'zero-touch-signer',
  templateId: 1,
  chainId: 0,
  formatVersion: 0,
  serialSource: 'stored',
  serialLength: 16,
  signerIdIn: 'subject',
  hasStoredDates: true,
  notAfter: { form: 'utc' },
  issuer: () => exampleName('Example Root CA'),
  subject: signerName,
  extensions: (publicKey, issuerKeyIdentifier) => [
    certificateAuthority(0),
    MAY_SIGN_ALL,
    subjectKeyIdentifier(publicKey),
    authorityKey(issuerKeyIdentifier),
  ],
};

/** The device's certificate, which ends in the year 3000. */
export const ZERO_TOUCH_DEVICE: CertificateDefinition = {
  name: 'zero-touch-device',
  templateId: 2,
  chainId: 0,
  formatVersion: 0,
  serialSource: 'public-key-hash',
  serialLength: 16,
  signerIdIn: 'issuer',
  hasStoredDates: false,
  notAfter: { form: 'generalized', never: '30001231235959' },
  issuer: signerName,
  subject: () => exampleName('Example Device'),
  extensions: (publicKey, issuerKeyIdentifier) => [subjectKeyIdentifier(publicKey), authorityKey(issuerKeyIdentifier)],
};

const DEFINITIONS: readonly CertificateDefinition[] = [ZERO_TOUCH_SIGNER, ZERO_TOUCH_DEVICE];
export const DEFINITION_NAMES: readonly string[] = DEFINITIONS.map(({ name }) => name);

/** The definition of this name; undefined where there is none. */
export const definitionOf = (name: string): CertificateDefinition | undefined => DEFINITIONS.find((each) => each.name === name);

/** The kit's signing request: version 1, and one attribute, which asks for no extensions. */
export const zeroTouchCsr = (signer: X509Signer): Promise<Buffer> => writeCsr(exampleName('Example Device'), signer, []);

/** The version of a certificate with extensions, as it stands in it. */
export const VERSION_3 = der(0xa0, integer(Buffer.of(2)));
