/** Checksums that S3's clients send with an object (S3 user guide, page "Checking object integrity"). */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Takes bytes and gives the checksum in base64. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  digest(): string;
}

/** CRC-32C (RFC 3720 appendix B.4), reflected. */
const CASTAGNOLI = 0x82f6_3b78;
/** CRC-64/NVME, reflected: NVM Express base specification, section on the 64-bit guard. */
const NVME = 0x9a6c_9329_ac4b_c9b5n;

const table32 = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ CASTAGNOLI : rest >>> 1;
  return rest >>> 0;
});

/** The table of the 64-bit checksum in halves: numbers are many times faster than bigints. */
const [tableHigh, tableLow] = (() => {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    let rest = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) rest = rest & 1n ? (rest >> 1n) ^ NVME : rest >> 1n;
    high[byte] = Number(rest >> 32n);
    low[byte] = Number(rest & 0xffff_ffffn);
  }
  return [high, low];
})();

const bigEndian = (...words: readonly number[]): string => {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, i * 4);
  return bytes.toString('base64');
};

function crc32Sum(): Checksum {
  let sum = 0;
  return { update: (bytes) => (sum = crc32(bytes, sum)), digest: () => bigEndian(sum) } as Checksum;
}

function crc32cSum(): Checksum {
  let sum = 0xffff_ffff;
  return {
    update(bytes) {
      for (const byte of bytes) sum = (table32[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8);
    },
    digest: () => bigEndian(sum ^ 0xffff_ffff),
  };
}

function crc64Sum(): Checksum {
  let [high, low] = [0xffff_ffff, 0xffff_ffff];
  return {
    update(bytes) {
      for (const byte of bytes) {
        const at = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (tableLow[at] ?? 0);
        high = (high >>> 8) ^ (tableHigh[at] ?? 0);
      }
    },
    digest: () => bigEndian(high ^ 0xffff_ffff, low ^ 0xffff_ffff),
  };
}

const hashSum = (algorithm: string) => (): Checksum => {
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('base64') };
};

/** By the end of the header's name: `x-amz-checksum-crc32`. */
export const CHECKSUMS: Readonly<Record<string, () => Checksum>> = {
  crc32: crc32Sum,
  crc32c: crc32cSum,
  crc64nvme: crc64Sum,
  sha1: hashSum('sha1'),
  sha256: hashSum('sha256'),
};
