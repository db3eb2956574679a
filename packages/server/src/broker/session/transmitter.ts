/**
 * Messages onto one connection: copied into its output, numbered, remembered until they are acknowledged, and sent again
 * when that takes too long.
 */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Aliases } from '../message/aliases.ts';
import type { DeliveryCounters } from './delivery-counters.ts';
import { InFlight } from './in-flight.ts';
import type { RateLimited } from './rate-limit-queue.ts';
import { type EncodedBatch, headerEnd } from '../message/publish-batch.ts';
import { IN_MEMORY, isKept, type StoragePlace } from './storage-place.ts';
import type { TopicEntry } from '../message/topic-entry.ts';

/** Milliseconds after which an unacknowledged packet is sent again on a live connection (AWS does so after about 30 s). */
const REDELIVERY = 30_000;
/** Milliseconds for which an unacknowledged packet may point into the buffer that it was read into. */
const SETTLE = 1_000;
/** Bytes of unacknowledged packets beyond which no more are sent. */
const MAX_IN_FLIGHT = 1024 * 1024;

/** Where packets for one peer are gathered before they are written. */
export interface DeliveryOutput {
  /** Bytes that may wait here now, and in memory for this peer elsewhere. */
  readonly bound: number;
  /** Bytes gathered or on their way. */
  readonly pending: number;
  /** Where the last reservation begins in its buffer. */
  readonly at: number;
  /** Makes room for so many bytes and gives the buffer to fill, from `at` on. */
  reserve(size: number): Buffer;
  /** Counts bytes kept in memory for this peer outside of here. */
  account(bytes: number): void;
}

/** The rates of a connection and its account, as far as they bind what is sent to it. */
export interface DeliveryRates {
  /** The connection is new: rows up to this sequence were stored before it, and are replayed. */
  replays(storedUpTo: number): void;
  /** How many messages of the batch, `from` on and `max` at most, may be sent now; `row` is where they are kept. */
  fits(encoded: EncodedBatch, from: number, max: number, row: StoragePlace): number;
  /** Counts messages that were sent. */
  sent(encoded: EncodedBatch, from: number, to: number, row: StoragePlace): void;
  /** How many messages of QoS 0 may be sent now; they are sent, and the others are discarded. */
  pass(encoded: EncodedBatch): number;
  /** Messages of QoS 1 do not fit: `limited` is asked to go on when tokens have come back. */
  wait(limited: RateLimited, row: StoragePlace): void;
}

/** What a client may receive. */
export interface ReceivePermissions {
  /** Rises when the permissions change. */
  readonly generation: number;
  /** Whether the client may have messages of the topic now; a refusal is recorded. */
  mayReceive(topic: TopicEntry): boolean;
}

/** The connection that a session has got. */
export interface ConnectionLink {
  readonly output: DeliveryOutput;
  readonly permissions: ReceivePermissions;
  /** The topics of the client's account. */
  readonly topics: { topic(name: string): TopicEntry };
  readonly level: 4 | 5;
  readonly receiveMaximum: number;
  /** Largest packet that the client takes (MQTT 5 Maximum Packet Size). */
  readonly largest: number;
  readonly aliases: Aliases | undefined;
  /** Undefined where the account has no rates. */
  readonly rates: DeliveryRates | undefined;
  /** Messages could not be read or stored. */
  failed(error: unknown): void;
}

export interface TransmitterOptions {
  readonly link: ConnectionLink;
  readonly counters: DeliveryCounters;
  readonly clock: Clock;
  /** A stored or assigned message was acknowledged, or must not be sent: its row, and its place in it. */
  readonly done: (row: StoragePlace, index: number) => void;
}

export class Transmitter {
  readonly link: ConnectionLink;
  readonly output: DeliveryOutput;
  readonly #counters: DeliveryCounters;
  readonly #clock: Clock;
  readonly #done: TransmitterOptions['done'];
  readonly #window: number;
  /** Made by the first message of QoS 1: most connections never have one. */
  #inFlight: InFlight | undefined;
  #nextId = 1;
  /** By packet identifier: who waits for the acknowledgement of a direct message. */
  #confirmations: Map<number, () => void> | undefined;

  constructor({ link, counters, clock, done }: TransmitterOptions) {
    this.link = link;
    this.output = link.output;
    this.#counters = counters;
    this.#clock = clock;
    this.#done = done;
    this.#window = Math.min(link.receiveMaximum, LIMITS.inFlight);
  }

