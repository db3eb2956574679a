/** Variable Byte Integers, written (MQTT 5 section 1.5.5; the remaining length of MQTT 3.1.1, section 2.2.3). */

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
