/**
 * Variable Byte Integers (MQTT 5 section 1.5.5; the remaining length of MQTT 3.1.1, section 2.2.3): written, and read again
 * from packets that have been parsed. Bytes from outside are read by a Cursor, which checks them; here a number that its
 * bytes do not end, such as one of a damaged row, ends behind the last byte.
 */

/** Bytes that a number takes in its shortest form. */
export const varintSize = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4);

/** Writes a number in its shortest form; returns where it ends. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let left = value;
  let end = at;
  for (; left >= 0x80; left >>>= 7) bytes[end++] = (left & 0x7f) | 0x80;
  bytes[end++] = left;
  return end;
}

export function encodeVarint(value: number): Buffer {
  const bytes = Buffer.alloc(varintSize(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/** The number at `at`. */
export function varintAt(bytes: Buffer, at: number): number {
  let value = 0;
  let pos = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[pos++] as number;
    value |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    return value;
  }
}

/** Where the number at `at` ends. */
export function varintEnd(bytes: Buffer, at: number): number {
  let pos = at;
  while ((bytes[pos] as number) >= 0x80) pos += 1;
  return pos + 1;
}

/** Where that ends whose length is the number at `at`, and which follows it. */
export function sizedEnd(bytes: Buffer, at: number): number {
  let length = 0;
  let pos = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[pos++] as number;
    length |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    return pos + length;
  }
}
