/**
 * DER (X.690 section 10), as much of it as certificates and requests need: a strict, bounded reader that copies
 * nothing, and a writer. Strict means definite, minimal lengths and single-byte tags: what BER also allows is refused.
 */

/** Input that is no DER, or not the DER expected. Callers turn it into an error of their own. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Context-specific, constructed: `[n]` around a value. */
export const explicit = (n: number): number => 0xa0 | n;
/** Context-specific, primitive: `[n]` in the place of a value's own tag. */
export const implicit = (n: number): number => 0x80 | n;

export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

/** Largest length that is read: four times the largest certificate that the API lets in. */
const LARGEST = 1 << 18;

/** Reads the values of one constructed content, one behind the other. */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Tag of the next value; undefined at the end. */
  get next(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** The next value, of the given tag. */
  value(tag?: number): DerValue {
    const start = this.#at;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) throw new DerError('multi-byte tag');
    if (tag !== undefined && found !== tag) throw new DerError(`tag ${found} instead of ${tag}`);
    const length = this.#length();
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new DerError('value runs over its end');
    this.#at = from + length;
    return { tag: found, content: this.#bytes.subarray(from, this.#at), whole: this.#bytes.subarray(start, this.#at) };
  }

  /** A reader of the next value's content. */
  enter(tag: number): DerReader {
    return new DerReader(this.value(tag).content);
  }

  /** The next value when it has this tag. */
  optional(tag: number): DerValue | undefined {
    return this.next === tag ? this.value(tag) : undefined;
  }

  /** A whole number of at most six bytes. */
  number(): number {
    const { content } = this.value(TAG.integer);
    if (content.length === 0 || content.length > 6) throw new DerError('number of no or too many bytes');
    return content.readIntBE(0, content.length);
  }

  /** Content of a BIT STRING of whole bytes. */
  bits(): Buffer {
    const { content } = this.value(TAG.bitString);
    if (content[0] !== 0) throw new DerError('bit string of a broken byte');
    return content.subarray(1);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new DerError('trailing data');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new DerError('unexpected end');
    this.#at += 1;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    // 0x80 is BER's indefinite length; more than three bytes is more than LARGEST.
    if (count === 0 || count > 3) throw new DerError('length form');
    let length = 0;
    for (let i = 0; i < count; i += 1) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 2 ** (8 * (count - 1)) || length > LARGEST)
      throw new DerError('length not minimal or too large');
    return length;
  }
}

/** Content of the one SEQUENCE that `bytes` must be. */
export function sequenceOf(bytes: Buffer): DerReader {
  const outer = new DerReader(bytes);
  const inner = outer.enter(TAG.sequence);
  outer.end();
  return inner;
}

const lengthOf = (length: number): Buffer => {
  if (length < 0x80) return Buffer.of(length);
  if (length < 0x100) return Buffer.of(0x81, length);
  if (length < 0x10000) return Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
};

/** One value around the given contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

export const sequence = (...contents: readonly Uint8Array[]): Buffer => der(TAG.sequence, ...contents);

export const bitString = (bytes: Uint8Array, unused = 0): Buffer => der(TAG.bitString, Buffer.of(unused), bytes);

/** INTEGER of 0 or more, from big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const short = bytes.subarray(start);
  return (short[0] ?? 0) >= 0x80 ? der(TAG.integer, Buffer.of(0), short) : der(TAG.integer, short);
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

/** Dotted form of an object identifier's content; hexadecimal where it is not as DER writes it, or has huge numbers. */
export function readOid(content: Buffer): string {
  if (content.length === 0) throw new DerError('empty object identifier');
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...rest] = arcs;
  const root = Math.min(2, Math.floor(first / 40));
  const dotted = [root, first - root * 40, ...rest].join('.');
  return arcs.every(Number.isSafeInteger) && oid(dotted).equals(der(TAG.oid, content)) ? dotted : content.toString('hex');
}

const digits = (date: Date): string => `${date.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;

/** A date as certificates carry it: UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5). */
export function time(milliseconds: number): Buffer {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  return year >= 1950 && year < 2050
    ? der(TAG.utcTime, Buffer.from(digits(date).slice(2), 'latin1'))
    : der(TAG.generalizedTime, Buffer.from(digits(date), 'latin1'));
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d\d\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Milliseconds since the epoch of a certificate's date. */
export function parseTime({ tag, content }: DerValue): number {
  if (content.length > 15 || (tag !== TAG.utcTime && tag !== TAG.generalizedTime)) throw new DerError('no date');
  const found = (tag === TAG.utcTime ? UTC_TIME : GENERALIZED_TIME).exec(content.toString('latin1'));
  if (found === null) throw new DerError('date form');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1).map(Number);
  const full = tag === TAG.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(0);
  date.setUTCFullYear(full, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59)
    throw new DerError('no such date');
  return date.getTime();
}
