/**
 * Compressed certificates: 72 bytes that fit into a slot of an ATECC, from which and from a definition the whole certificate is
 * rebuilt byte for byte (Microchip, "ATECC Compressed Certificate Definition"; cryptoauthlib, atcacert).
 */
import { createHash, verify } from 'node:crypto';
import { bitString, DerReader, der, explicit, implicit, oid, sequence, sequenceOf, TAG, parseTime } from '@thingkeep/x509/der.ts';
import { readCommonNames } from '@thingkeep/x509/names.ts';
import { keyIdentifier, openPublicKey } from '@thingkeep/x509/public-key.ts';
import { ecdsaSignature } from '@thingkeep/x509/signing.ts';
import { ElementError } from '../elements/contract.ts';
import { pointOfSpki } from '../elements/p256.ts';
import { type DateDigits, decodeDates, digitsOfTime, encodeDates, writeDate } from './compressed-dates.ts';
import { type CertificateDefinition, SERIAL_SOURCES, VERSION_3 } from './definitions.ts';

export const COMPRESSED_LENGTH = 72;
const SIGNATURE = 64;
const NUMBER = 32;
/** ecdsa-with-SHA256, the one algorithm of the form. */
const ALGORITHM = sequence(oid('1.2.840.10045.4.3.2'));
const MAX_SERIAL = 20;

/** What is kept beside a compressed certificate. */
export interface StoredFields {
  readonly serialNumber: Buffer;
  /** Present where the definition keeps whole dates. */
  readonly dates?: readonly [notBefore: DateDigits, notAfter: DateDigits];
}

export interface CompressedCertificate {
  /** 72 bytes. */
  readonly compressed: Buffer;
  /** Undefined where everything is in the 72 bytes. */
  readonly stored: StoredFields | undefined;
}

/** The issuer by its SubjectPublicKeyInfo, under which the signature is verified; or by its key identifier alone. */
export type IssuerKey = { readonly publicKey: Buffer } | { readonly keyIdentifier: Buffer };

export interface RebuildInput {
  readonly compressed: Buffer;
  /** SubjectPublicKeyInfo of the certificate's own key. */
  readonly publicKey: Buffer;
  readonly issuer: IssuerKey;
  readonly stored?: StoredFields | undefined;
  /** The chip's serial number, where the certificate's is made of it. */
  readonly deviceSerialNumber?: Buffer | undefined;
}

const invalid = (message: string, cause?: unknown): ElementError => new ElementError('invalid', message, { cause });

/** What is signed, in parts. */
interface Fields {
  readonly serialNumber: Buffer;
  readonly dates: readonly [DateDigits, DateDigits];
  readonly signerId: string;
  readonly publicKey: Buffer;
  readonly issuerKeyIdentifier: Buffer;
}

function signedPart(definition: CertificateDefinition, fields: Fields): Buffer {
  const { serialNumber, dates, signerId, publicKey, issuerKeyIdentifier } = fields;
  return sequence(
    VERSION_3,
    der(TAG.integer, serialNumber),
    ALGORITHM,
    definition.issuer(signerId),
    sequence(writeDate(dates[0], 'utc'), writeDate(dates[1], definition.notAfter.form)),
    definition.subject(signerId),
    publicKey,
    der(explicit(3), sequence(...definition.extensions(publicKey, issuerKeyIdentifier))),
  );
}

const isSigned = (signed: Buffer, signature: Buffer, issuer: Buffer): boolean =>
  verify('sha256', signed, { key: openPublicKey(issuer), dsaEncoding: 'ieee-p1363' }, signature);

