/** A bus on which things go wrong: what a test hands in decides when, and the faults are counted. */
import { BusError, type I2cBus } from '../../../buses/contract.ts';
import type { VirtualChip } from '../../../virtual-chips/contract.ts';
import { packetChecksum } from '../../../virtual-chips/atecc/checksum.ts';

export const FAULTS = [
  'flip-written',
  'flip-read',
  'nack-write',
  'nack-read',
  'short-read',
  'lost-write',
  'half-write',
  'slept',
  'spurious-status',
  'late',
  'forged-answer',
  'forged-data',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Whole numbers from 0 to below `below`; the same for the same seed (mulberry32). */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

const STATUSES = [0x00, 0x01, 0x03, 0x05, 0x0f, 0x11, 0xff] as const;
/** Milliseconds after which the watchdog has put the chip to sleep, whatever it did. */
const WATCHDOG_PASSED = 1400;

function withChecksum(body: Buffer): Buffer {
  const crc = packetChecksum(body);
  return Buffer.concat([body, Buffer.of(crc & 0xff, crc >> 8)]);
}

const statusPacket = (status: number): Buffer => withChecksum(Buffer.of(4, status));
/** Word address, length, opcode and both parameters of a command. */
const HEAD = 6;

export class FaultyBus implements I2cBus {
  readonly counts = new Map<Fault, number>(FAULTS.map((fault) => [fault, 0]));
  /** One transfer in so many goes wrong; 0 for none. */
  oneIn = 0;
  /** Whether there are faults that no checksum shows. */
  hasForgeries = false;
  readonly #chip: VirtualChip;
  readonly #below: (below: number) => number;
  /** A status that stands on the bus in the place of the chip's answer, as far as it was read. */
  #spurious: Buffer | undefined;
  /** The first byte of an answer of data, whose rest is to be changed so that its checksum is right again. */
  #forging: Buffer | undefined;
  #isForged = false;
  #lastForged: Buffer | undefined;

  constructor(chip: VirtualChip, seed: number) {
    this.#chip = chip;
    this.#below = numbersFrom(seed);
  }

  get total(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  #fault(among: readonly Fault[]): Fault | undefined {
    if (this.oneIn === 0 || this.#below(this.oneIn) !== 0) return undefined;
    const fault = among[this.#below(among.length)];
    if (fault !== undefined) this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    return fault;
  }

  /** One bit in most cases, else up to eight. */
  #flipped(bytes: Buffer): Buffer {
    const damaged = Buffer.from(bytes);
    for (let left = this.#below(4) === 0 ? 1 + this.#below(8) : 1; left > 0; left -= 1) {
      const bit = this.#below(damaged.length * 8);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
    return damaged;
  }

  /** Never twice in a row the same: a driver that reads twice can't see what no checksum shows and comes twice alike. */
  #forgedAnew(content: Buffer): Buffer {
    for (;;) {
      const forged = this.#flipped(content);
      if (this.#lastForged?.equals(forged)) continue;
      this.#lastForged = forged;
      return forged;
    }
  }

  async write(address: number, bytes: Buffer): Promise<void> {
    this.#chip.elapse(0.1);
    if (this.#spurious !== undefined && bytes.length === 1 && bytes[0] === 0) return;
    this.#spurious = undefined;
    this.#forging = undefined;
    this.#isForged = bytes[0] === 0 && this.hasForgeries && this.#below(2 * this.oneIn) === 0;
    if (this.hasForgeries && bytes[0] === 3 && bytes.length > HEAD + 2 && this.#fault(['forged-data']) !== undefined) {
      // What no checksum shows: changed data under the checksum of the changed data.
      const data = this.#flipped(bytes.subarray(HEAD, -2));
      return this.#chip.write(
        address,
        Buffer.concat([bytes.subarray(0, 1), withChecksum(Buffer.concat([bytes.subarray(1, HEAD), data]))]),
      );
    }
    switch (this.#fault(['flip-written', 'nack-write', 'lost-write', 'half-write', 'slept', 'spurious-status', 'late'])) {
      case 'flip-written':
        return this.#chip.write(address, this.#flipped(bytes));
      case 'nack-write':
        throw new BusError('nack', 'not acknowledged');
      case 'lost-write':
        return undefined;
      case 'half-write':
        return this.#chip.write(address, bytes.subarray(0, this.#below(bytes.length + 1)));
      case 'slept':
        this.#chip.elapse(WATCHDOG_PASSED);
        break;
      case 'late':
        // The chip has done it, and nobody has heard its acknowledge.
        this.#chip.write(address, bytes);
        throw new BusError('failed', 'the bus has lost its master');
      case 'spurious-status':
        // Whether the chip gets the command or not, what is read next is not its answer.
        if (bytes[0] === 3) {
          if (this.#below(2) === 0) this.#chip.write(address, bytes);
          this.#spurious = statusPacket(STATUSES[this.#below(STATUSES.length)] ?? 0);
          return undefined;
        }
        break;
    }
    this.#chip.write(address, bytes);
  }

  async read(address: number, length: number): Promise<Buffer> {
    this.#chip.elapse(0.1);
    if (this.#spurious !== undefined) {
      const part = this.#spurious.subarray(0, length);
      this.#spurious = this.#spurious.subarray(length);
      return part.length === length ? part : Buffer.concat([part, Buffer.alloc(length - part.length, 0xff)]);
    }
    if (this.#isForged) {
      const head = this.#forging;
      this.#forging = head === undefined && length === 1 ? this.#chip.read(address, 1) : undefined;
      if (this.#forging !== undefined) return this.#forging;
      this.#isForged = false;
      const rest = this.#chip.read(address, length);
      // A forged status is a spurious one, which has a fault of its own.
      if (head === undefined || length < 6) return rest;
      this.counts.set('forged-answer', (this.counts.get('forged-answer') ?? 0) + 1);
      return withChecksum(Buffer.concat([head, this.#forgedAnew(rest.subarray(0, -2))])).subarray(1);
    }
    switch (this.#fault(['flip-read', 'nack-read', 'short-read', 'slept'])) {
      case 'flip-read':
        return this.#flipped(this.#chip.read(address, length));
      case 'nack-read':
        throw new BusError('nack', 'not acknowledged');
      case 'short-read':
        // Fewer bytes were taken than asked for; the line is high for the others.
        return Buffer.concat([
          this.#chip.read(address, length).subarray(0, this.#below(length)),
          Buffer.alloc(length, 0xff),
        ]).subarray(0, length);
      case 'slept':
        this.#chip.elapse(WATCHDOG_PASSED);
        break;
    }
    return this.#chip.read(address, length);
  }

  async pause(milliseconds: number): Promise<void> {
    this.#chip.elapse(milliseconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
