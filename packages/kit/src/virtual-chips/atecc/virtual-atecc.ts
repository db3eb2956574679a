/**
 * A virtual ATECC508A or ATECC608 as its bus sees it: it sleeps, wakes, rests, works, and falls asleep when its watchdog says so
 * (ATECC508A datasheet, I/O groups, wake and sleep).
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { BusError } from '../../buses/contract.ts';
import { ElementError } from '../../elements/contract.ts';
import { pointOfPrivateKey } from '../../elements/p256-private.ts';
import type { ChipMemory, VirtualChip } from '../contract.ts';
import { packetChecksum } from './checksum.ts';
import * as keys from './key-commands.ts';
import { AteccSession, parseError, Refusal } from './session.ts';
import { type AteccState, AteccSilicon, SLOT_COUNT, type VirtualAteccKind } from './silicon.ts';
import * as zones from './zone-commands.ts';
import type { Outcome, ReceivedCommand } from './zone-commands.ts';

/** Milliseconds from the wake condition until the chip acknowledges. */
const WAKE_TIME = 1.5;
/** Milliseconds after which the chip falls asleep, counted from its waking; the longer one is ChipMode bit 2 of the ATECC608. */
const WATCHDOG = 1300;
const LONG_WATCHDOG = 13_000;
const LONGEST_COMMAND = 151;
const SHORTEST_COMMAND = 7;
const DAMAGED = 0xff;
const WOKEN = 0x11;

/** Milliseconds of execution by opcode: of an ATECC508A, of an ATECC608. */
const TIMES: Readonly<Record<number, readonly [number, number]>> = {
  2: [5, 5],
  18: [26, 45],
  22: [29, 20],
  23: [32, 35],
  27: [23, 23],
  32: [10, 10],
  36: [20, 25],
  48: [2, 5],
  64: [115, 115],
  65: [60, 115],
  67: [58, 75],
  69: [72, 105],
  71: [9, 36],
};

/** An answer as it stands on the bus: length, content, checksum. */
function packetOf(outcome: Outcome): Buffer {
  const content = typeof outcome === 'number' ? Buffer.of(outcome) : outcome;
  const packet = Buffer.alloc(content.length + 3);
  packet[0] = packet.length;
  content.copy(packet, 1);
  packet.writeUInt16LE(packetChecksum(packet.subarray(0, -2)), packet.length - 2);
  return packet;
}

const isAnswered = (error: unknown): error is Refusal => error instanceof Refusal;

export class VirtualAtecc implements VirtualChip {
  readonly #silicon: AteccSilicon;
  readonly #session = new AteccSession();
  /** 7 bits; the configuration's own counts once the chip has slept. */
  #address: number;
  /** Awake, with its session kept while it rests, or asleep without one. */
  #power: 'asleep' | 'resting' | 'awake' = 'asleep';
  #now = 0;
  /** Until then it does not acknowledge. */
  #busyUntil = 0;
  #sleepsAt = 0;
  #answer = packetOf(WOKEN);
  #readAt = 0;

  /** Throws ElementError where the memory holds no chip. */
  constructor(memory: ChipMemory<AteccState>) {
    this.#silicon = new AteccSilicon(memory);
    this.#address = this.#silicon.address;
  }

  get kind(): VirtualAteccKind {
    return this.#silicon.kind;
  }

  /** Nine bytes in hexadecimal. */
  get serialNumber(): string {
    const { config } = this.#silicon;
    return config.toString('hex', 0, 4) + config.toString('hex', 8, 13);
  }