/** The serial number of a certificate; `compressed` holds signer id and dates already. */
function serialNumberOf(definition: CertificateDefinition, input: Omit<RebuildInput, 'issuer'>): Buffer {
  const { serialSource, serialLength } = definition;
  const { compressed, publicKey, stored, deviceSerialNumber } = input;
  const device = (): Buffer => {
    if (deviceSerialNumber?.length === 9) return deviceSerialNumber;
    throw invalid("the chip's serial number, 9 bytes, is missing");
  };
  const hashed = (of: Buffer): Buffer =>
    createHash('sha256').update(of).update(compressed.subarray(64, 67)).digest().subarray(0, serialLength);
  const withFirst = (bytes: Buffer, change: (first: number) => number): Buffer => {
    bytes[0] = change(bytes[0] ?? 0);
    return bytes;
  };
  switch (serialSource) {
    case 'stored':
    case 'stored-dynamic': {
      const serialNumber = stored?.serialNumber ?? Buffer.alloc(0);
      const isRight = serialSource === 'stored' ? serialNumber.length === serialLength : serialNumber.length <= MAX_SERIAL;
      if (!isRight || serialNumber.length === 0)
        throw invalid('the serial number that is kept beside the certificate is missing');
      return serialNumber;
    }
    case 'device-serial':
      return Buffer.concat([Buffer.of(0x40), device()]);
    case 'signer-id':
      return Buffer.concat([Buffer.of(0x40), compressed.subarray(67, 69)]);
    case 'public-key-hash':
      return withFirst(hashed(pointOfSpki(publicKey)), (first) => (first & 0x3f) | 0x40);
    case 'device-serial-hash':
      return withFirst(hashed(device()), (first) => (first & 0x3f) | 0x40);
    case 'public-key-hash-positive':
      return withFirst(hashed(pointOfSpki(publicKey)), (first) => first & 0x7f);
    case 'device-serial-hash-positive':
      return withFirst(hashed(device()), (first) => first & 0x7f);
    case 'public-key-hash-raw':
      return hashed(pointOfSpki(publicKey));
    case 'device-serial-hash-raw':
      return hashed(device());
  }
}

/** The serial number that a definition makes of the public key and the dates. Throws ElementError where it makes it of more. */
export function derivedSerialNumber(
  definition: CertificateDefinition,
  publicKey: Buffer,
  [notBefore, notAfter]: readonly [DateDigits, DateDigits],
): Buffer {
  const { bits, extension } = encodeDates(definition, notBefore, notAfter);
  const compressed = Buffer.concat([Buffer.alloc(SIGNATURE), bits, Buffer.alloc(4), Buffer.of(extension)]);
  return serialNumberOf(definition, { compressed, publicKey });
}

/** Byte 69 and byte 70. */
const identifiersOf = ({ templateId, chainId, serialSource, formatVersion }: CertificateDefinition): Buffer =>
  Buffer.of((templateId << 4) | chainId, (SERIAL_SOURCES[serialSource] << 4) | formatVersion);

function datesOf(definition: CertificateDefinition, { compressed, stored }: RebuildInput): readonly [DateDigits, DateDigits] {
  const dates = decodeDates(definition, compressed);
  if (!definition.hasStoredDates) return dates;
  if (stored?.dates === undefined) throw invalid('the dates that are kept beside the certificate are missing');
  for (const [index, form] of (['utc', definition.notAfter.form] as const).entries()) writeDate(stored.dates[index] ?? '', form);
  const { bits, extension } = encodeDates(definition, ...stored.dates);
  if (!bits.equals(compressed.subarray(64, 67)) || extension !== compressed[71])
    throw invalid('the dates that are kept beside the certificate are not those of the compressed one');
  return stored.dates;
}

/**
 * The whole certificate in DER. Throws ElementError: `invalid` where something does not belong together, `verification` where
 * the signature is not that of the issuer's key.
 */
export function rebuildCertificate(definition: CertificateDefinition, input: RebuildInput): Buffer {
  const { compressed, publicKey, issuer } = input;
  if (compressed.length !== COMPRESSED_LENGTH)
    throw invalid(`a compressed certificate has ${COMPRESSED_LENGTH} bytes, not ${compressed.length}`);
  if (!compressed.subarray(69, 71).equals(identifiersOf(definition)))
    throw invalid(`the compressed certificate is none of the definition ${definition.name}`);
  pointOfSpki(publicKey);
  if ('publicKey' in issuer) pointOfSpki(issuer.publicKey);
  const issuerKeyIdentifier = 'publicKey' in issuer ? keyIdentifier(issuer.publicKey) : issuer.keyIdentifier;
  if (issuerKeyIdentifier.length !== 20) throw invalid('a key identifier has 20 bytes');
  const dates = datesOf(definition, input);
  const signerId = compressed.toString('hex', 67, 69).toUpperCase();
  const serialNumber = serialNumberOf(definition, input);
  const signed = signedPart(definition, { serialNumber, dates, signerId, publicKey, issuerKeyIdentifier });
  const signature = compressed.subarray(0, SIGNATURE);
  if ('publicKey' in issuer && !isSigned(signed, signature, issuer.publicKey))
    throw new ElementError('verification', 'the rebuilt certificate does not verify under the key of its issuer');
  return sequence(signed, ALGORITHM, bitString(ecdsaSignature(signature)));
}

