/**
 * Structures of PKCS #11 in memory as Linux and macOS lay them out: CK_ULONG is `unsigned long`, members have their natural
 * alignment (PKCS #11 base 2.40 section 2.1; Windows packs them otherwise). All that one call needs is in one buffer, whose
 * address stays the same for as long as the buffer is held.
 */
import { NativeFault } from './native-fault.ts';

/** A value of an attribute: bytes as they are, a number as CK_ULONG, a truth as CK_BBOOL. */
export type AttributeValue = Buffer | number | boolean;

export interface AttributeInput {
  readonly type: number;
  readonly value: AttributeValue;
}

/** A number of a module's own: a slot, a session, an object. It may be any CK_ULONG. */
export type Handle = number | bigint;

export interface Layout {
  /** Bytes of CK_ULONG, 4 or 8; a pointer has as many wherever `unsigned long` is as long as a pointer. */
  readonly word: number;
  addressOf(buffer: Buffer): bigint;
}

/** An attribute that is not there or may not be read has this length (CK_UNAVAILABLE_INFORMATION). */
const UNAVAILABLE = { 4: 0xffff_ffffn, 8: 0xffff_ffff_ffff_ffffn } as const;

/** Longest attribute that is read. */
const MAX_ATTRIBUTE = 131_072;

export function putWord({ word }: Layout, into: Buffer, at: number, value: Handle): void {
  if (word === 8) into.writeBigUInt64LE(BigInt(value), at);
  else into.writeUInt32LE(Number(value), at);
}

export function wordAt({ word }: Layout, from: Buffer, at: number): Handle {
  if (word === 4) return from.readUInt32LE(at);
  const value = from.readBigUInt64LE(at);
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

function bytesOf(layout: Layout, value: AttributeValue): Buffer {
  if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
  if (typeof value !== 'number') return value;
  const bytes = Buffer.alloc(layout.word);
  putWord(layout, bytes, 0, value);
  return bytes;
}

/** An array of CK_ATTRIBUTE (type, address, length: a word each), with the values behind it. */
export function template(layout: Layout, attributes: readonly AttributeInput[]): Buffer {
  const { word } = layout;
  const values = attributes.map(({ value }) => bytesOf(layout, value));
  const head = attributes.length * 3 * word;
  const whole = Buffer.alloc(head + values.reduce((sum, { length }) => sum + length, 0) + 1);
  const base = layout.addressOf(whole);
  let at = head;
  for (const [index, value] of values.entries()) {
    const entry = index * 3 * word;
    putWord(layout, whole, entry, attributes[index]?.type ?? 0);
    putWord(layout, whole, entry + word, base + BigInt(at));
    putWord(layout, whole, entry + 2 * word, value.length);
    value.copy(whole, at);
    at += value.length;
  }
  return whole;
}

/** An array of CK_ATTRIBUTE that asks for the lengths, or (with `lengths`) has room for the values. */
export function question(layout: Layout, types: readonly number[], lengths?: readonly (number | undefined)[]): Buffer {
  if (lengths !== undefined)
    return template(
      layout,
      types.map((type, index) => ({ type, value: Buffer.alloc(lengths[index] ?? 0) })),
    );
  const { word } = layout;
  const whole = Buffer.alloc(types.length * 3 * word);
  for (const [index, type] of types.entries()) putWord(layout, whole, index * 3 * word, type);
  return whole;
}

/** Lengths that a module has put into such an array; undefined where it has no such attribute or keeps it to itself. */
export function lengthsIn(layout: Layout, whole: Buffer, count: number): (number | undefined)[] {
  const { word } = layout;
  return Array.from({ length: count }, (_, index) => {
    const length = wordAt(layout, whole, index * 3 * word + 2 * word);
    if (BigInt(length) === UNAVAILABLE[word as 4 | 8]) return undefined;
    if (length > MAX_ATTRIBUTE) throw new NativeFault('failed', `the module has an attribute of ${length} bytes`);
    return Number(length);
  });
}

/** Values that a module has put into such an array with room for `lengths`. */
export function valuesIn(layout: Layout, whole: Buffer, lengths: readonly (number | undefined)[]): (Buffer | undefined)[] {
  const found = lengthsIn(layout, whole, lengths.length);
  let at = lengths.length * 3 * layout.word;
  return lengths.map((room = 0, index) => {
    const length = found[index];
    const begin = at;
    at += room;
    if (length !== undefined && length > room) throw new NativeFault('failed', 'the module has written past its room');
    return length === undefined ? undefined : Buffer.from(whole.subarray(begin, begin + length));
  });
}

/** CK_MECHANISM: mechanism, address and length of its parameter, with the parameter behind it. */
export function mechanism(layout: Layout, type: number, parameter: Buffer = Buffer.alloc(0)): Buffer {
  return template(layout, [{ type, value: parameter }]);
}

/** Text of a fixed length, padded with blanks. */
export const paddedText = (bytes: Buffer): string => bytes.toString('utf8').replace(/[ \0]+$/, '');
