/**
 * Reads the values of certificate variables from DER: serial number, names and alternative names. Never from
 * printed names, whose separators a certificate can forge (CVE-2021-44532). RFC 5280 sections 4.1 and 4.2.1.6.
 */
import { DerError, type DerReader, type DerValue, explicit, implicit, readOid, sequenceOf, TAG } from '@thingkeep/x509/der.ts';
import { readDistinguishedName } from '@thingkeep/x509/names.ts';

/** Values by the name that the policy variable has, in the order of the certificate. */
export type NameValues = ReadonlyMap<string, readonly string[]>;

export interface CertificateNames {
  /** As a decimal integer: developer guide, page use-policy-variables. */
  readonly serialNumber: string;
  readonly issuer: NameValues;
  readonly subject: NameValues;
  readonly issuerAlternative: NameValues;
  readonly subjectAlternative: NameValues;
}

const LARGEST_CERTIFICATE = 65_536;
/** RFC 5280 section 4.1.2.2 allows 20 octets. */
const LONGEST_SERIAL = 64;
const MAX_NAMES = 100;
const MAX_EXTENSIONS = 100;
/** "Certificate attributes that contain arrays are limited to five items. Additional items are ignored." */
const MAX_VALUES = 5;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const UTF16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true });
const latin1 = (content: Buffer): string => content.toString('latin1');

