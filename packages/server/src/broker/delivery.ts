/**
 * Delivery to one client: QoS 0 goes straight to the output or, beyond the bound, nowhere; QoS 1 goes through a window
 * of unacknowledged packets with a bounded queue behind it. Whoever fills a client up is held back for a moment; a client
 * that stays full is marked slow and holds nobody back any more.
 */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { Output } from './output.ts';
import { keep, type Segment } from './run.ts';

/** Bytes waiting for one client beyond which its publishers are held back. */
const FULL = 1024 * 1024;
/** Bytes beyond which QoS 0 messages are dropped. */
const MOST = 3 * 1024 * 1024;
/** Milliseconds for which a full client may hold publishers back, and for which it then may not. */
const PATIENCE = 250;
const PENANCE = 30_000;

export interface Waiter {
  /** One of the clients that this publisher waited for has room again. */
  released(): void;
}

interface Queued {
  readonly segment: Segment;
  next: number;
}

/** Bytes of memory that a queued segment takes, its objects and tables included: small messages cost more than they weigh. */
const costOf = (segment: Segment): number => segment.bytes.length + 8 * segment.count + 512;

export interface DeliveryCounters {
  sent: number;
  dropped: number;
}

export class Delivery {
  readonly #output: Output;
  readonly #counters: DeliveryCounters;
  readonly #window: number;
  /** Largest packet that the client takes (MQTT 5 Maximum Packet Size). */
  readonly #largest: number;
  /** Identifiers of unacknowledged packets in the order of sending; 0 where the acknowledgement came early. */
  readonly #sentIds = new Uint16Array(128);
  #head = 0;
  /** Identifiers in the ring, holes included. */
  #pendingIds = 0;
  #inFlight = 0;
  #nextId = 1;
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #waiters: Waiter[] = [];
  /** Monotonic ms: full since, and slow until; 0 when neither. */
  fullSince = 0;
  #slowUntil = 0;

  constructor(output: Output, counters: DeliveryCounters, receiveMaximum: number, largest: number) {
    this.#output = output;
    this.#counters = counters;
    this.#window = Math.min(receiveMaximum, LIMITS.inFlight);
    this.#largest = largest;
  }

  /** Whether the client itself should not be read from: it takes nothing, so what it sends must not cause more. */
  get stuck(): boolean {
    return this.#slowUntil === 0 && this.#output.pending > FULL;
  }

