/**
 * What a virtual ATECC keeps without power: configuration, one-time-programmable zone, slots with their private keys, counters. The
 * file it is kept in is the virtual silicon, and private like it.
 */
import { randomBytes } from 'node:crypto';
import { ElementError } from '../../elements/contract.ts';
import type { ChipMemory } from '../contract.ts';

export type VirtualAteccKind = 'atecc508a' | 'atecc608';

/** The form in the file; zones and slots in hexadecimal. */
export interface AteccState {
  readonly kind: VirtualAteccKind;
  readonly config: string;
  readonly otp: string;
  readonly slots: readonly string[];
  readonly counters: readonly number[];
}

export const SLOT_COUNT = 16;
const CONFIG_BYTES = 128;
const OTP_BYTES = 64;
const SMALL_SLOT = 36;
const LARGE_SLOT = 416;
const MIDDLE_SLOT = 72;

export const bytesOfSlot = (slot: number): number => (slot < 8 ? SMALL_SLOT : slot === 8 ? LARGE_SLOT : MIDDLE_SLOT);

/** Bytes 16 to 127 as a chip comes from its maker: all open, at address 0x60 (an ATECC508A of the shelf has much the same). */
const SHELF_CONFIG =
  'c0005500832087208f20c48f8f8f8f8f9f8f0f8f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0fffffffff00000000ffffffff00000000ffffffff' +
  'ffffffffffffffffffffffff00005555ffff0000000000003300330033001c001c001c001c001c003c003c003c003c003c003c003c001c00';
const REVISIONS: Readonly<Record<VirtualAteccKind, string>> = { atecc508a: '00005000', atecc608: '00006002' };
const SERIAL_NUMBER = /^0123[0-9a-f]{12}ee$/;

/** A new chip, neither configured nor locked. Throws ElementError `invalid` where the serial number is none of an ATECC. */
export function newAteccState(kind: VirtualAteccKind, serialNumber = `0123${randomBytes(6).toString('hex')}ee`): AteccState {
  if (!SERIAL_NUMBER.test(serialNumber))
    throw new ElementError('invalid', `${serialNumber} is no serial number of an ATECC`, { hint: '0123, twelve digits, ee' });
  const aes = kind === 'atecc608' ? '01' : '00';
  const config = `${serialNumber.slice(0, 8)}${REVISIONS[kind]}${serialNumber.slice(8)}${aes}0100${SHELF_CONFIG}`;
  const slots = Array.from({ length: SLOT_COUNT }, (_, slot) => 'ff'.repeat(bytesOfSlot(slot)));
  return { kind, config, otp: 'ff'.repeat(OTP_BYTES), slots, counters: [0, 0] };
}

function bytesFrom(text: unknown, length: number): Buffer {
  const bytes = typeof text === 'string' && /^[0-9a-f]*$/.test(text) ? Buffer.from(text, 'hex') : undefined;
  if (bytes?.length !== length) throw new ElementError('invalid', 'the state of the virtual chip is damaged');
  return bytes;
}

export class AteccSilicon {
  readonly kind: VirtualAteccKind;
  readonly config: Buffer;
  readonly otp: Buffer;
  readonly slots: readonly Buffer[];
  readonly counters: number[];
  readonly #memory: ChipMemory<AteccState>;

  /** Throws ElementError: `not-found` where the memory is empty, `invalid` where what it holds is no state. */
  constructor(memory: ChipMemory<AteccState>) {
    const state = memory.load();
    if (state === undefined)
      throw new ElementError('not-found', 'there is no such virtual chip', { hint: 'thingkit chip new makes one' });
    const { kind, config, otp, slots, counters } = state;
    const isWhole =
      (kind === 'atecc508a' || kind === 'atecc608') &&
      Array.isArray(slots) &&
      slots.length === SLOT_COUNT &&
      Array.isArray(counters) &&
      counters.length === 2 &&
      counters.every((count) => Number.isInteger(count) && count >= 0);
    if (!isWhole) throw new ElementError('invalid', 'the state is none of a virtual ATECC');
    this.kind = kind;
    this.config = bytesFrom(config, CONFIG_BYTES);
    this.otp = bytesFrom(otp, OTP_BYTES);
    this.slots = slots.map((slot, index) => bytesFrom(slot, bytesOfSlot(index)));
    this.counters = [...counters];
    this.#memory = memory;
  }

  /** Keeps what has changed, before the chip says that it is done. */
  save(): void {
    this.#memory.save({
      kind: this.kind,
      config: this.config.toString('hex'),
      otp: this.otp.toString('hex'),
      slots: this.slots.map((slot) => slot.toString('hex')),
      counters: this.counters,
    });
  }

  get isConfigLocked(): boolean {
    return this.config[87] !== 0x55;
  }

  get isDataLocked(): boolean {
    return this.config[86] !== 0x55;
  }

  isSlotLocked(slot: number): boolean {
    return ((this.config.readUInt16LE(88) >> slot) & 1) === 0;
  }

  /** 7 bits, as the configuration has it. */
  get address(): number {
    return (this.config[16] ?? 0) >> 1;
  }

  slot(slot: number): Buffer {
    return this.slots[slot] ?? Buffer.alloc(0);
  }
}
