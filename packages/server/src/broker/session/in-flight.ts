/**
 * QoS 1 packets that were sent and not acknowledged: a ring in the order of sending. An acknowledgement that comes out of
 * order leaves a hole, so the ring is a little longer than the window.
 */
import { ownCopy } from '../../mqtt/cursor.ts';
import { IN_MEMORY, type StoragePlace } from './storage-place.ts';
import type { TopicEntry } from '../message/topic-entry.ts';

const SIZE = 128;
const MASK = SIZE - 1;

/** A packet that was sent. */
export interface Sent {
  readonly packetId: number;
  /** The packet as it was before an alias took the topic's place. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly topic: TopicEntry;
  /** Where it is kept, and which message there it is. */
  readonly row: StoragePlace;
  readonly index: number;
}

export class InFlight {
  readonly #ids = new Uint16Array(SIZE);
  readonly #sentAt = new Float64Array(SIZE);
  readonly #start = new Int32Array(SIZE);
  readonly #end = new Int32Array(SIZE);
  readonly #rows = new Float64Array(SIZE);
  readonly #index = new Int32Array(SIZE);
  readonly #bytes: (Buffer | undefined)[] = new Array(SIZE);
  readonly #topics: (TopicEntry | undefined)[] = new Array(SIZE);
  #head = 0;
  /** Slots in use, holes included. */
  #used = 0;
  /** Packets that are not acknowledged, and their size. */
  count = 0;
  bytes = 0;
  /** Where the packet that was acknowledged last is stored: no object on the hot path. */
  row: StoragePlace = IN_MEMORY;
  index = 0;

  /** Slots left. */
  get room(): number {
    return SIZE - this.#used;
  }

  add(
    id: number,
    now: number,
    bytes: Buffer,
    start: number,
    end: number,
    topic: TopicEntry,
    row: StoragePlace,
    index: number,
  ): void {
    const slot = (this.#head + this.#used) & MASK;
    this.#ids[slot] = id;
    this.#sentAt[slot] = now;
    this.#bytes[slot] = bytes;
    this.#start[slot] = start;
    this.#end[slot] = end;
    this.#topics[slot] = topic;
    this.#rows[slot] = row;
    this.#index[slot] = index;
    this.#used += 1;
    this.count += 1;
    this.bytes += end - start;
  }

  /** Takes the packet out, and leaves in `row` and `index` where it is stored. False when there is none such. */
  acknowledge(packetId: number): boolean {
    const ids = this.#ids;
    for (let i = 0; i < this.#used; i += 1) {
      const slot = (this.#head + i) & MASK;
      if (ids[slot] !== packetId) continue;
      ids[slot] = 0;
      this.row = this.#rows[slot] as number;
      this.index = this.#index[slot] as number;
      this.#bytes[slot] = undefined;
      this.#topics[slot] = undefined;
      this.count -= 1;
      this.bytes -= (this.#end[slot] as number) - (this.#start[slot] as number);
      while (this.#used > 0 && ids[this.#head] === 0) {
        this.#head = (this.#head + 1) & MASK;
        this.#used -= 1;
      }
      return true;
    }
    return false;
  }

  /** Packets sent before `until`, in order; they count as sent at `now` from here on. */
  overdue(until: number, now: number): Sent[] {
    const found: Sent[] = [];
    for (let i = 0; i < this.#used; i += 1) {
      const slot = (this.#head + i) & MASK;
      if (this.#ids[slot] === 0 || (this.#sentAt[slot] as number) > until) continue;
      this.#sentAt[slot] = now;
      found.push({
        packetId: this.#ids[slot] as number,
        bytes: this.#bytes[slot] as Buffer,
        start: this.#start[slot] as number,
        end: this.#end[slot] as number,
        topic: this.#topics[slot] as TopicEntry,
        row: this.#rows[slot] as number,
        index: this.#index[slot] as number,
      });
    }
    return found;
  }

  /** Packets sent before `until` get memory of their own, so that they do not keep a whole read buffer alive. */
  settle(until: number): void {
    for (let i = 0; i < this.#used; i += 1) {
      const slot = (this.#head + i) & MASK;
      const bytes = this.#bytes[slot];
      const size = (this.#end[slot] as number) - (this.#start[slot] as number);
      if (bytes === undefined || bytes.buffer.byteLength === size || (this.#sentAt[slot] as number) > until) continue;
      this.#bytes[slot] = ownCopy(bytes.subarray(this.#start[slot] as number, this.#end[slot] as number));
      this.#start[slot] = 0;
      this.#end[slot] = size;
    }
  }

  clear(): void {
    this.#bytes.fill(undefined);
    this.#topics.fill(undefined);
    this.#head = 0;
    this.#used = 0;
    this.count = 0;
    this.bytes = 0;
  }
}
