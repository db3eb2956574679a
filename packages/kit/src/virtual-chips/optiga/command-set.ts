/**
 * The application of a virtual chip: commands and answers as byte strings, from the reference manual's tables. What it does not
 * have: RSA, symmetric keys, protected update, a shielded connection, the DTLS of a Trust X.
 */
import { createHash, type Hash, randomBytes } from 'node:crypto';
import { calcSharedSecret, calcSign, generateKeyPair, taggedValue, taggedValues, verifySign } from './key-commands.ts';
import { ChipFault, FAULT } from './object-metadata.ts';
import type { ObjectStore } from './object-store.ts';

const OPEN = 0x70;
const CLOSE = 0x71;
const GET = 0x01;
const APPLICATION = Buffer.from('D27600000447656E417574684170706C', 'hex');
const LAST_ERROR = 'f1c2';
const LAST_ERROR_METADATA = Buffer.from('2009c40101d001ffd10100', 'hex');
const LONGEST_ANSWER = 0x0615 - 4;
const SHA256 = 0xe2;
const CONTEXT = 0x06;
const CONTEXT_WANTED = 0x07;
const MAX_CONTEXTS = 16;

/** Milliseconds that commands take, about as real chips; others take SHORT. */
const TIMES = new Map([
  [OPEN, 20],
  [0x02, 15],
  [0x0c, 6],
  [0x31, 60],
  [0x32, 85],
  [0x33, 60],
  [0x38, 55],
]);
const SHORT = 3;

export interface Executed {
  readonly answer: Buffer;
  /** Until the answer is there. */
  readonly milliseconds: number;
}