  /**
   * The private key of a slot, for TLS inside this process: a virtual chip has no silicon that keeps it in, and a TLS library
   * wants a key at hand. A real chip has nothing of the kind. Throws ElementError `not-found` where the slot has no key.
   */
  privateKeyForTls(slot: number): KeyObject {
    const secret = slot < SLOT_COUNT ? keys.privateKeyIn(this.#silicon, slot) : undefined;
    if (secret === undefined) throw new ElementError('not-found', `slot ${slot} of the virtual chip has no private key`);
    const point = pointOfPrivateKey(secret);
    const [d, x, y] = [secret, point.subarray(0, 32), point.subarray(32)].map((part) => part.toString('base64url'));
    return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: d ?? '', x, y }, format: 'jwk' });
  }

  elapse(milliseconds: number): void {
    this.#now += milliseconds;
    if (this.#power === 'awake' && this.#now >= this.#sleepsAt) this.#sleep();
  }

  #sleep(): void {
    this.#power = 'asleep';
    this.#session.forget();
    this.#address = this.#silicon.address;
  }

  #wake(): void {
    if (this.#power === 'awake') return;
    this.#power = 'awake';
    this.#busyUntil = this.#now + WAKE_TIME;
    const isLong = this.#silicon.kind === 'atecc608' && ((this.#silicon.config[19] ?? 0) & 0x04) !== 0;
    this.#sleepsAt = this.#now + (isLong ? LONG_WATCHDOG : WATCHDOG);
    this.#show(packetOf(WOKEN));
  }

  #show(answer: Buffer): void {
    this.#answer = answer;
    this.#readAt = 0;
  }

  /** Throws where the chip does not acknowledge its address. */
  #attend(address: number): void {
    if (address === this.#address && this.#power === 'awake' && this.#now >= this.#busyUntil) return;
    throw new BusError('nack', `no chip acknowledges address 0x${address.toString(16)}`);
  }

  /** A write to address 0 holds the line low long enough to wake the chip, which does not acknowledge it. */
  write(address: number, bytes: Buffer): void {
    if (address === 0) this.#wake();
    this.#attend(address);
    const [word] = bytes;
    if (word === 0x00) this.#readAt = 0;
    else if (word === 0x01) this.#sleep();
    else if (word === 0x02) this.#power = 'resting';
    else if (word === 0x03) this.#execute(bytes.subarray(1));
  }

  /** What is left of the answer; behind its end the line stays high. */
  read(address: number, length: number): Buffer {
    this.#attend(address);
    const bytes = Buffer.alloc(length, 0xff);
    this.#answer.copy(bytes, 0, this.#readAt, Math.min(this.#readAt + length, this.#answer.length));
    this.#readAt = Math.min(this.#readAt + length, this.#answer.length);
    return bytes;
  }

  #execute(packet: Buffer): void {
    const length = packet[0] ?? 0;
    const isWhole =
      length >= SHORTEST_COMMAND &&
      length <= LONGEST_COMMAND &&
      packet.length >= length &&
      packetChecksum(packet.subarray(0, length - 2)) === packet.readUInt16LE(length - 2);
    if (!isWhole) {
      this.#show(packetOf(DAMAGED));
      return;
    }
    const command: ReceivedCommand = {
      opcode: packet[1] ?? 0,
      mode: packet[2] ?? 0,
      param: packet.readUInt16LE(3),
      data: packet.subarray(5, length - 2),
    };
    const [as508a, as608] = TIMES[command.opcode] ?? [1, 1];
    this.#busyUntil = this.#now + (this.#silicon.kind === 'atecc608' ? as608 : as508a);
    this.#show(packetOf(this.#outcomeOf(command)));
  }

  #outcomeOf(command: ReceivedCommand): Outcome {
    try {
      return this.#perform(command);
    } catch (error) {
      if (isAnswered(error)) return error.status;
      throw error;
    }
  }

  #perform(command: ReceivedCommand): Outcome {
    const [silicon, session] = [this.#silicon, this.#session];
    switch (command.opcode) {
      case 0x02:
        return zones.read(silicon, command);
      case 0x12:
        return zones.write(silicon, command);
      case 0x16:
        return keys.nonce(silicon, session, command);
      case 0x17:
        return zones.lock(silicon, command);
      case 0x1b:
        return keys.random(silicon, command);
      case 0x20:
        return zones.updateExtra(silicon, command);
      case 0x24:
        return zones.counter(silicon, command);
      case 0x30:
        return zones.info(silicon, session, command);
      case 0x40:
        return keys.genKey(silicon, session, command);
      case 0x41:
        return keys.sign(silicon, session, command);
      case 0x43:
        return keys.ecdh(silicon, session, command);
      case 0x45:
        return keys.verify(silicon, session, command);
      case 0x47:
        return keys.sha(silicon, session, command);
      default:
        throw parseError();
    }
  }
}