  /** Whether publishers should wait before they send more here. */
  get full(): boolean {
    return this.#slowUntil === 0 && (this.#output.pending > FULL || this.#queuedBytes > FULL);
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  sendQos0(segment: Segment): void {
    if (this.#output.pending > MOST) {
      this.#counters.dropped += segment.count;
      return;
    }
    if (segment.largest > this.#largest) {
      this.#sendFitting(segment);
      return;
    }
    const start = segment.at[0] as number;
    const size = (segment.at[segment.count] as number) - start;
    const to = this.#output.reserve(size);
    segment.bytes.copy(to, this.#output.at, start, start + size);
    this.#counters.sent += segment.count;
  }

  /** False when the queue is beyond its bound: the client must go, since nothing acknowledged may be dropped. */
  sendQos1(segment: Segment): boolean {
    let from = 0;
    if (this.#queue.length === 0) {
      from = Math.min(this.#room(), segment.count);
      if (from > 0) this.#send(segment, 0, from);
    }
    if (from < segment.count) {
      const kept = keep(segment, from);
      this.#queue.push({ segment: kept, next: 0 });
      this.#queuedBytes += costOf(kept);
      // All that was sent may have been too large for this client, and then no acknowledgement will come to go on.
      if (this.#inFlight === 0) this.#sendQueued();
    }
    return this.#queuedBytes <= MOST;
  }

  /** A PUBACK came. One for a packet that is not in flight changes nothing. */
  acknowledged(packetId: number): void {
    const ids = this.#sentIds;
    const size = this.#pendingIds;
    for (let i = 0; i < size; i += 1) {
      const at = (this.#head + i) & 127;
      if (ids[at] !== packetId) continue;
      ids[at] = 0;
      this.#inFlight -= 1;
      break;
    }
    while (this.#pendingIds > 0 && ids[this.#head] === 0) {
      this.#head = (this.#head + 1) & 127;
      this.#pendingIds -= 1;
    }
    if (this.#queue.length > 0) this.#sendQueued();
  }

  wait(waiter: Waiter, now: number): void {
    if (this.fullSince === 0) this.fullSince = now;
    this.#waiters.push(waiter);
  }

  /** The output has taken bytes, or acknowledgements came: who waited may go on once half of the bound is free. */
  drained(): void {
    if (this.#output.pending > FULL / 2 || this.#queuedBytes > FULL / 2) return;
    this.fullSince = 0;
    this.#release();
  }

  /** Gives up waiting for a client that stays full. Says whether it is slow now. */
  judge(now: number): boolean {
    if (this.#slowUntil !== 0 && now >= this.#slowUntil && this.#output.pending < FULL / 2) this.#slowUntil = 0;
    if (this.fullSince !== 0 && now - this.fullSince > PATIENCE) {
      this.#slowUntil = now + PENANCE;
      this.fullSince = 0;
      this.#release();
    }
    return this.#slowUntil !== 0;
  }

  close(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#release();
  }

  /** Packets that may be sent now. Early acknowledgements leave holes: the ring, not only the count, must have room. */
  #room(): number {
    return Math.min(this.#window - this.#inFlight, this.#sentIds.length - this.#pendingIds);
  }

  #release(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.released();
  }

  /** Packets that this client's Maximum Packet Size allows; the others are not sent to it [MQTT-3.1.2-24, 3.1.2-25]. */
  #sendFitting(segment: Segment): void {
    for (let i = 0; i < segment.count; i += 1) {
      const start = segment.at[i] as number;
      const size = (segment.at[i + 1] as number) - start;
      if (size > this.#largest) {
        this.#counters.dropped += 1;
        continue;
      }
      const to = this.#output.reserve(size);
      segment.bytes.copy(to, this.#output.at, start, start + size);
      this.#counters.sent += 1;
    }
  }

  #send(segment: Segment, from: number, to: number): void {
    if (segment.largest > this.#largest) {
      for (let i = from; i < to; i += 1) {
        if ((segment.at[i + 1] as number) - (segment.at[i] as number) <= this.#largest) this.#sendRange(segment, i, i + 1);
        else this.#counters.dropped += 1;
      }
      return;
    }
    this.#sendRange(segment, from, to);
  }

  #sendRange(segment: Segment, from: number, to: number): void {
    const start = segment.at[from] as number;
    const size = (segment.at[to] as number) - start;
    const bytes = this.#output.reserve(size);
    const shift = this.#output.at - start;
    segment.bytes.copy(bytes, this.#output.at, start, start + size);
    let id = this.#nextId;
    for (let i = from; i < to; i += 1) {
      const at = (segment.idAt[i] as number) + shift;
      bytes[at] = id >> 8;
      bytes[at + 1] = id & 0xff;
      this.#sentIds[(this.#head + this.#pendingIds) & 127] = id;
      this.#pendingIds += 1;
      id = id === 0xffff ? 1 : id + 1;
    }
    this.#nextId = id;
    this.#inFlight += to - from;
    this.#counters.sent += to - from;
  }

  #sendQueued(): void {
    while (this.#queue.length > 0) {
      const room = this.#room();
      if (room <= 0) return;
      const first = this.#queue[0] as Queued;
      const upTo = Math.min(first.next + room, first.segment.count);
      this.#send(first.segment, first.next, upTo);
      first.next = upTo;
      // Packets too large for this client took no room: there may be some left.
      if (upTo < first.segment.count) continue;
      this.#queue.shift();
      this.#queuedBytes -= costOf(first.segment);
      if (this.fullSince !== 0) this.drained();
    }
  }
}