/** A directory string in any of its types; undefined for a value of no string type. */
function directoryString({ tag, content }: Pick<DerValue, 'tag' | 'content'>): string | undefined {
  try {
    switch (tag) {
      case 0x0c: // UTF8String
        return UTF8.decode(content);
      case 0x1e: // BMPString
        return UTF16.decode(content);
      case 0x12: // NumericString
      case 0x13: // PrintableString: some devices put more into it than its alphabet
      case 0x14: // TeletexString
      case 0x16: // IA5String
      case 0x1a: // VisibleString
        return latin1(content);
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

/** Object identifier of an attribute -> its name in policy variables, and in a printed directory name. RFC 4519, RFC 5280. */
const ATTRIBUTES = new Map<string, readonly [variable: string, short: string]>([
  ['2.5.4.3', ['CommonName', 'cn']],
  ['2.5.4.4', ['Surname', 'sn']],
  ['2.5.4.5', ['SerialNumber', 'serialNumber']],
  ['2.5.4.6', ['Country', 'c']],
  ['2.5.4.7', ['', 'l']],
  ['2.5.4.8', ['State', 'st']],
  ['2.5.4.10', ['Organization', 'o']],
  ['2.5.4.11', ['OrganizationalUnit', 'ou']],
  ['2.5.4.12', ['Title', 'title']],
  ['2.5.4.42', ['GivenName', 'givenName']],
  ['2.5.4.43', ['Initials', 'initials']],
  ['2.5.4.44', ['GenerationQualifier', 'generationQualifier']],
  ['2.5.4.46', ['DistinguishedNameQualifier', 'dnQualifier']],
  ['2.5.4.65', ['Pseudonym', 'pseudonym']],
]);

interface Attribute {
  readonly type: string;
  readonly value: string;
}

/**
 * Characters that get a backslash: developer guide, page use-policy-variables, "Special Characters". So the one RDN of
 * AWS's own issuer reads `Amazon Web Services O\=Amazon.com Inc. L\=Seattle ST\=Washington C\=US`.
 */
const SPECIAL = /[,"\\+=<>;]/g;

function attributes(name: Buffer): readonly Attribute[] {
  return readDistinguishedName(name).flatMap(({ type, tag, content }) => {
    const text = directoryString({ tag, content });
    return text === undefined ? [] : [{ type, value: text.replace(SPECIAL, '\\$&') }];
  });
}

const add = (values: Map<string, string[]>, name: string, value: string): void => {
  const list = values.get(name);
  if (list === undefined) values.set(name, [value]);
  else if (list.length < MAX_VALUES) list.push(value);
};

function nameValues(name: Buffer): NameValues {
  const values = new Map<string, string[]>();
  for (const { type, value } of attributes(name)) {
    const [variable] = ATTRIBUTES.get(type) ?? [''];
    if (variable !== '') add(values, variable, value);
  }
  return values;
}

/** Most specific first, as the developer guide prints `cn=LightBulbCert,ou=SmartHome,o=IoT,c=US`. */
const printedName = (name: Buffer): string =>
  attributes(name)
    .map(({ type, value }) => `${ATTRIBUTES.get(type)?.[1] ?? type}=${value}`)
    .reverse()
    .join(',');

function printedAddress(octets: Buffer): string | undefined {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => (octets[2 * index] ?? 0) * 256 + (octets[2 * index + 1] ?? 0));
  return groups.map((group) => group.toString(16)).join(':');
}

function alternativeNames(names: Buffer | undefined): NameValues {
  const values = new Map<string, string[]>();
  if (names === undefined) return values;
  const list = sequenceOf(names);
  for (let count = 0; list.next !== undefined; count += 1) {
    if (count === MAX_NAMES) throw new DerError('too many names');
    const { tag, content } = list.value();
    if (tag === implicit(1)) add(values, 'RFC822Name', latin1(content));
    else if (tag === implicit(2)) add(values, 'DNSName', latin1(content));
    else if (tag === explicit(4)) add(values, 'DirectoryName', printedName(content));
    else if (tag === implicit(6)) add(values, 'UniformResourceIdentifier', latin1(content));
    else if (tag === implicit(7)) {
      const address = printedAddress(content);
      if (address !== undefined) add(values, 'IPAddress', address);
    }
  }
  return values;
}

/**
 * Alternative names; none where they can't be read: the names of subject and issuer, and the serial number, count all the same.
 */
function readable(names: Buffer | undefined): NameValues {
  try {
    return alternativeNames(names);
  } catch (error) {
    if (error instanceof DerError) return NO_NAMES;
    throw error;
  }
}

const NO_NAMES: NameValues = new Map();

function decimal(integer: Buffer): string {
  if (integer.length === 0 || integer.length > LONGEST_SERIAL) throw new DerError('serial number');
  return BigInt.asIntN(integer.length * 8, BigInt(`0x${integer.toString('hex')}`)).toString();
}

const SUBJECT_ALTERNATIVE = '2.5.29.17';
const ISSUER_ALTERNATIVE = '2.5.29.18';

/** Extensions by their id. RFC 5280 section 4.2: one instance of an extension at most. */
function extensions(list: DerReader): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  while (list.next !== undefined) {
    const each = list.enter(TAG.sequence);
    const id = readOid(each.value(TAG.oid).content);
    each.optional(TAG.boolean);
    if (found.size === MAX_EXTENSIONS || found.has(id)) throw new DerError('extensions');
    found.set(id, each.value(TAG.octetString).content);
    each.end();
  }
  return found;
}

const NO_EXTENSIONS: ReadonlyMap<string, Buffer> = new Map();

/** The names in a certificate, or undefined when its DER can't be read: then every certificate variable is unresolved. */
export function readCertificateNames(der: Uint8Array): CertificateNames | undefined {
  if (der.length > LARGEST_CERTIFICATE) return undefined;
  try {
    const signed = sequenceOf(Buffer.from(der.buffer, der.byteOffset, der.length)).enter(TAG.sequence);
    signed.optional(explicit(0));
    const serial = signed.value(TAG.integer).content;
    signed.value(TAG.sequence);
    const issuer = signed.value(TAG.sequence).whole;
    signed.value(TAG.sequence);
    const subject = signed.value(TAG.sequence).whole;
    signed.value(TAG.sequence);
    signed.optional(implicit(1));
    signed.optional(implicit(2));
    const list = signed.optional(explicit(3));
    signed.end();
    const extended = list === undefined ? NO_EXTENSIONS : extensions(sequenceOf(list.content));
    return {
      serialNumber: decimal(serial),
      issuer: nameValues(issuer),
      subject: nameValues(subject),
      issuerAlternative: readable(extended.get(ISSUER_ALTERNATIVE)),
      subjectAlternative: readable(extended.get(SUBJECT_ALTERNATIVE)),
    };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
