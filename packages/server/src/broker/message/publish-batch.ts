/**
 * Messages of one topic that arrived side by side, still in the read buffer. They are authorized and routed once, and
 * copied to a subscriber of the same protocol version in one piece. An encoded batch is such messages in one form of the wire.
 */
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { ownCopy } from '../../mqtt/cursor.ts';
import { sizedEnd, varintAt, varintEnd, varintSize, writeVarint } from '../../mqtt/varint.ts';
import type { TopicEntry } from './topic-entry.ts';

/** Messages of one batch at most. */
export const MAX_BATCH = 2048;

/** Whole PUBLISH packets, one behind another, of one protocol level and QoS. */
export interface EncodedBatch {
  readonly bytes: Buffer;
  readonly count: number;
  /** Where each packet begins; one more entry tells where the last one ends. */
  readonly at: Int32Array;
  /** Where each packet's identifier is (QoS 1). */
  readonly idAt: Int32Array;
  /** Size of the largest packet. */
  readonly largest: number;
  /** A copy for keeping, made once for all who keep it. */
  kept?: EncodedBatch | undefined;
}

/** Where the variable header of the packet at `start` begins. */
export const headerEnd = (bytes: Buffer, start: number): number => varintEnd(bytes, start + 1);

const NO_BYTES = Buffer.alloc(0);

/** The one batch that is being gathered. Only one connection is read from at a time, so one is enough. */
export class PublishBatch<Topic extends TopicEntry = TopicEntry> implements EncodedBatch {
  bytes: Buffer = NO_BYTES;
  level: ProtocolLevel = 4;
  qos = 0;
  count = 0;
  largest = 0;
  topic: Topic;
  /** When its messages expire, milliseconds since the epoch; undefined for never. A batch that expires holds one message. */
  expiresAt: number | undefined;
  /** Whether it has lain in a queue: seconds of its expiry interval have passed then. */
  waited = false;
  kept: EncodedBatch | undefined;
  readonly at: Int32Array;
  readonly idAt: Int32Array;
  /** Where properties (MQTT 5) or payload (3.1.1) begin. */
  readonly bodyAt: Int32Array;

  /** `topic` is that of its messages before `start` says another. */
  constructor(longest: number, topic: Topic) {
    this.topic = topic;
    this.at = new Int32Array(longest + 1);
    this.idAt = new Int32Array(longest);
    this.bodyAt = new Int32Array(longest);
  }

  start(bytes: Buffer, level: ProtocolLevel, topic: Topic, qos: number): void {
    this.bytes = bytes;
    this.level = level;
    this.topic = topic;
    this.qos = qos;
    this.count = 0;
    this.largest = 0;
    this.expiresAt = undefined;
    this.waited = false;
    this.kept = undefined;
  }

  add(start: number, body: number, next: number): void {
    const i = this.count;
    this.at[i] = start;
    this.at[i + 1] = next;
    this.bodyAt[i] = body;
    this.idAt[i] = body - 2;
    if (next - start > this.largest) this.largest = next - start;
    this.count = i + 1;
  }

  /** Bytes of all its packets. */
  get size(): number {
    return (this.at[this.count] as number) - (this.at[0] as number);
  }

  /** Where the payload of a message begins; it ends where the next packet does. */
  payloadAt(i: number): number {
    return this.#bodyFor(i, 4);
  }

