/** Command and answer packets of ATECC508A and ATECC608 (ATECC508A datasheet, section I/O groups; cryptoauthlib, calib_command). */

/** A command before it is put into a packet. */
export interface AteccCommand {
  readonly name: string;
  readonly opcode: number;
  readonly param1: number;
  /** 16 bits. */
  readonly param2: number;
  readonly data?: Buffer;
  /** Bytes of data in the answer; 0 where a status is the answer. */
  readonly answer: number;
}

const POLYNOMIAL = 0x8005;
/** Length byte, opcode, both parameters, checksum. */
const COMMAND_FRAME = 7;
/** Length byte and checksum. */
export const ANSWER_FRAME = 3;
/** Bytes of the longest answer packet. */
export const MAX_ANSWER = 75;
/** Word addresses, the first byte of each write. */
export const WORD_ADDRESS = { resetPointer: 0x00, sleep: 0x01, idle: 0x02, command: 0x03 } as const;

/** CRC-16 of polynomial 0x8005 and no initial value, each byte taken from its lowest bit; as the two bytes of the wire. */
export function ateccCrc(bytes: Buffer): Buffer {
  let crc = 0;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit += 1) {
      const isDifferent = ((byte >> bit) & 1) !== crc >> 15;
      crc = (crc << 1) & 0xffff;
      if (isDifferent) crc ^= POLYNOMIAL;
    }
  return Buffer.of(crc & 0xff, crc >> 8);
}

/** What is written for a command, word address included. */
export function encodeCommand({ opcode, param1, param2, data = Buffer.alloc(0) }: AteccCommand): Buffer {
  const body = Buffer.concat([Buffer.of(COMMAND_FRAME + data.length, opcode, param1, param2 & 0xff, param2 >> 8), data]);
  return Buffer.concat([Buffer.of(WORD_ADDRESS.command), body, ateccCrc(body)]);
}

/** The content of an answer packet, without length and checksum; undefined where it is damaged. */
export function decodeAnswer(packet: Buffer): Buffer | undefined {
  const end = packet.length - 2;
  if (packet.length < ANSWER_FRAME + 1 || packet[0] !== packet.length) return undefined;
  return ateccCrc(packet.subarray(0, end)).equals(packet.subarray(end)) ? packet.subarray(1, end) : undefined;
}
