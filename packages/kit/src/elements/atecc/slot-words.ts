/** What SlotConfig and KeyConfig say of each slot, in words (ATECC508A datasheet, tables of both). */
import { locksOfConfig } from './locks.ts';
import { SLOTS } from './zones.ts';

const SLOT_CONFIG = 20;
const KEY_CONFIG = 96;
const P256 = 4;
/** The high half of SlotConfig for data. */
const WRITE_WORDS: Readonly<Record<number, string>> = { 0: 'written freely', 1: 'written while its key is not valid' };

const bit = (word: number, at: number): boolean => ((word >> at) & 1) === 1;

function wordsOf(slotConfig: number, keyConfig: number): string[] {
  const isP256 = ((keyConfig >> 2) & 7) === P256;
  if (bit(keyConfig, 0) && isP256)
    return [
      'private key',
      ...(bit(slotConfig, 13) ? ['made anew by GenKey'] : ['never made anew']),
      ...(bit(slotConfig, 0) ? ['signs'] : []),
      ...(bit(slotConfig, 2) ? [bit(slotConfig, 3) ? 'ECDH into the next slot' : 'ECDH'] : []),
      ...(bit(keyConfig, 1) ? [] : ['public key not told']),
    ];
  const isReadable = !bit(slotConfig, 7) && !bit(slotConfig, 6);
  const writing = WRITE_WORDS[slotConfig >> 12] ?? (bit(slotConfig, 14) ? 'written encrypted' : 'never written');
  return [isP256 ? 'public key' : 'data', isReadable ? 'read freely' : 'not read in the clear', writing];
}

/** One line a slot, of the 128 bytes of a configuration. */
export function slotLines(config: Buffer): string[] {
  const { slots } = locksOfConfig(config);
  return Array.from({ length: SLOTS }, (_, slot) => {
    const [slotConfig, keyConfig] = [config.readUInt16LE(SLOT_CONFIG + 2 * slot), config.readUInt16LE(KEY_CONFIG + 2 * slot)];
    const words = [...wordsOf(slotConfig, keyConfig), ...(slots[slot] ? ['locked'] : bit(keyConfig, 5) ? ['can be locked'] : [])];
    return `slot ${String(slot).padStart(2)}        ${words.join(', ')}`;
  });
}