/** What is read from a certificate, before it is known whether the definition says all of it. */
interface Parsed extends Omit<Fields, 'signerId'> {
  /** Common names. */
  readonly subject: string;
  readonly issuer: string;
  readonly signature: Buffer;
}

const padded = (number: Buffer): Buffer => {
  const bytes = number.length > NUMBER && number[0] === 0 ? number.subarray(1) : number;
  if (bytes.length > NUMBER) throw invalid('the signature is none of P-256');
  return Buffer.concat([Buffer.alloc(NUMBER - bytes.length), bytes]);
};

/** The key identifier in the extension that names the issuer's key. */
function issuerKeyIn(extensions: Buffer): Buffer {
  const list = sequenceOf(extensions);
  while (list.next !== undefined) {
    const extension = list.enter(TAG.sequence);
    if (!extension.value(TAG.oid).whole.equals(oid('2.5.29.35'))) continue;
    extension.optional(TAG.boolean);
    return sequenceOf(extension.value(TAG.octetString).content).value(implicit(0)).content;
  }
  throw invalid('the certificate does not say which key has signed it');
}

function parsed(certificate: Buffer): Parsed {
  const outer = sequenceOf(certificate);
  const content = new DerReader(outer.value(TAG.sequence).content);
  outer.value(TAG.sequence);
  const numbers = sequenceOf(outer.bits());
  const signature = Buffer.concat([padded(numbers.value(TAG.integer).content), padded(numbers.value(TAG.integer).content)]);
  content.value(explicit(0));
  const serialNumber = content.value(TAG.integer).content;
  content.value(TAG.sequence);
  const [issuer = ''] = readCommonNames(content.value(TAG.sequence).whole);
  const validity = content.enter(TAG.sequence);
  const dates = [digitsOfTime(parseTime(validity.value())), digitsOfTime(parseTime(validity.value()))] as const;
  const [subject = ''] = readCommonNames(content.value(TAG.sequence).whole);
  const publicKey = content.value(TAG.sequence).whole;
  const issuerKeyIdentifier = issuerKeyIn(content.value(explicit(3)).content);
  return { serialNumber, dates, publicKey, issuerKeyIdentifier, subject, issuer, signature };
}

/**
 * Compresses a certificate in DER. Throws ElementError `invalid` where the definition does not say all of it, so that it could not
 * be rebuilt byte for byte.
 */
export function compressCertificate(
  definition: CertificateDefinition,
  certificate: Buffer,
  { deviceSerialNumber }: { readonly deviceSerialNumber?: Buffer | undefined } = {},
): CompressedCertificate {
  let fields: Parsed;
  try {
    fields = parsed(certificate);
  } catch (cause) {
    throw cause instanceof ElementError ? cause : invalid('this is no certificate in DER', cause);
  }
  const { serialNumber, dates, publicKey, issuerKeyIdentifier, signature } = fields;
  const commonName = fields[definition.signerIdIn];
  const [signerId] = /[0-9A-F]{4}$/.exec(commonName) ?? [];
  if (signerId === undefined) throw invalid(`the common name ${commonName} does not end with a signer id of four digits`);
  const { bits, extension } = encodeDates(definition, ...dates);
  const compressed = Buffer.concat([
    ...[signature, bits, Buffer.from(signerId, 'hex')],
    ...[identifiersOf(definition), Buffer.of(extension)],
  ]);
  const hasStoredSerial = definition.serialSource === 'stored' || definition.serialSource === 'stored-dynamic';
  const stored: StoredFields | undefined =
    hasStoredSerial || definition.hasStoredDates
      ? { serialNumber: hasStoredSerial ? serialNumber : Buffer.alloc(0), ...(definition.hasStoredDates && { dates }) }
      : undefined;
  const input = { compressed, publicKey, issuer: { keyIdentifier: issuerKeyIdentifier }, stored, deviceSerialNumber };
  if (!rebuildCertificate(definition, input).equals(certificate))
    throw invalid(`the certificate has something that the definition ${definition.name} does not have`);
  return { compressed, stored };
}
