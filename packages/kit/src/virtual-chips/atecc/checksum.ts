/**
 * The checksum of packets of the virtual ATECC. The chip's register takes each byte's lowest bit first, and is the mirror image of
 * that of CRC-16/ARC (polynomial 0xA001 in its reflected form), which is computed here by a table.
 */

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  return value;
});

function mirrored(value: number): number {
  let result = 0;
  for (let bit = 0; bit < 16; bit += 1) if ((value & (1 << bit)) !== 0) result |= 0x8000 >>> bit;
  return result;
}

/** 16 bits. */
export function packetChecksum(bytes: Uint8Array): number {
  let value = 0;
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] ?? 0);
  return mirrored(value);
}
