/**
 * What waits to be sent to one peer. Packets of one turn of the event loop are gathered and written together; while a
 * write is on its way the next one gathers. So one system call and one TLS record can carry hundreds of packets.
 */
import { MEMORY } from '../../runtime/memory.ts';
import type { Channel } from '../contract.ts';

/** Not a power of two, so that no pool of Node's own has this size and is taken for one of ours. */
const LARGEST_SLAB = 60 * 1024;
const SMALLEST_SLAB = 512;
/** Slabs kept for reuse, over all connections. */
const MAX_SPARE = Math.min(128, Math.floor(MEMORY.output / 16 / LARGEST_SLAB));

const spare: Buffer[] = [];
/** What an output without buffers has: a list of its own for each write would be most of the garbage that a message makes. */
const NONE: Buffer[] = [];

const takeSlab = (size: number): Buffer => {
  if (size !== LARGEST_SLAB) return Buffer.allocUnsafe(size);
  return spare.pop() ?? Buffer.allocUnsafeSlow(LARGEST_SLAB);
};

/**
 * Small writes share a buffer: one of its own, and the view that is sent of it, would be most of the garbage of a small message.
 * It is small, since a peer that stops reading keeps all of it in memory.
 */
const SHARED = 8 * 1024;
const SMALLEST_PART = 128;
const LARGEST_PART = 1024;
let shared = Buffer.allocUnsafeSlow(SHARED);
let sharedUsed = 0;

/** Bytes that may wait for one peer; those of all together are a share of the memory ({@link MEMORY}). */
const MAX_PENDING = 3 * 1024 * 1024;
/** Bytes handed to the channel at once: until they have left, it keeps them, and TLS a second time. */
const MAX_AT_ONCE = 240 * 1024;

/** Outputs that were written to in this turn, and what waits for all peers. */
export class Flusher {
  /** Bytes in memory that wait for peers. */
  pending = 0;
  /** Bytes that were handed to channels. */
  sentBytes = 0;
  /** Bytes that may wait for all peers together. */
  readonly budget: number;
  /** The first `#count` entries; the other list is that of the turn before, kept for the next one. */
  #touched: (Output | undefined)[] = [];
  #other: (Output | undefined)[] = [];
  #count = 0;
  #scheduled = false;

  constructor(budget: number = MEMORY.output) {
    this.budget = budget;
  }

  /**
   * Bytes that may wait for one peer now: the more wait in all, the fewer each may have, so that the sum stays below the
   * budget however many peers stop reading (the dynamic threshold of shared-memory switches).
   */
  get bound(): number {
    return Math.max(0, Math.min(MAX_PENDING, (this.budget - this.pending) >> 2));
  }

  touch(output: Output): void {
    this.#touched[this.#count++] = output;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // The check phase comes after all sockets that were readable in this turn have been served.
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const touched = this.#touched;
    const count = this.#count;
    this.#touched = this.#other;
    this.#other = touched;
    this.#count = 0;
    for (let i = 0; i < count; i += 1) {
      const output = touched[i];
      touched[i] = undefined;
      output?.flush();
    }
  };
}

export class Output {
  readonly #channel: Channel;
  readonly #flusher: Flusher;
  readonly #drained: () => void;
  /** Full slabs before the one being filled. */
  #full: Buffer[] = NONE;
  #fullBytes = 0;
  #slab: Buffer | undefined;
  /** What may be filled of the slab: where it begins, how much it is, and how much of it is filled. */
  #from = 0;
  #room = 0;
  #used = 0;
  #writing = 0;
  #onWay: Buffer[] = NONE;
  #touched = false;
  #lastSize = 0;
  #closed = false;

  constructor(channel: Channel, flusher: Flusher, drained: () => void) {
    this.#channel = channel;
    this.#flusher = flusher;
    this.#drained = drained;
  }

  /** Bytes that may wait here now, and in memory for this peer elsewhere. */
  get bound(): number {
    return this.#flusher.bound;
  }

  /** Bytes kept in memory for this peer outside of its output. */
  account(bytes: number): void {
    this.#flusher.pending += bytes;
  }

  /** Bytes gathered or on their way. */
  get pending(): number {
    return this.#writing + this.#fullBytes + this.#used;
  }

  /** Where the last reservation begins in `slab`. */
  at = 0;

