/** The commands that the driver sends, with their parameters (ATECC508A datasheet, commands; cryptoauthlib, calib_command). */
import type { AteccCommand } from './packets.ts';

export type AteccKind = 'atecc508a' | 'atecc608';
export type AteccZone = 'config' | 'otp' | 'data';

const ZONES: Readonly<Record<AteccZone, number>> = { config: 0, otp: 1, data: 2 };
/** In a zone's number: 32 bytes instead of 4. */
const WHOLE_BLOCK = 0x80;
/** Key type P-256 of Verify. */
const P256 = 4;
/** Parameter 2 that names TempKey in the place of a slot (ATECC608). */
const TEMP_KEY = 0xffff;

/** Where a word or a block lies: the second parameter of Read and Write. */
function addressOf(zone: AteccZone, slot: number, block: number, word: number): number {
  return zone === 'data' ? (block << 8) | (slot << 3) | word : (block << 3) | word;
}

export interface Place {
  readonly zone: AteccZone;
  /** 0 outside of the data zone. */
  readonly slot: number;
  readonly block: number;
  /** A word of the block; absent for the whole block. */
  readonly word?: number;
}

/** Builds the commands of one kind of chip. */
export function commandsOf(kind: AteccKind) {
  const is608 = kind === 'atecc608';
  const command = (
    name: string,
    opcode: number,
    [param1, param2]: readonly [number, number],
    answer: number,
    data?: Buffer,
  ): AteccCommand => ({ name, opcode, param1, param2, answer, ...(data && { data }) });
  return {
    info: () => command('Info', 0x30, [0, 0], 4),
    random: () => command('Random', 0x1b, [0, 0], 32),
    /** Loads a digest: into the message digest buffer of an ATECC608, into TempKey of an ATECC508A. */
    loadDigest: (digest: Buffer) => command('Nonce', 0x16, [is608 ? 0x43 : 0x03, 0], 0, digest),
    /** Makes TempKey of a random number and 20 bytes of the host. */
    randomNonce: (numberIn: Buffer) => command('Nonce', 0x16, [0, 0], 32, numberIn),
    generateKey: (slot: number) => command('GenKey', 0x40, [4, slot], 64),
    /** A private key in TempKey, which lasts until the chip sleeps (ATECC608). */
    generateEphemeralKey: () => command('GenKey', 0x40, [4, TEMP_KEY], 64),
    publicKey: (slot: number) => command('GenKey', 0x40, [0, slot], 64),
    /** Signs the digest that was loaded. */
    sign: (slot: number) => command('Sign', 0x41, [is608 ? 0xa0 : 0x80, slot], 64),
    verify: (signature: Buffer, point: Buffer) =>
      command('Verify', 0x45, [is608 ? 0x22 : 0x02, P256], 0, Buffer.concat([signature, point])),
    agree: (slot: number, point: Buffer) => command('ECDH', 0x43, [0, slot], 32, point),
    /** With the private key in TempKey, result in the clear (ATECC608). */
    agreeEphemeral: (point: Buffer) => command('ECDH', 0x43, [0x0d, TEMP_KEY], 32, point),
    read: ({ zone, slot, block, word }: Place) => {
      const param1 = ZONES[zone] | (word === undefined ? WHOLE_BLOCK : 0);
      return command('Read', 0x02, [param1, addressOf(zone, slot, block, word ?? 0)], word === undefined ? 32 : 4);
    },
    write: ({ zone, slot, block, word }: Place, data: Buffer) => {
      const param1 = ZONES[zone] | (word === undefined ? WHOLE_BLOCK : 0);
      return command('Write', 0x12, [param1, addressOf(zone, slot, block, word ?? 0)], 0, data);
    },
    /** `crc`: of the whole configuration zone, which the chip compares before it locks. */
    lockConfig: (crc?: number) => command('Lock', 0x17, crc === undefined ? [0x80, 0] : [0, crc], 0),
    lockData: () => command('Lock', 0x17, [0x81, 0], 0),
    lockSlot: (slot: number) => command('Lock', 0x17, [0x02 | (slot << 2), 0], 0),
    /** Byte 84 (0) or 85 (1) of the configuration. */
    updateExtra: (which: 0 | 1, value: number) => command('UpdateExtra', 0x20, [which, value], 0),
    readCounter: (counter: number) => command('Counter', 0x24, [0, counter], 4),
    incrementCounter: (counter: number) => command('Counter', 0x24, [1, counter], 4),
    shaStart: () => command('SHA', 0x47, [0, 0], 0),
    shaUpdate: (block: Buffer) => command('SHA', 0x47, [1, block.length], 0, block),
    shaEnd: (rest: Buffer) => command('SHA', 0x47, [2, rest.length], 32, rest),
  };
}

export type AteccCommands = ReturnType<typeof commandsOf>;
