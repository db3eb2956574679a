/** The check sum of frames on the bus: CRC-16/KERMIT, bit by bit. Check: "123456789" gives 0x2189. */
export function crcKermit(bytes: Uint8Array): number {
  let register = 0;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit += 1) {
      const isDifferent = ((byte >> bit) ^ register) & 1;
      register >>= 1;
      if (isDifferent === 1) register ^= 0x8408;
    }
  return register;
}
