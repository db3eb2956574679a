/** The string types that names are made of (X.520 and RFC 5280, appendix A.1): what each can hold, and its bytes. */
import { DerError } from './der.ts';

interface StringForm {
  readonly tag: number;
  /** What the type can hold. */
  readonly holds: RegExp;
  readonly encode: (text: string) => Buffer;
  readonly decode: (bytes: Buffer) => string;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const MAX_CODE_POINT = 0x10ffff;

const latin1 = (tag: number, holds: RegExp): StringForm => ({
  tag,
  holds,
  encode: (text) => Buffer.from(text, 'latin1'),
  decode: (bytes) => bytes.toString('latin1'),
});

/** Bytes of `width` for each number, the highest first. */
const bigEndian = (numbers: readonly number[], width: number): Buffer => {
  const bytes = Buffer.alloc(numbers.length * width);
  for (const [i, each] of numbers.entries()) bytes.writeUIntBE(each, i * width, width);
  return bytes;
};

function codePointsOf(bytes: Buffer): number[] {
  if (bytes.length % 4 !== 0) throw new DerError('string of a broken character');
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32BE(i * 4));
}

const FORMS = {
  utf8String: {
    tag: 0x0c,
    holds: /^\P{Surrogate}*$/u,
    encode: (text) => Buffer.from(text, 'utf8'),
    decode: (bytes) => UTF8.decode(bytes),
  },
  numericString: latin1(0x12, /^[0-9 ]*$/),
  printableString: latin1(0x13, /^[A-Za-z0-9 '()+,\-./:=?]*$/),
  // T.61 has character sets that are switched; Latin-1 is what programs write and read in it (RFC 5280, appendix A.1).
  teletexString: latin1(0x14, /^[^\u0100-\uffff]*$/),
  ia5String: latin1(0x16, /^[^\u0080-\uffff]*$/),
  universalString: {
    tag: 0x1c,
    holds: /^\P{Surrogate}*$/u,
    encode: (text) =>
      bigEndian(
        [...text].map((each) => each.codePointAt(0) ?? 0),
        4,
      ),
    decode: (bytes) =>
      codePointsOf(bytes)
        .map((each) => {
          if (each > MAX_CODE_POINT) throw new DerError('no such character');
          return String.fromCodePoint(each);
        })
        .join(''),
  },
  bmpString: {
    tag: 0x1e,
    holds: /^[^\ud800-\udfff]*$/,
    encode: (text) =>
      bigEndian(
        Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)),
        2,
      ),
    decode: (bytes) => {
      if (bytes.length % 2 !== 0) throw new DerError('string of a broken character');
      return Buffer.from(bytes).swap16().toString('utf16le');
    },
  },
} as const satisfies Readonly<Record<string, StringForm>>;

export type StringType = keyof typeof FORMS;

const BY_TAG = new Map<number, StringForm>(Object.values(FORMS).map((form) => [form.tag, form]));

/** Tag and content of a text as this type; undefined where the type can't hold it. */
export function encodeString(type: StringType, text: string): { tag: number; content: Buffer } | undefined {
  const form: StringForm = FORMS[type];
  return form.holds.test(text) ? { tag: form.tag, content: form.encode(text) } : undefined;
}

/** The text of a value; undefined where its tag is no string's. Throws DerError where the bytes are not the type's. */
export function decodeString(tag: number, content: Buffer): string | undefined {
  try {
    return BY_TAG.get(tag)?.decode(content);
  } catch (cause) {
    throw cause instanceof DerError ? cause : new DerError('string', { cause });
  }
}