  /** Makes room for `size` bytes and gives the buffer to fill, from `this.at` on. */
  reserve(size: number): Buffer {
    let slab = this.#slab;
    if (slab === undefined || this.#room - this.#used < size) slab = this.#grow(size);
    this.at = this.#from + this.#used;
    this.#used += size;
    if (!this.#closed) this.#flusher.pending += size;
    if (!this.#touched) {
      this.#touched = true;
      this.#flusher.touch(this);
    }
    return slab;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.at);
  }

  flush(): void {
    this.#touched = false;
    if (this.#writing > 0 || this.#closed) return;
    this.#send();
  }

  /** Drops what was gathered and takes no more. */
  close(): void {
    if (this.#closed) return;
    this.discard();
    this.#flusher.pending -= this.#writing;
    this.#closed = true;
  }

  /** Drops what was gathered and has not been handed to the channel. */
  discard(): void {
    this.#flusher.pending -= this.#fullBytes + this.#used;
    this.#full = NONE;
    this.#fullBytes = 0;
    this.#slab = undefined;
    this.#used = 0;
  }

  /** Sends what was gathered and closes the channel behind it. */
  end(): void {
    if (this.#closed) return;
    // What is on its way is the socket's from now on.
    this.#flusher.pending -= this.pending;
    if (this.#used > 0 || this.#fullBytes > 0) this.#channel.write(this.#gather(), () => {});
    this.#closed = true;
    this.#channel.end();
  }

  #grow(size: number): Buffer {
    const filled = this.#cut();
    if (filled !== undefined) {
      if (this.#full === NONE) this.#full = [];
      this.#full.push(filled);
      this.#fullBytes += filled.length;
    }
    const wanted = Math.max(size, this.#fullBytes > 0 ? LARGEST_SLAB : Math.min(LARGEST_SLAB, this.#lastSize * 2));
    if (wanted <= LARGEST_PART) return this.#takePart(Math.max(wanted, SMALLEST_PART));
    this.#slab = takeSlab(Math.max(wanted, SMALLEST_SLAB));
    this.#from = 0;
    this.#room = this.#slab.length;
    return this.#slab;
  }

  /** A part of the buffer that small writes share. */
  #takePart(size: number): Buffer {
    if (sharedUsed + size > SHARED) {
      shared = Buffer.allocUnsafeSlow(SHARED);
      sharedUsed = 0;
    }
    this.#slab = shared;
    this.#from = sharedUsed;
    this.#room = size;
    sharedUsed += size;
    return shared;
  }

  /** What was filled of the slab; it is given up. */
  #cut(): Buffer | undefined {
    const slab = this.#slab;
    if (slab === undefined || this.#used === 0) return undefined;
    const end = this.#from + this.#used;
    // What was not needed, when no other output has taken more since.
    if (slab === shared && this.#from + this.#room === sharedUsed) sharedUsed = end;
    const filled = slab.subarray(this.#from, end);
    this.#slab = undefined;
    this.#used = 0;
    return filled;
  }

  #gather(): Buffer[] {
    const full = this.#full;
    const last = this.#cut();
    this.#full = NONE;
    this.#fullBytes = 0;
    if (last === undefined) return full;
    if (full === NONE) return [last];
    full.push(last);
    return full;
  }

  #send(): void {
    const size = this.#fullBytes + this.#used;
    if (size === 0) return;
    this.#lastSize = Math.min(size, LARGEST_SLAB);
    if (this.#fullBytes > MAX_AT_ONCE) this.#onWay = this.#part();
    else this.#onWay = this.#gather();
    this.#writing = size - this.#fullBytes - this.#used;
    this.#flusher.sentBytes += this.#writing;
    this.#channel.write(this.#onWay, this.#sent);
  }

  /** The first of the full slabs. */
  #part(): Buffer[] {
    let bytes = 0;
    let count = 0;
    while (bytes < MAX_AT_ONCE) bytes += (this.#full[count++] as Buffer).length;
    this.#fullBytes -= bytes;
    return this.#full.splice(0, count);
  }

  readonly #sent = (): void => {
    for (const buffer of this.#onWay) {
      if (buffer.buffer.byteLength === LARGEST_SLAB && spare.length < MAX_SPARE) spare.push(Buffer.from(buffer.buffer));
    }
    this.#onWay = NONE;
    if (!this.#closed) this.#flusher.pending -= this.#writing;
    this.#writing = 0;
    if (this.#closed) return;
    this.#send();
    this.#drained();
  };
}
