/**
 * Tuples as byte strings whose memcmp order is the tuples' order, so that any ordered engine can keep them.
 * A string is 0x02, its UTF-8 bytes with 0x00 written as 0x00 0xFF, and 0x00; a number is 0x01 and its big-endian
 * double (numbers of 0 or more order by their bits). Every part ends itself, so tuples may be joined.
 */
import type { Key, KeyPart } from './contract.ts';

const NUMBER = 0x01;
const STRING = 0x02;

const encodeText = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'utf8');
  if (!bytes.includes(0)) return bytes;
  const escaped: number[] = [];
  for (const byte of bytes) byte === 0 ? escaped.push(0, 0xff) : escaped.push(byte);
  return Buffer.from(escaped);
};

const encodePart = (part: KeyPart): Buffer => {
  if (typeof part === 'string') return Buffer.concat([Buffer.of(STRING), encodeText(part), Buffer.of(0)]);
  if (!(part >= 0 && Number.isFinite(part))) throw new RangeError(`a key holds numbers of 0 or more, not ${part}`);
  const bytes = Buffer.alloc(9, NUMBER);
  bytes.writeDoubleBE(part, 1);
  return bytes;
};

/** Where keys are put together: one copy leaves it. */
const scratch = Buffer.allocUnsafeSlow(8192);

/** Writes a part into the scratch at `at` and gives where it ends; undefined for one that needs more room, or escapes. */
function writePart(part: KeyPart, at: number): number | undefined {
  if (typeof part !== 'string') return at + 9 > scratch.length ? undefined : at + encodePart(part).copy(scratch, at);
  // A UTF-16 code unit is three bytes at most.
  if (at + 3 * part.length + 2 > scratch.length || part.includes('\0')) return undefined;
  scratch[at] = STRING;
  const end = at + 1 + scratch.write(part, at + 1, 'utf8');
  scratch[end] = 0;
  return end + 1;
}

export function encodeKey(key: Key): Buffer {
  let at = 0;
  for (const part of key) {
    const end = writePart(part, at);
    if (end === undefined) return Buffer.concat(key.map(encodePart));
    at = end;
  }
  return Buffer.from(scratch.subarray(0, at));
}

/** The tuple that was encoded, as far as the bytes are one: for telling a person which record is meant. */
export function decodeKey(bytes: Uint8Array): Key {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const key: KeyPart[] = [];
  for (let at = 0; at < buffer.length; ) {
    if (buffer[at] === NUMBER && at + 9 <= buffer.length) {
      key.push(buffer.readDoubleBE(at + 1));
      at += 9;
      continue;
    }
    if (buffer[at] !== STRING) return [...key, buffer.toString('latin1', at)];
    let end = at + 1;
    while (end < buffer.length && !(buffer[end] === 0 && buffer[end + 1] !== 0xff)) end += buffer[end] === 0 ? 2 : 1;
    const text = buffer.toString('latin1', at + 1, end).replaceAll('\0\xff', '\0');
    key.push(Buffer.from(text, 'latin1').toString('utf8'));
    at = end + 1;
  }
  return key;
}

/** The first bytes of every key that begins with `prefix` and whose next part is a string that begins with `text`. */
export const encodePrefix = (prefix: Key, text?: string): Buffer =>
  text === undefined ? encodeKey(prefix) : Buffer.concat([encodeKey(prefix), Buffer.of(STRING), encodeText(text)]);

/** The smallest byte string above all that begin with `prefix`; undefined when there is none. */
export function successor(prefix: Uint8Array): Buffer | undefined {
  for (let end = prefix.length - 1; end >= 0; end -= 1) {
    const byte = prefix[end] ?? 0xff;
    if (byte < 0xff) return Buffer.concat([prefix.subarray(0, end), Buffer.of(byte + 1)]);
  }
  return undefined;
}
