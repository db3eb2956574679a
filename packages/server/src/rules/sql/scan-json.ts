/**
 * A look over the bytes of a JSON text before it is parsed: does it have numbers that `JSON.parse` would spoil, may it nest too
 * deep?
 */
import { SQL_LIMITS } from './limits.ts';

/** A number that is something else as a double: an exponent, 16 digits and more, a very small one. */
export const LONG_NUMBER = 1;
/** A Decimal that ends in a zero, which 2015-10-08 keeps. */
export const WRITTEN_ZERO = 2;
/** More brackets are opened, also in texts, than levels are allowed. */
export const MANY_BRACKETS = 4;

const LONGEST_SAFE = 15;
const ZERO = 0x30;
const POINT = 0x2e;
/** Zeros behind the point of a number that is written with an exponent. */
const SMALL_ZEROS = 6;

const OTHER = 0;
const DIGIT = 1;
const OPENER = 2;
const EXPONENT = 3;

/** What each byte can be part of: a look at a table costs less than comparisons. */
const KINDS = new Uint8Array(256);
for (const byte of Buffer.from('.0123456789')) KINDS[byte] = DIGIT;
for (const byte of Buffer.from('[{')) KINDS[byte] = OPENER;
for (const byte of Buffer.from('eE')) KINDS[byte] = EXPONENT;

/** What may stand before a number: nothing, white space, and `:` `[` `,`, with a minus between. */
function beginsNumber(bytes: Buffer, start: number): boolean {
  const before = bytes[start - 1] === 0x2d ? start - 2 : start - 1;
  const byte = bytes[before];
  return byte === undefined || byte <= 0x20 || byte === 0x3a || byte === 0x5b || byte === 0x2c;
}

/** Whether the digits from `start` on are 0.000000. */
function isSmall(bytes: Buffer, start: number): boolean {
  if (bytes[start] !== ZERO || bytes[start + 1] !== POINT) return false;
  for (let at = start + 2; at < start + 2 + SMALL_ZEROS; at += 1) if (bytes[at] !== ZERO) return false;
  return true;
}

/** Classifies the run of digits and points from `start` to `end`. */
function numberFlags(bytes: Buffer, start: number, end: number, kind: number): number {
  if (!beginsNumber(bytes, start)) return 0;
  if (kind === EXPONENT || end - start > LONGEST_SAFE || isSmall(bytes, start)) return LONG_NUMBER;
  if (bytes[end - 1] !== ZERO) return 0;
  for (let at = start + 1; at < end; at += 1) if (bytes[at] === POINT) return WRITTEN_ZERO;
  return 0;
}

/** Flags that are set where the answer is yes, or may be. Every message pays for this: one pass, nothing allocated. */
export function scanJson(bytes: Buffer): number {
  let flags = 0;
  let run = 0;
  let opened = 0;
  const { length } = bytes;
  for (let at = 0; at < length; at += 1) {
    const kind = KINDS[bytes[at] as number] as number;
    if (kind === DIGIT) {
      run += 1;
      continue;
    }
    if (run > 0) {
      if (run > 2 + SMALL_ZEROS || kind === EXPONENT || bytes[at - 1] === ZERO) flags |= numberFlags(bytes, at - run, at, kind);
      run = 0;
    }
    if (kind === OPENER) opened += 1;
  }
  if (run > 0) flags |= numberFlags(bytes, length - run, length, OTHER);
  return opened > SQL_LIMITS.payloadDepth ? flags | MANY_BRACKETS : flags;
}

/** Levels of objects and arrays. */
export function depth(bytes: Buffer): number {
  let now = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (quoted) {
      if (byte === 0x5c) at += 1;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x7b || byte === 0x5b) {
      now += 1;
      if (now > deepest) deepest = now;
    } else if (byte === 0x7d || byte === 0x5d) now -= 1;
  }
  return deepest;
}