export class CommandSet {
  readonly #store: ObjectStore;
  readonly #sessions = new Map<string, Buffer>();
  readonly #contexts = new Map<string, Hash>();
  #isOpen = false;
  #lastError = 0;
  #hash: Hash | undefined;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  execute(bytes: Buffer): Executed {
    const command = (bytes[0] ?? 0) & 0x7f;
    if ((bytes[0] ?? 0) >= 0x80) this.#lastError = 0;
    try {
      if (bytes.length < 4 || bytes.readUInt16BE(2) !== bytes.length - 4) throw new ChipFault(FAULT.invalidLength);
      const data = this.#run(command, bytes.readUInt8(1), bytes.subarray(4));
      return this.#executed(command, 0x00, data);
    } catch (error) {
      if (!(error instanceof ChipFault)) throw error;
      this.#lastError = Math.max(this.#lastError, error.code);
      return this.#executed(command, 0xff, Buffer.alloc(0));
    }
  }

  #executed(command: number, status: number, data: Buffer): Executed {
    const head = Buffer.of(status, 0, data.length >> 8, data.length & 0xff);
    return { answer: Buffer.concat([head, data]), milliseconds: TIMES.get(command) ?? SHORT };
  }

  #run(command: number, parameter: number, data: Buffer): Buffer {
    if (command === OPEN) return this.#open(parameter, data);
    const asksForError = command === GET && data.subarray(0, 2).toString('hex') === LAST_ERROR;
    if (!this.#isOpen && !asksForError) throw new ChipFault(FAULT.outOfSequence);
    switch (command) {
      case CLOSE:
        if (parameter !== 0) throw new ChipFault(FAULT.invalidParameter);
        this.#isOpen = false;
        return Buffer.alloc(0);
      case GET:
        return this.#get(parameter, data);
      case 0x02:
        return this.#set(parameter, data);
      case 0x0c:
        return this.#random(parameter, data);
      case 0x30:
        return this.#calcHash(parameter, data);
      case 0x31:
        return calcSign(this.#store, parameter, taggedValues(data));
      case 0x32:
        verifySign(this.#store, parameter, taggedValues(data));
        return Buffer.alloc(0);
      case 0x33:
        return calcSharedSecret(this.#store, parameter, taggedValues(data), this.#sessions);
      case 0x38:
        return generateKeyPair(this.#store, parameter, taggedValues(data));
      default:
        throw new ChipFault(FAULT.invalidCommand);
    }
  }

  #open(parameter: number, data: Buffer): Buffer {
    if (parameter !== 0) throw new ChipFault(FAULT.invalidParameter);
    if (!data.equals(APPLICATION)) throw new ChipFault(FAULT.invalidData);
    this.#isOpen = true;
    this.#hash = undefined;
    this.#sessions.clear();
    return Buffer.alloc(0);
  }

  #get(parameter: number, data: Buffer): Buffer {
    if (parameter > 1) throw new ChipFault(FAULT.invalidParameter);
    if (data.length !== 2 && !(data.length === 6 && parameter === 0)) throw new ChipFault(FAULT.invalidLength);
    const id = data.subarray(0, 2).toString('hex');
    if (id === LAST_ERROR) {
      if (parameter === 1) return LAST_ERROR_METADATA;
      const code = this.#lastError;
      this.#lastError = 0;
      return Buffer.of(code);
    }
    if (parameter === 1) return this.#store.metadata(id);
    const [offset, length] = data.length === 6 ? [data.readUInt16BE(2), data.readUInt16BE(4)] : [0, 0xffff];
    return this.#store.read(id, offset, Math.min(length, LONGEST_ANSWER));
  }

  #set(parameter: number, data: Buffer): Buffer {
    if (data.length < 5) throw new ChipFault(FAULT.invalidLength);
    const id = data.subarray(0, 2).toString('hex');
    const content = data.subarray(4);
    if (parameter === 0x01) this.#store.setMetadata(id, content);
    else if (parameter === 0x00 || parameter === 0x40) this.#store.write(id, data.readUInt16BE(2), content, parameter === 0x40);
    else throw new ChipFault(FAULT.invalidParameter);
    return Buffer.alloc(0);
  }

  #random(parameter: number, data: Buffer): Buffer {
    if (parameter > 1) throw new ChipFault(FAULT.invalidParameter);
    if (data.length !== 2) throw new ChipFault(FAULT.invalidLength);
    const length = data.readUInt16BE(0);
    if (length < 8 || length > 256) throw new ChipFault(FAULT.invalidData);
    return randomBytes(length);
  }

  /**
   * Tags: 00 begins, 01 is all, 02 goes on, 03 ends; with 10 added it is the content of an object. 06 brings a context back, and
   * 07 asks for one: here that is a number, and the state that it stands for stays in the chip.
   */
  #calcHash(parameter: number, data: Buffer): Buffer {
    if (parameter !== SHA256) throw new ChipFault(FAULT.invalidParameter);
    const values = taggedValues(data);
    const found = [...values].find(([tag]) => tag !== CONTEXT && tag !== CONTEXT_WANTED);
    if (found === undefined) throw new ChipFault(FAULT.invalidData);
    const [tag, value] = found;
    const step = tag & 0x0f;
    if (step > 3 || tag > 0x13) throw new ChipFault(FAULT.invalidData);
    const context = values.get(CONTEXT);
    if (step < 2) this.#hash = createHash('sha256');
    else if (context !== undefined) this.#hash = this.#contexts.get(context.toString('hex'))?.copy();
    if (this.#hash === undefined) throw new ChipFault(FAULT.outOfSequence);
    this.#hash.update(tag < 0x10 ? value : this.#named(value));
    if (step === 0 || step === 2) return values.has(CONTEXT_WANTED) ? this.#exported(this.#hash) : Buffer.alloc(0);
    const digest = this.#hash.digest();
    this.#hash = undefined;
    return taggedValue(0x01, digest);
  }

  /** Keeps the state of a hash, the last few of them; the number that it is found by. */
  #exported(state: Hash): Buffer {
    const context = randomBytes(16);
    this.#contexts.set(context.toString('hex'), state.copy());
    const [oldest] = this.#contexts.keys();
    if (this.#contexts.size > MAX_CONTEXTS && oldest !== undefined) this.#contexts.delete(oldest);
    return taggedValue(CONTEXT, context);
  }

  #named(value: Buffer): Buffer {
    if (value.length !== 6) throw new ChipFault(FAULT.invalidData);
    return this.#store.read(value.subarray(0, 2).toString('hex'), value.readUInt16BE(2), value.readUInt16BE(4));
  }
}
