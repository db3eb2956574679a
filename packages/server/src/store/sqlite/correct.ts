/**
 * Finds the one bit whose flip makes a record fit its checksum again. A CRC tells single flipped bits from each other, so
 * what is found is what was written, unless several bits were damaged at once: then one record in a million of 4 KB would
 * be corrected to something else, and the caller looks whether it belongs under its key.
 */
import { seedOf, sumOf, VALUE_RANGE } from './checksums.ts';

export interface Content {
  readonly value: Buffer;
  readonly sum: number;
}

export interface Whole extends Content {
  readonly collection: string;
  readonly key: Buffer;
}

/** What one zero byte behind it makes of a checksum's difference (reflected polynomial of CRC-32). */
const STEP = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** The bit of `bytes` that changes their CRC-32 by `difference`: its place in bits from the beginning. */
function findBit(bytes: number, difference: number): number | undefined {
  const changes = Array.from({ length: 8 }, (_, bit) => STEP[1 << bit] ?? 0);
  for (let at = bytes - 1; at >= 0; at -= 1)
    for (let bit = 0; bit < 8; bit += 1) {
      const change = changes[bit] ?? 0;
      if (change === difference) return at * 8 + bit;
      changes[bit] = ((change >>> 8) ^ (STEP[change & 0xff] ?? 0)) >>> 0;
    }
  return undefined;
}

const flip = (bytes: Buffer, place: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[place >>> 3] = (copy[place >>> 3] ?? 0) ^ (1 << (place & 7));
  return copy;
};

/** Every form of the bytes with one bit flipped. */
function* flips(bytes: Buffer): Generator<Buffer> {
  for (let place = 0; place < bytes.length * 8; place += 1) yield flip(bytes, place);
}

/** The value, or the checksum, that fits a name, whose checksum begins with `seed`. */
export function correctContent(seed: number, name: string | Buffer, { value, sum }: Content): Content | undefined {
  const right = sumOf(seed, name, value);
  const difference = ((right % VALUE_RANGE) ^ (sum % VALUE_RANGE)) >>> 0;
  if (difference === 0) return { value, sum: right };
  if (Math.floor(right / VALUE_RANGE) !== Math.floor(sum / VALUE_RANGE)) return undefined;
  // One bit of the checksum itself.
  if ((difference & (difference - 1)) === 0) return { value, sum: right };
  const place = findBit(value.length, difference);
  return place === undefined ? undefined : { value: flip(value, place), sum };
}

/** The record as it was written; undefined where more than one bit is damaged. */
export function correct({ collection, key, value, sum }: Whole): Whole | undefined {
  const found = correctContent(seedOf(collection), key, { value, sum });
  if (found !== undefined) return { collection, key, ...found };
  for (const other of flips(key))
    if (sumOf(seedOf(collection), other, value) === sum) return { collection, key: other, value, sum };
  for (const other of flips(Buffer.from(collection, 'latin1'))) {
    const name = other.toString('latin1');
    if (sumOf(seedOf(name), key, value) === sum) return { collection: name, key, value, sum };
  }
  return undefined;
}
