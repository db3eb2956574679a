/**
 * The locks of an ATECC, which can't be opened again: each is read back, since an answer that got lost says nothing. Locking
 * asks for a word of confirmation.
 */
import { ElementError, type LockState } from '../contract.ts';
import type { AteccCommands } from './commands.ts';
import { type AteccLink, AteccStatusError } from './link.ts';
import { ateccCrc, type AteccCommand } from './packets.ts';
import { type AteccZones, agreedReading, CONFIG_LENGTH, MAKERS_BYTES, SELECTOR, SLOTS, USER_EXTRA } from './zones.ts';

/** Said by who has understood that a lock stays. */
export type LockConfirmation = 'for-good';

const DATA_LOCK = 86;
const CONFIG_LOCK = 87;
const SLOT_LOCKS = 88;
const KEY_CONFIG = 96;
/** Value of a lock byte that is open. */
const OPEN = 0x55;
/** In KeyConfig: the slot can be locked by itself. */
const LOCKABLE = 1 << 5;
const TRIES = 3;

export interface AteccLockState {
  readonly config: boolean;
  readonly data: boolean;
  readonly slots: readonly boolean[];
}

/** What the bytes of a configuration say of the locks. */
export function locksOfConfig(config: Buffer): AteccLockState {
  const open = config.readUInt16LE(SLOT_LOCKS);
  return {
    config: config[CONFIG_LOCK] !== OPEN,
    data: config[DATA_LOCK] !== OPEN,
    slots: Array.from({ length: SLOTS }, (_, slot) => ((open >> slot) & 1) === 0),
  };
}

export const lockStateOf = ({ config, data, slots }: AteccLockState): LockState => ({
  isReady: config && data,
  parts: [
    { name: 'config', isLocked: config },
    { name: 'data', isLocked: data },
    ...slots.map((isLocked, slot) => ({ name: String(slot), isLocked })),
  ],
});

export class AteccLocks {
  readonly #link: AteccLink;
  readonly #commands: AteccCommands;
  readonly #zones: AteccZones;

  constructor(link: AteccLink, commands: AteccCommands, zones: AteccZones) {
    this.#link = link;
    this.#commands = commands;
    this.#zones = zones;
  }

  async state(): Promise<AteccLockState> {
    return locksOfConfig(await agreedReading(() => this.#zones.readConfig()));
  }

  /** Sends a command and looks at the locks, whatever came of it. */
  async #lock(what: string, command: AteccCommand, isLocked: (state: AteccLockState) => boolean): Promise<void> {
    let last: unknown;
    for (let time = 0; time < TRIES; time += 1) {
      try {
        await this.#link.execute(command);
      } catch (error) {
        last = error;
        if (!(error instanceof AteccStatusError) && !(error instanceof ElementError)) throw error;
      }
      if (isLocked(await this.state())) return;
    }
    if (last instanceof ElementError) throw last;
    throw new ElementError(last === undefined ? 'verification' : 'not-permitted', `${what} is not locked`, { cause: last });
  }

  /**
   * Locks the configuration zone as it is, under the checksum of what was read. With `expected` (128 bytes) nothing is locked
   * where the chip holds another configuration. A zone that is locked stays as it is.
   */
  async lockConfig(confirmation: LockConfirmation, expected?: Buffer): Promise<void> {
    checkConfirmation(confirmation);
    const config = await agreedReading(() => this.#zones.readConfig());
    if (expected !== undefined && !isSameConfig(config, expected))
      throw new ElementError('verification', 'the configuration of the chip is not what has to be locked', {
        hint: 'nothing was locked; thingkit atecc config shows it, and writes it',
      });
    if (locksOfConfig(config).config) return;
    const crc = ateccCrc(config).readUInt16LE();
    await this.#lock('the configuration zone', this.#commands.lockConfig(crc), (state) => state.config);
  }

  /** Locks data and OTP zone: from then on each slot's own configuration counts. */
  async lockData(confirmation: LockConfirmation): Promise<void> {
    checkConfirmation(confirmation);
    const { config, data } = await this.state();
    if (!config)
      throw new ElementError('not-ready', 'the configuration zone is locked before the data zone', {
        hint: 'thingkit atecc lock --zone config',
      });
    if (data) return;
    await this.#lock('the data zone', this.#commands.lockData(), (state) => state.data);
  }

  /** Locks one slot, whose content can't be changed any more. */
  async lockSlot(slot: number, confirmation: LockConfirmation): Promise<void> {
    checkConfirmation(confirmation);
    const config = await agreedReading(() => this.#zones.readConfig());
    const state = locksOfConfig(config);
    if (!state.config || !state.data)
      throw new ElementError('not-ready', 'both zones are locked before single slots', {
        hint: 'thingkit atecc lock --zone data',
      });
    if ((config.readUInt16LE(KEY_CONFIG + 2 * slot) & LOCKABLE) === 0)
      throw new ElementError('not-permitted', `the configuration does not let slot ${slot} be locked by itself`);
    if (state.slots[slot]) return;
    await this.#lock(`slot ${slot}`, this.#commands.lockSlot(slot), ({ slots }) => slots[slot] ?? false);
  }
}

function checkConfirmation(confirmation: LockConfirmation): void {
  if (confirmation !== 'for-good') throw new ElementError('invalid', 'a lock stays for good, and has to be confirmed as such');
}

/** Whether two configurations are the same in what a user decides: all but the maker's bytes and both lock bytes. */
export function isSameConfig(one: Buffer, other: Buffer): boolean {
  const decided = (config: Buffer): Buffer =>
    Buffer.concat([
      config.subarray(MAKERS_BYTES, USER_EXTRA),
      config.subarray(USER_EXTRA, SELECTOR + 1),
      config.subarray(SLOT_LOCKS),
    ]);
  return one.length === CONFIG_LENGTH && other.length === CONFIG_LENGTH && decided(one).equals(decided(other));
}
