/** MD2 (RFC 1319), which OpenSSL has dropped. For `md2` of the SQL, never for security. */

/** The permutation of RFC 1319, 3.2, made of digits of pi. */
const PI = Buffer.from(
  '292e43c9a2d87c013d3654a1ecf0061362a705f3c0c7738c98932bd9bc4c82ca1e9b573cfdd4e01667426f188a17e512be4ec4d6da9ede49a0fbf58ebb2fee7a' +
    'a968799115b2073f94c210890b225f21807f5d9a5a903227353ecce7bff79703ff1930b348a5b5d1d75e922aac56aac64fb838d296a47db676fc6be29c7404f1' +
    '459d705964718720865bcf65e62da8021b6025adaeb0b9f61c46616934407e0f5547a323dd51af3ac35cf9cebac5ea262c530d6e85288409d3dfcdf441814d52' +
    '6adc37c86cc1abfa24e17b080cbdb14a7888958be363e86de9cbd5fe3b001d39f2efb70e6658d0e4a67772f8eb754b0a314450b48fed1f1adb998d339f118314',
  'hex',
);
const BLOCK = 16;

const byteOf = (bytes: Buffer, at: number): number => bytes[at] ?? 0;

function withChecksum(input: Buffer): Buffer {
  const padding = BLOCK - (input.length % BLOCK);
  const padded = Buffer.concat([input, Buffer.alloc(padding, padding)]);
  const checksum = Buffer.alloc(BLOCK);
  let last = 0;
  for (let at = 0; at < padded.length; at += 1) {
    const place = at % BLOCK;
    last = byteOf(checksum, place) ^ byteOf(PI, byteOf(padded, at) ^ last);
    checksum[place] = last;
  }
  return Buffer.concat([padded, checksum]);
}

/** 32 lower-case hexadecimal digits. */
export function md2(input: Buffer): string {
  const message = withChecksum(input);
  const state = Buffer.alloc(3 * BLOCK);
  for (let from = 0; from < message.length; from += BLOCK) {
    for (let i = 0; i < BLOCK; i += 1) {
      state[BLOCK + i] = byteOf(message, from + i);
      state[2 * BLOCK + i] = byteOf(message, from + i) ^ byteOf(state, i);
    }
    let carried = 0;
    for (let round = 0; round < 18; round += 1) {
      for (let i = 0; i < state.length; i += 1) {
        carried = byteOf(state, i) ^ byteOf(PI, carried);
        state[i] = carried;
      }
      carried = (carried + round) & 0xff;
    }
  }
  return state.toString('hex', 0, BLOCK);
}
