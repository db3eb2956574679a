/**
 * Reads from a certificate's DER what policies may ask of it: serial number, names and alternative names. Never from
 * printed names, whose separators a certificate can forge (CVE-2021-44532). RFC 5280 sections 4.1 and 4.2.1.6; X.690.
 */

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
const MAX_ATTRIBUTES = 100;
/** "Certificate attributes that contain arrays are limited to five items. Additional items are ignored." */
const MAX_VALUES = 5;

class Malformed extends Error {}

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The elements of a constructed value, at most `most`. */
function elements(der: Uint8Array, most: number): readonly Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length; ) {
    const tag = der[at] ?? 0;
    let length = der[at + 1] ?? 0;
    let start = at + 2;
    // No name or extension has a tag of more than one octet, or a length of indefinite form.
    if ((tag & 0x1f) === 0x1f || found.length === most) throw new Malformed();
    if (length > 0x7f) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 3) throw new Malformed();
      length = 0;
      for (let octet = 0; octet < octets; octet += 1) length = length * 256 + (der[start + octet] ?? 0);
      start += octets;
    }
    if (start + length > der.length) throw new Malformed();
    found.push({ tag, content: der.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OID = 0x06;
const SEQUENCE = 0x30;
const SET = 0x31;

const expect = (element: Element | undefined, tag: number): Uint8Array => {
  if (element?.tag !== tag) throw new Malformed();
  return element.content;
};

function oid(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of content) {
    arc = arc * 128 + (octet & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new Malformed();
    if (octet < 0x80) {
      if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
      else arcs.push(arc);
      arc = 0;
    }
  }
  return arcs.join('.');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const UTF16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true });
const latin1 = (content: Uint8Array): string => Buffer.from(content).toString('latin1');

/** A directory string in any of its types; undefined for what is no text. */
function directoryString({ tag, content }: Element): string | undefined {
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

function attributes(name: Uint8Array): readonly Attribute[] {
  const found: Attribute[] = [];
  for (const rdn of elements(name, MAX_ATTRIBUTES)) {
    for (const pair of elements(expect(rdn, SET), MAX_ATTRIBUTES)) {
      const [type, value] = elements(expect(pair, SEQUENCE), 2);
      if (found.length === MAX_ATTRIBUTES || value === undefined) throw new Malformed();
      const text = directoryString(value);
      if (text !== undefined) found.push({ type: oid(expect(type, OID)), value: text.replace(SPECIAL, '\\$&') });
    }
  }
  return found;
}

const add = (values: Map<string, string[]>, name: string, value: string): void => {
  const list = values.get(name);
  if (list === undefined) values.set(name, [value]);
  else if (list.length < MAX_VALUES) list.push(value);
};

function nameValues(name: Uint8Array): NameValues {
  const values = new Map<string, string[]>();
  for (const { type, value } of attributes(name)) {
    const [variable] = ATTRIBUTES.get(type) ?? [''];
    if (variable !== '') add(values, variable, value);
  }
  return values;
}

/** Most specific first, as the developer guide prints `cn=LightBulbCert,ou=SmartHome,o=IoT,c=US`. */
const printedName = (name: Uint8Array): string =>
  attributes(name)
    .map(({ type, value }) => `${ATTRIBUTES.get(type)?.[1] ?? type}=${value}`)
    .reverse()
    .join(',');

function printedAddress(octets: Uint8Array): string | undefined {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => (octets[2 * index] ?? 0) * 256 + (octets[2 * index + 1] ?? 0));
  return groups.map((group) => group.toString(16)).join(':');
}

function alternativeNames(names: Uint8Array | undefined): NameValues {
  const values = new Map<string, string[]>();
  if (names === undefined) return values;
  const [sequence] = elements(names, 1);
  for (const { tag, content } of elements(expect(sequence, SEQUENCE), MAX_ATTRIBUTES)) {
    if (tag === 0x81) add(values, 'RFC822Name', latin1(content));
    else if (tag === 0x82) add(values, 'DNSName', latin1(content));
    else if (tag === 0xa4) add(values, 'DirectoryName', printedName(expect(elements(content, 1)[0], SEQUENCE)));
    else if (tag === 0x86) add(values, 'UniformResourceIdentifier', latin1(content));
    else if (tag === 0x87) {
      const address = printedAddress(content);
      if (address !== undefined) add(values, 'IPAddress', address);
    }
  }
  return values;
}

function decimal(integer: Uint8Array): string {
  if (integer.length === 0 || integer.length > LONGEST_SERIAL) throw new Malformed();
  return BigInt.asIntN(integer.length * 8, BigInt(`0x${Buffer.from(integer).toString('hex')}`)).toString();
}

const SUBJECT_ALTERNATIVE = '2.5.29.17';
const ISSUER_ALTERNATIVE = '2.5.29.18';
const EXTENSIONS = 0xa3;
const VERSION = 0xa0;

function extensions(body: readonly Element[]): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const wrapper = body.find((element) => element.tag === EXTENSIONS);
  if (wrapper === undefined) return found;
  for (const extension of elements(expect(elements(wrapper.content, 1)[0], SEQUENCE), MAX_ATTRIBUTES)) {
    const parts = elements(expect(extension, SEQUENCE), 3);
    const id = oid(expect(parts[0], OID));
    // RFC 5280 section 4.2: one instance of an extension at most.
    if (found.has(id)) throw new Malformed();
    found.set(id, expect(parts.at(-1), OCTET_STRING));
  }
  return found;
}

/** The names in a certificate, or undefined when its DER can't be read: then every certificate variable is unresolved. */
export function readCertificateNames(der: Uint8Array): CertificateNames | undefined {
  if (der.length > LARGEST_CERTIFICATE) return undefined;
  try {
    const [certificate] = elements(der, 1);
    const [signed] = elements(expect(certificate, SEQUENCE), 3);
    const all = elements(expect(signed, SEQUENCE), 10);
    const body = all[0]?.tag === VERSION ? all.slice(1) : all;
    const [serial, , issuer, , subject] = body;
    const extended = extensions(body);
    return {
      serialNumber: decimal(expect(serial, INTEGER)),
      issuer: nameValues(expect(issuer, SEQUENCE)),
      subject: nameValues(expect(subject, SEQUENCE)),
      issuerAlternative: alternativeNames(extended.get(ISSUER_ALTERNATIVE)),
      subjectAlternative: alternativeNames(extended.get(SUBJECT_ALTERNATIVE)),
    };
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