  /** Packets that may be sent now. Early acknowledgements leave holes: the ring, not only the count, must have room. */
  get room(): number {
    const inFlight = this.#inFlight;
    if (inFlight === undefined) return this.#window;
    return inFlight.bytes > MAX_IN_FLIGHT ? 0 : Math.min(this.#window - inFlight.count, inFlight.room);
  }

  /** Messages of the batch, `from` on, that may be sent now; `row` is where they are kept. */
  fits(encoded: EncodedBatch, from: number, row: StoragePlace): number {
    const max = Math.min(this.room, encoded.count - from);
    const { rates } = this.link;
    return rates === undefined || max <= 0 ? max : rates.fits(encoded, from, max, row);
  }

  /** Packets that were sent and are not acknowledged. */
  get inFlight(): number {
    return this.#inFlight?.count ?? 0;
  }

  /** Whether no acknowledgement is to come. */
  get idle(): boolean {
    return this.#inFlight === undefined || this.#inFlight.count === 0;
  }

  sendQos0(encoded: EncodedBatch, topic: TopicEntry): void {
    const { output, link } = this;
    if (output.pending > output.bound) {
      this.#counters.dropped['slow-client'] += encoded.count;
      return;
    }
    const count = link.rates === undefined ? encoded.count : link.rates.pass(encoded);
    if (count === 0) return;
    if (encoded.largest > link.largest || link.aliases !== undefined) {
      for (let i = 0; i < count; i += 1) this.#sendOne(encoded, i, topic, IN_MEMORY, 0);
      return;
    }
    const start = encoded.at[0] as number;
    const size = (encoded.at[count] as number) - start;
    const to = output.reserve(size);
    encoded.bytes.copy(to, output.at, start, start + size);
    this.#counters.sentQos0 += count;
  }

  /** Sends messages `from` to `to` at QoS 1; the encoded's first one is number `first` where it is kept, in `row`. */
  send(encoded: EncodedBatch, from: number, to: number, topic: TopicEntry, row: StoragePlace, first: number): void {
    const { link } = this;
    link.rates?.sent(encoded, from, to, row);
    if (encoded.largest > link.largest || link.aliases !== undefined)
      for (let i = from; i < to; i += 1) this.#sendOne(encoded, i, topic, row, first + i);
    else this.#sendRange(encoded, from, to, topic, row, first);
  }

  /**
   * Sends the one message of an encoded batch at QoS 1 and calls `confirmed` once it is acknowledged. The answer gives up
   * waiting.
   */
  sendConfirmed(encoded: EncodedBatch, topic: TopicEntry, confirmed: () => void): () => void {
    const id = this.#nextId;
    this.send(encoded, 0, 1, topic, IN_MEMORY, 0);
    this.#confirmations ??= new Map();
    this.#confirmations.set(id, confirmed);
    return () => {
      if (this.#confirmations?.delete(id)) this.#inFlight?.acknowledge(id);
    };
  }

  /** A PUBACK came. False when its packet is not in flight: that changes nothing. */
  acknowledged(packetId: number): boolean {
    const inFlight = this.#inFlight;
    if (inFlight === undefined || !inFlight.acknowledge(packetId)) return false;
    if (isKept(inFlight.row)) this.#done(inFlight.row, inFlight.index);
    if (this.#confirmations !== undefined && this.#confirmations.size > 0) {
      const confirmed = this.#confirmations.get(packetId);
      this.#confirmations.delete(packetId);
      confirmed?.();
    }
    return true;
  }

  /** Sends again what has waited for its acknowledgement for too long. */
  redeliver(now: number): void {
    const inFlight = this.#inFlight;
    const { output, link } = this;
    if (inFlight === undefined || inFlight.count === 0) return;
    inFlight.settle(now - SETTLE);
    // A client that takes nothing has these packets before it still.
    if (output.pending > 0) return;
    for (const { packetId, bytes, start, end, topic } of inFlight.overdue(now - REDELIVERY, now)) {
      if (!link.permissions.mayReceive(topic)) {
        this.acknowledged(packetId);
        continue;
      }
      const to = output.reserve(end - start);
      const { at } = output;
      bytes.copy(to, at, start, end);
      writeId(to, at, packetId);
      this.#counters.sentQos1 += 1;
    }
  }

  #sendRange(encoded: EncodedBatch, from: number, to: number, topic: TopicEntry, row: StoragePlace, first: number): void {
    const { output } = this;
    this.#inFlight ??= new InFlight();
    const inFlight = this.#inFlight;
    const start = encoded.at[from] as number;
    const size = (encoded.at[to] as number) - start;
    const bytes = output.reserve(size);
    const shift = output.at - start;
    encoded.bytes.copy(bytes, output.at, start, start + size);
    const now = this.#clock.monotonic();
    let id = this.#nextId;
    for (let i = from; i < to; i += 1) {
      const at = (encoded.idAt[i] as number) + shift;
      bytes[at] = id >> 8;
      bytes[at + 1] = id & 0xff;
      inFlight.add(id, now, encoded.bytes, encoded.at[i] as number, encoded.at[i + 1] as number, topic, row, first + i);
      id = id === 0xffff ? 1 : id + 1;
    }
    this.#nextId = id;
    this.#counters.sentQos1 += to - from;
  }

  /** A packet by itself: too large for the client, and then not sent to it [MQTT-3.1.2-24, 3.1.2-25], or with an alias. */
  #sendOne(encoded: EncodedBatch, i: number, topic: TopicEntry, row: StoragePlace, index: number): void {
    const { output, aliases, largest } = this.link;
    const start = encoded.at[i] as number;
    const end = encoded.at[i + 1] as number;
    if (end - start > largest) {
      this.#counters.dropped['too-large'] += 1;
      if (isKept(row)) this.#done(row, index);
      return;
    }
    const packet = aliases?.apply(encoded.bytes, start, end, topic) ?? encoded.bytes.subarray(start, end);
    const to = output.reserve(packet.length);
    const { at } = output;
    packet.copy(to, at);
    if (((packet[0] as number) & 0x06) === 0) {
      this.#counters.sentQos0 += 1;
      return;
    }
    this.#counters.sentQos1 += 1;
    this.#inFlight ??= new InFlight();
    const id = this.#nextId;
    this.#nextId = id === 0xffff ? 1 : id + 1;
    writeId(to, at, id);
    this.#inFlight.add(id, this.#clock.monotonic(), encoded.bytes, start, end, topic, row, index);
  }
}

/** Writes the identifier of the PUBLISH at `at`: behind its topic. */
function writeId(bytes: Buffer, at: number, id: number): void {
  const topicAt = headerEnd(bytes, at);
  const length = ((bytes[topicAt] as number) << 8) | (bytes[topicAt + 1] as number);
  const pos = topicAt + 2 + length;
  bytes[pos] = id >> 8;
  bytes[pos + 1] = id & 0xff;
}
