/** An ATECC508A or ATECC608 with everything that the driver knows of it, command by command. */
import { ElementError } from '../contract.ts';
import { type AteccKind, commandsOf } from './commands.ts';
import { AteccKeys } from './keys.ts';
import type { AteccLink } from './link.ts';
import { AteccLocks } from './locks.ts';
import { AteccZones, agreedReading } from './zones.ts';

/** What Random gives while the configuration zone is open. */
const NO_RANDOM = Buffer.from('ffff0000'.repeat(8), 'hex');
const SHA_BLOCK = 64;
/** Highest value of a counter. */
const MAX_COUNTER = 2_097_151;
const TRIES = 4;

export class AteccChip {
  readonly kind: AteccKind;
  readonly link: AteccLink;
  readonly zones: AteccZones;
  readonly locks: AteccLocks;
  readonly keys: AteccKeys;
  readonly #commands: ReturnType<typeof commandsOf>;

  constructor(link: AteccLink, kind: AteccKind) {
    this.kind = kind;
    this.link = link;
    this.#commands = commandsOf(kind);
    this.zones = new AteccZones(link, this.#commands);
    this.locks = new AteccLocks(link, this.#commands, this.zones);
    this.keys = new AteccKeys(link, this.#commands, kind);
  }

  /** Four bytes; the third says which chip it is. */
  info(): Promise<Buffer> {
    return this.link.execute(this.#commands.info());
  }

  /** Nine bytes, beginning with 01 23. */
  async serialNumber(): Promise<Buffer> {
    const block = await this.zones.read('config', 0);
    return Buffer.concat([block.subarray(0, 4), block.subarray(8, 13)]);
  }

  /** 32 random bytes. Throws ElementError `not-ready` where the chip makes none yet. */
  async random(): Promise<Buffer> {
    const bytes = await this.link.execute(this.#commands.random());
    if (bytes.equals(NO_RANDOM))
      throw new ElementError('not-ready', 'the chip makes no random numbers before its configuration zone is locked', {
        hint: 'thingkit atecc lock --zone config',
      });
    return bytes;
  }

  /** Makes TempKey of a random number and 20 bytes; the random number. */
  randomNonce(numberIn: Buffer): Promise<Buffer> {
    return this.link.execute(this.#commands.randomNonce(numberIn));
  }

  /** SHA-256 as the chip computes it, twice. */
  sha(message: Buffer): Promise<Buffer> {
    return agreedReading(() => this.#shaOnce(message));
  }

  async #shaOnce(message: Buffer): Promise<Buffer> {
    await this.link.execute(this.#commands.shaStart());
    let at = 0;
    for (; message.length - at >= SHA_BLOCK; at += SHA_BLOCK)
      await this.link.execute(this.#commands.shaUpdate(message.subarray(at, at + SHA_BLOCK)), { isOnce: true });
    return this.link.execute(this.#commands.shaEnd(message.subarray(at)), { isOnce: true });
  }

  async counter(which: 0 | 1): Promise<number> {
    const bytes = await agreedReading(() => this.link.execute(this.#commands.readCounter(which)));
    return bytes.readUInt32LE();
  }

  /** Adds one to a counter, and never two; the new value. */
  async incrementCounter(which: 0 | 1): Promise<number> {
    const before = await this.counter(which);
    if (before >= MAX_COUNTER) throw new ElementError('not-permitted', `counter ${which} is at its end`);
    for (let time = 0; time < TRIES; time += 1) {
      try {
        await this.link.execute(this.#commands.incrementCounter(which), { isOnce: true });
      } catch (error) {
        if (!(error instanceof ElementError)) throw error;
      }
      const now = await this.counter(which);
      if (now === before + 1) return now;
      if (now !== before) throw new ElementError('verification', `counter ${which} went from ${before} to ${now}`);
    }
    throw new ElementError('communication', `counter ${which} can't be moved on`);
  }
}
