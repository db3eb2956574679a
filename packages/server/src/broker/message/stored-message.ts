/**
 * A batch of QoS 1 messages as the data file keeps it: byte 0 the form (1), byte 1 the protocol level of its packets, bytes
 * 2 and 3 the topic's length, bytes 4 to 11 when it expires (double, milliseconds since the epoch; 0: never), the topic,
 * and the PUBLISH packets as they were received.
 */
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { sizedEnd } from '../../mqtt/varint.ts';
import { headerEnd, PublishBatch } from './publish-batch.ts';
import type { TopicEntry } from './topic-entry.ts';

const FORM = 1;
const HEAD = 12;
/** Stands for no expiry in the bytes. */
const NEVER = 0;

export function encodeStored(batch: PublishBatch): Buffer {
  const topic = batch.topic.bytes;
  const start = batch.at[0] as number;
  const end = batch.at[batch.count] as number;
  const bytes = Buffer.allocUnsafe(HEAD + topic.length + end - start);
  bytes[0] = FORM;
  bytes[1] = batch.level;
  bytes.writeUInt16BE(topic.length, 2);
  bytes.writeDoubleBE(batch.expiresAt ?? NEVER, 4);
  bytes.set(topic, HEAD);
  batch.bytes.copy(bytes, HEAD + topic.length, start, end);
  return bytes;
}

/** Undefined when it is none: a damaged row is left out, and said. */
export function decodeStored(value: Uint8Array, topicOf: (name: string) => TopicEntry): PublishBatch | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length <= HEAD || bytes[0] !== FORM) return undefined;
  const topicLength = bytes.readUInt16BE(2);
  const from = HEAD + topicLength;
  const starts = packetStarts(bytes, from);
  if (starts === undefined) return undefined;
  const topic = topicOf(bytes.toString('utf8', HEAD, from));
  const batch = new PublishBatch(starts.length - 1, topic);
  batch.start(bytes, bytes[1] as ProtocolLevel, topic, 1);
  const expiresAt = bytes.readDoubleBE(4);
  batch.expiresAt = expiresAt === NEVER ? undefined : expiresAt;
  batch.waited = true;
  for (let i = 0; i + 1 < starts.length; i += 1) {
    const start = starts[i] as number;
    const next = starts[i + 1] as number;
    batch.add(start, headerEnd(bytes, start) + 2 + topicLength + 2, next);
  }
  return batch;
}

/** Where each packet begins, and where the last one ends. */
function packetStarts(bytes: Buffer, from: number): number[] | undefined {
  const starts = [from];
  for (let at = from; at < bytes.length; ) {
    at = sizedEnd(bytes, at + 1);
    starts.push(at);
  }
  return starts.length > 1 && starts.at(-1) === bytes.length ? starts : undefined;
}
