/**
 * Distinguished names (X.501), written from attributes and read. A name that is carried over byte for byte is only made
 * sure to be one: its strings may hold what they like.
 */
import { der, DerError, oid, readOid, sequence, sequenceOf, TAG } from './der.ts';
import { encodeString, type StringType } from './strings.ts';

/** Attribute types by their short names (RFC 4514 section 3, and those that openssl has besides). */
const TYPES = {
  CN: '2.5.4.3',
  SN: '2.5.4.4',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  GN: '2.5.4.42',
  dnQualifier: '2.5.4.46',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

export type AttributeType = keyof typeof TYPES;

export const isAttributeType = (text: string): text is AttributeType => Object.hasOwn(TYPES, text);

/** Types that have one string type alone (RFC 5280, appendix A.1); all others are written in UTF-8. */
const STRINGS: Partial<Readonly<Record<AttributeType, StringType>>> = {
  C: 'printableString',
  serialNumber: 'printableString',
  dnQualifier: 'printableString',
  DC: 'ia5String',
  emailAddress: 'ia5String',
};

export interface NameAttribute {
  readonly type: AttributeType;
  readonly value: string;
  /** Absent: the type's own, or UTF8String. */
  readonly string?: StringType;
}

/** A name that can't be written; the message says why. */
export class NameError extends Error {
  override readonly name = 'NameError';
}

function writeAttribute({ type, value, string = STRINGS[type] ?? 'utf8String' }: NameAttribute): Buffer {
  if (value === '') throw new NameError(`${type} is empty`);
  const encoded = encodeString(string, value);
  if (encoded === undefined) throw new NameError(`${type} holds a character that ${string} does not have`);
  return sequence(oid(TYPES[type]), der(encoded.tag, encoded.content));
}

/** One attribute, or several that stand beside each other. */
export type RelativeName = NameAttribute | readonly NameAttribute[];

/** DER of a name: a sequence of relative names. */
export function distinguishedName(...names: readonly RelativeName[]): Buffer {
  return sequence(
    ...names.map((name) => {
      const attributes = [name].flat().map(writeAttribute);
      if (attributes.length === 0) throw new NameError('a relative name has no attribute');
      // The members of a SET are in the order of their bytes (X.690 section 11.6).
      return der(TAG.set, ...attributes.sort(Buffer.compare));
    }),
  );
}

export const commonNameOnly = (commonName: string): Buffer => distinguishedName({ type: 'CN', value: commonName });

/** An attribute as it was read. */
export interface ReadAttribute {
  /** Dotted object identifier. */
  readonly type: string;
  readonly tag: number;
  readonly content: Buffer;
}

/** More attributes than any real name has. */
const MAX_ATTRIBUTES = 64;

/** The attributes of `name` (a whole SEQUENCE), in order. Throws DerError where it is no name. */
export function readDistinguishedName(name: Buffer): ReadAttribute[] {
  const found: ReadAttribute[] = [];
  const names = sequenceOf(name);
  while (names.next !== undefined) {
    const set = names.enter(TAG.set);
    do {
      if (found.length === MAX_ATTRIBUTES) throw new DerError('name too long');
      const attribute = set.enter(TAG.sequence);
      const type = attribute.value(TAG.oid).content;
      const { tag, content } = attribute.value();
      attribute.end();
      found.push({ type: readOid(type), tag, content });
    } while (set.next !== undefined);
  }
  return found;
}

/** The values of the common names of `name`, as UTF-8 whatever type of string they are. */
export const readCommonNames = (name: Buffer): string[] =>
  readDistinguishedName(name).flatMap(({ type, content }) => (type === TYPES.CN ? [content.toString('utf8')] : []));
