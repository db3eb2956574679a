/** What SlotConfig and KeyConfig of a slot allow (ATECC508A datasheet, tables of both). */
import type { AteccSilicon } from './silicon.ts';

export interface SlotRules {
  readonly isPrivateKey: boolean;
  /** A public key of the curve, or room for one. */
  readonly isPublicKey: boolean;
  readonly maySignExternal: boolean;
  readonly mayAgree: boolean;
  /** The result of ECDH goes into the next slot, and not out. */
  readonly isAgreedSecretKept: boolean;
  readonly mayTellPublicKey: boolean;
  readonly mayGenerate: boolean;
  readonly mayReadClear: boolean;
  readonly mayWriteClear: boolean;
  readonly mayLock: boolean;
  /** It can't be used without authorisation by another key, which this chip does not know. */
  readonly needsAuthorisation: boolean;
}

const P256_KEY = 4;

export function rulesOfSlot(silicon: AteccSilicon, slot: number): SlotRules {
  const slotConfig = silicon.config.readUInt16LE(20 + 2 * slot);
  const keyConfig = silicon.config.readUInt16LE(96 + 2 * slot);
  const bit = (word: number, at: number): boolean => ((word >> at) & 1) === 1;
  const isP256 = ((keyConfig >> 2) & 7) === P256_KEY;
  const isPrivate = bit(keyConfig, 0);
  const isPrivateKey = isPrivate && isP256;
  const [isEncryptedRead, isSecret] = [bit(slotConfig, 6), bit(slotConfig, 7)];
  const writeConfig = slotConfig >> 12;
  const isOpen = !silicon.isDataLocked;
  const isUnlocked = !silicon.isSlotLocked(slot);
  return {
    isPrivateKey,
    isPublicKey: !isPrivate && isP256,
    maySignExternal: isPrivateKey && bit(slotConfig, 0),
    mayAgree: isPrivateKey && bit(slotConfig, 2),
    isAgreedSecretKept: bit(slotConfig, 3),
    mayTellPublicKey: isPrivateKey && bit(keyConfig, 1),
    mayGenerate: isPrivateKey && isUnlocked && (isOpen || bit(slotConfig, 13)),
    mayReadClear: silicon.isDataLocked && !isPrivate && !isSecret && !isEncryptedRead,
    // 0 is always, 1 is a public key that is not valid; all others ask for encryption, or are never.
    mayWriteClear: !isPrivate && isUnlocked && (isOpen || writeConfig <= 1),
    mayLock: bit(keyConfig, 5),
    needsAuthorisation: bit(keyConfig, 7),
  };
}
