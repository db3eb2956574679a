/** Reading and writing of an ATECC's zones, in the order of Microchip's host library (cryptoauthlib, calib_read, calib_write). */
import { ElementError } from '../contract.ts';
import type { AteccCommands, AteccZone } from './commands.ts';
import type { AteccLink } from './link.ts';

export const CONFIG_LENGTH = 128;
export const SLOTS = 16;
const BLOCK = 32;
const WORD = 4;
const WORDS_OF_BLOCK = BLOCK / WORD;
/** The first slot that keeps data and public keys. */
export const FIRST_DATA_SLOT = 8;
/** Word of the configuration with UserExtra, Selector and both lock bytes, which Write never writes. */
const LOCK_WORD = 0x15;
/** Bytes that the maker has set, at the beginning of the configuration. */
export const MAKERS_BYTES = 16;
export const USER_EXTRA = 84;
export const SELECTOR = 85;

/** Bytes of a slot. */
export const slotCapacity = (slot: number): number => (slot < FIRST_DATA_SLOT ? 36 : slot === FIRST_DATA_SLOT ? 416 : 72);

/** Tries until two readings in a row are the same. */
const MAX_READINGS = 6;

/**
 * What two readings in a row agree on: a checksum of 16 bits alone lets one damaged answer in 65,536 through. Two such answers in
 * a row with the same damage are believed: no more than that can be seen without a shared secret.
 */
export async function agreedReading(read: () => Promise<Buffer>): Promise<Buffer> {
  let before = await read();
  for (let reading = 1; reading < MAX_READINGS; reading += 1) {
    const now = await read();
    if (now.equals(before)) return now;
    before = now;
  }
  throw new ElementError('communication', 'the chip answers differently each time it is read');
}

export class AteccZones {
  readonly #link: AteccLink;
  readonly #commands: AteccCommands;

  constructor(link: AteccLink, commands: AteccCommands) {
    this.#link = link;
    this.#commands = commands;
  }

  /** A block (32 bytes) or, with `word`, 4 bytes. */
  read(zone: AteccZone, block: number, { slot = 0, word }: { slot?: number; word?: number } = {}): Promise<Buffer> {
    return this.#link.execute(this.#commands.read({ zone, slot, block, ...(word !== undefined && { word }) }));
  }

  async #write(zone: AteccZone, block: number, data: Buffer, { slot = 0, word }: { slot?: number; word?: number } = {}) {
    await this.#link.execute(this.#commands.write({ zone, slot, block, ...(word !== undefined && { word }) }, data));
  }

  /** The whole configuration zone. */
  async readConfig(): Promise<Buffer> {
    const blocks: Buffer[] = [];
    for (let block = 0; block < CONFIG_LENGTH / BLOCK; block += 1) blocks.push(await this.read('config', block));
    return Buffer.concat(blocks);
  }

  /** UserExtra, Selector, lock of data and lock of configuration: bytes 84 to 87. */
  readLockWord(): Promise<Buffer> {
    return this.read('config', LOCK_WORD >> 3, { word: LOCK_WORD & 7 });
  }

  /** The first `length` bytes of a slot: whole blocks, then words. */
  async readSlot(slot: number, length = slotCapacity(slot)): Promise<Buffer> {
    const parts: Buffer[] = [];
    let at = 0;
    for (; length - at >= BLOCK; at += BLOCK) parts.push(await this.read('data', at / BLOCK, { slot }));
    for (; at < length; at += WORD)
      parts.push(await this.read('data', Math.floor(at / BLOCK), { slot, word: (at % BLOCK) / WORD }));
    return Buffer.concat(parts).subarray(0, length);
  }

  /** The 72 bytes of a public key in a slot: three whole blocks, of which the last is short. */
  async readPublicKeySlot(slot: number): Promise<Buffer> {
    const blocks = [];
    for (let block = 0; block < 3; block += 1) blocks.push(await this.read('data', block, { slot }));
    return Buffer.concat(blocks).subarray(0, slotCapacity(slot));
  }

  /** Writes a slot from its beginning in whole blocks; the last is filled up with zeros. */
  async writeSlot(slot: number, content: Buffer): Promise<void> {
    for (let at = 0; at < content.length; at += BLOCK) {
      const block = Buffer.alloc(BLOCK);
      content.copy(block, 0, at);
      await this.#write('data', at / BLOCK, block, { slot });
    }
  }

  /**
   * Writes bytes 16 to 127 of `config` (128 bytes) except both lock bytes: words 4 to 7, block 1, the words of block 2, block 3,
   * then UserExtra and Selector by UpdateExtra.
   */
  async writeConfig(config: Buffer): Promise<void> {
    const words = async (block: number, from: number): Promise<void> => {
      for (let word = from; word < WORDS_OF_BLOCK; word += 1) {
        const at = block * BLOCK + word * WORD;
        if (at / WORD !== LOCK_WORD) await this.#write('config', block, config.subarray(at, at + WORD), { word });
      }
    };
    await words(0, MAKERS_BYTES / WORD);
    await this.#write('config', 1, config.subarray(BLOCK, 2 * BLOCK));
    await words(2, 0);
    await this.#write('config', 3, config.subarray(3 * BLOCK));
    await this.updateExtra(0, config[USER_EXTRA] ?? 0);
    await this.updateExtra(1, config[SELECTOR] ?? 0);
  }

  /** Sets UserExtra (0) or Selector (1), which the chip lets be done once. */
  async updateExtra(which: 0 | 1, value: number): Promise<void> {
    await this.#link.execute(this.#commands.updateExtra(which, value));
  }
}