  /** The MQTT 5 properties of a message with their length; undefined for one of MQTT 3. */
  propertiesOf(i: number): Buffer | undefined {
    return this.level === 5 ? this.bytes.subarray(this.bodyAt[i] as number, this.#bodyFor(i, 4)) : undefined;
  }

  /** Puts encoded user properties behind those of each message. The messages are MQTT 5's from here on, in memory of their own. */
  enrich(more: Buffer): void {
    const { count, level, at, idAt, bodyAt } = this;
    const from = this.bytes;
    // What a message grows by at most: the properties, and two lengths that may need more bytes.
    const bytes = Buffer.allocUnsafe((at[count] as number) - (at[0] as number) + count * (more.length + 6));
    let pos = 0;
    let start = at[0] as number;
    this.largest = 0;
    for (let i = 0; i < count; i += 1) {
      const body = bodyAt[i] as number;
      const end = at[i + 1] as number;
      const payload = level === 5 ? this.payloadAt(i) : body;
      const own = level === 5 ? varintAt(from, body) : 0;
      const ownAt = payload - own;
      const head = body - headerEnd(from, start);
      const properties = own + more.length;
      at[i] = pos;
      bytes[pos++] = from[start] as number;
      pos = writeVarint(bytes, pos, head + varintSize(properties) + properties + end - payload);
      pos += from.copy(bytes, pos, body - head, body);
      idAt[i] = pos - 2;
      bodyAt[i] = pos;
      pos = writeVarint(bytes, pos, properties);
      pos += from.copy(bytes, pos, ownAt, payload);
      pos += more.copy(bytes, pos);
      pos += from.copy(bytes, pos, payload, end);
      this.largest = Math.max(this.largest, pos - (at[i] as number));
      start = end;
    }
    at[count] = pos;
    this.bytes = bytes;
    this.level = 5;
  }

  /** The same messages in another form: properties are kept between MQTT 5 peers and unknown to 3.1.1. */
  encode(level: ProtocolLevel, qos: number): EncodedBatch {
    const { topic } = this;
    const at = new Int32Array(this.count + 1);
    const idAt = new Int32Array(this.count);
    const head = 2 + topic.bytes.length + (qos === 1 ? 2 : 0);
    const added = level === 5 && this.level === 4 ? 1 : 0;
    let size = 0;
    for (let i = 0; i < this.count; i += 1) {
      const length = head + added + (this.at[i + 1] as number) - this.#bodyFor(i, level);
      size += 1 + varintSize(length) + length;
    }
    const bytes = Buffer.allocUnsafe(size);
    let pos = 0;
    let largest = 0;
    for (let i = 0; i < this.count; i += 1) {
      at[i] = pos;
      const body = this.#bodyFor(i, level);
      const end = this.at[i + 1] as number;
      const length = head + added + end - body;
      bytes[pos++] = qos === 1 ? 0x32 : 0x30;
      pos = writeVarint(bytes, pos, length);
      bytes[pos++] = topic.bytes.length >> 8;
      bytes[pos++] = topic.bytes.length & 0xff;
      bytes.set(topic.bytes, pos);
      pos += topic.bytes.length;
      idAt[i] = pos;
      if (qos === 1) pos += 2;
      if (added === 1) bytes[pos++] = 0;
      pos += this.bytes.copy(bytes, pos, body, end);
      largest = Math.max(largest, pos - (at[i] as number));
    }
    at[this.count] = pos;
    return { bytes, count: this.count, at, idAt, largest };
  }

  /** Where to copy from: behind the properties when they came from MQTT 5 and the reader knows none. */
  #bodyFor(i: number, level: ProtocolLevel): number {
    const body = this.bodyAt[i] as number;
    if (this.level !== 5 || level === 5) return body;
    return sizedEnd(this.bytes, body);
  }
}

/** An encoded batch that outlives the read buffer and the batch it came from. */
export function keep(encoded: EncodedBatch, from: number): EncodedBatch {
  if (from > 0) return keepFrom(encoded, from);
  encoded.kept ??= keepFrom(encoded, 0);
  return encoded.kept;
}

function keepFrom(encoded: EncodedBatch, from: number): EncodedBatch {
  const start = encoded.at[from] as number;
  const end = encoded.at[encoded.count] as number;
  const count = encoded.count - from;
  const at = encoded.at.slice(from, encoded.count + 1).map((x) => x - start);
  const idAt = encoded.idAt.slice(from, encoded.count).map((x) => x - start);
  return { bytes: ownCopy(encoded.bytes.subarray(start, end)), count, at, idAt, largest: encoded.largest };
}
