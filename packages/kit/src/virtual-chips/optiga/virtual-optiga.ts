/**
 * An OPTIGA Trust M or Trust X in software: registers on an I2C bus, data link, transport, application. Its state is the virtual
 * silicon: private keys are in it, so its file has mode 0600, and whoever can read that has the keys.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { BusError } from '../../buses/contract.ts';
import { ElementError } from '../../elements/contract.ts';
import { pointOfPrivateKey } from '../../elements/p256-private.ts';
import type { ChipMemory, VirtualChip } from '../contract.ts';
import { newOptiga, type OptigaState, type VirtualOptigaKind } from './chip-state.ts';
import { CommandSet } from './command-set.ts';
import { LinkSide } from './link-side.ts';
import { ObjectStore } from './object-store.ts';

const REG = { data: 0x80, dataLength: 0x81, state: 0x82, address: 0x83, frequency: 0x84, reset: 0x88, mode: 0x89 } as const;

/** Longest frame, and the shortest longest one that a host may ask for. */
const LONGEST_FRAME = 0x0115;
const SHORTEST_FRAME = 0x0010;
/** Milliseconds between two transfers, and after a reset, in which the chip does not acknowledge. */
const GUARD_TIME = 0.05;
const RESTART = 12;
const PERSISTENT = 0x80;

/** Flags of I2C_STATE. */
const STATE = { busy: 0x80, ready: 0x40, canReset: 0x08 } as const;

interface Running {
  readonly answer: Buffer;
  left: number;
}

export class VirtualOptiga implements VirtualChip {
  readonly kind: VirtualOptigaKind;
  readonly #store: ObjectStore;
  #address: number;
  #commands: CommandSet;
  #link: LinkSide;
  #running: Running | undefined;
  #frameLength = LONGEST_FRAME;
  #mode = 0x0003;
  #frequency = 400;
  #pointer: number = REG.data;
  /** Milliseconds until the chip acknowledges again. */
  #deaf = 0;

  constructor(kind: VirtualOptigaKind, memory: ChipMemory<OptigaState>) {
    const kept = memory.load();
    if (kept !== undefined && kept.kind !== kind)
      throw new ElementError('invalid', `the virtual chip's file is one of ${kept.kind}, not of ${kind}`);
    const state = kept ?? newOptiga(kind);
    if (kept === undefined) memory.save(state);
    this.kind = kind;
    this.#store = new ObjectStore(memory, state);
    this.#address = this.#store.address;
    this.#commands = new CommandSet(this.#store);
    this.#link = this.#newLink();
  }

  #newLink(): LinkSide {
    return new LinkSide((command) => {
      const { answer, milliseconds } = this.#commands.execute(command);
      this.#running = { answer, left: milliseconds };
    });
  }

  #restart(): void {
    this.#commands = new CommandSet(this.#store);
    this.#link = this.#newLink();
    this.#running = undefined;
    this.#frameLength = LONGEST_FRAME;
    this.#address = this.#store.address;
    this.#deaf = RESTART;
  }

  elapse(milliseconds: number): void {
    this.#deaf = Math.max(0, this.#deaf - milliseconds);
    this.#link.elapse(milliseconds);
    const running = this.#running;
    if (running === undefined) return;
    running.left -= milliseconds;
    if (running.left > 0) return;
    this.#running = undefined;
    this.#link.answer(running.answer, this.#frameLength);
  }

  #acknowledge(address: number): void {
    if (address !== this.#address || this.#deaf > 0) throw new BusError('nack', `no chip answers at address ${address}`);
    this.#deaf = GUARD_TIME;
  }

  write(address: number, bytes: Buffer): void {
    this.#acknowledge(address);
    const [register] = bytes;
    if (register === undefined) return;
    this.#pointer = register;
    if (bytes.length > 1) this.#setRegister(register, bytes.subarray(1));
  }

  #setRegister(register: number, content: Buffer): void {
    if (register === REG.data) this.#link.write(content, this.#running !== undefined, this.#frameLength);
    if (content.length !== 2) return;
    const value = content.readUInt16BE(0);
    if (register === REG.dataLength) this.#frameLength = Math.min(Math.max(value, SHORTEST_FRAME), LONGEST_FRAME);
    else if (register === REG.reset) this.#restart();
    else if (register === REG.address) this.#setAddress(value);
    else if (register === REG.mode) this.#setMode(value);
  }

  #setAddress(value: number): void {
    this.#address = value & 0x7f;
    if (value >> 8 === PERSISTENT) this.#store.keepAddress(this.#address);
  }

  /** Standard and fast mode, or fast mode plus. */
  #setMode(value: number): void {
    const mode = value & 0x07;
    if (mode < 1 || mode > 4) return;
    this.#mode = value;
    this.#frequency = mode === 4 ? 1000 : 400;
  }

  read(address: number, length: number): Buffer {
    this.#acknowledge(address);
    const bytes = Buffer.alloc(length, 0xff);
    this.#register().copy(bytes);
    return bytes;
  }

  #register(): Buffer {
    const short = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);
    switch (this.#pointer) {
      case REG.data: {
        const frame = this.#link.offered ?? Buffer.alloc(0);
        this.#link.taken();
        return frame;
      }
      case REG.dataLength:
        return short(this.#frameLength);
      case REG.state:
        return this.#stateRegister();
      case REG.address:
        return short(this.#address);
      case REG.frequency:
        return Buffer.concat([Buffer.alloc(2), short(this.#frequency)]);
      case REG.mode:
        return short(this.#mode);
      default:
        return Buffer.alloc(0);
    }
  }

  #stateRegister(): Buffer {
    const { offered } = this.#link;
    const busy = this.#running === undefined ? 0 : STATE.busy;
    const ready = offered === undefined ? 0 : STATE.ready;
    const length = offered?.length ?? 0;
    // A Trust M shows beside a response that it has a presentation layer.
    const presentation = this.kind === 'optiga-trust-m' && offered !== undefined ? 0x80 : 0;
    return Buffer.of(busy | ready | STATE.canReset, presentation, length >> 8, length & 0xff);
  }

  /**
   * The private key of an object, for TLS in this process alone: a real chip has no such way. It is how the agent connects with a
   * virtual chip, since TLS libraries take a key and no function that signs. Nothing else may call it.
   */
  privateKeyForTls(name: string): KeyObject {
    const key = this.#store.key(name.toLowerCase().replace(/^0x/, ''));
    if (key === undefined) throw new ElementError('not-found', `the virtual chip has no key in ${name}`);
    const secret = Buffer.from(key.secret, 'hex');
    const point = pointOfPrivateKey(secret);
    const [d, x, y] = [secret, point.subarray(0, 32), point.subarray(32)].map((part) => part.toString('base64url'));
    return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d, x, y }, format: 'jwk' });
  }
}

/** A virtual chip of this kind: the one in the memory, or a new one where that is empty. */
export const openVirtualOptiga = (kind: VirtualOptigaKind, memory: ChipMemory<OptigaState>): VirtualOptiga =>
  new VirtualOptiga(kind, memory);
