/** A single message that does not lie in a read buffer: a will, a retained message, one that came over HTTPS. */
import { varintSize, writeVarint } from '../../mqtt/varint.ts';
import { PublishBatch } from './publish-batch.ts';
import type { TopicEntry } from './topic-entry.ts';

export interface Message<Topic extends TopicEntry = TopicEntry> {
  readonly topic: Topic;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  /** Encoded MQTT 5 properties with their length. */
  readonly properties?: Buffer | undefined;
  /** Seconds after which it is not delivered any more. */
  readonly expiry?: number | undefined;
}

const NO_PROPERTIES = Buffer.of(0);

/** The message as a batch of one, in the form of MQTT 5; `now` in milliseconds since the epoch. */
export function batchOfOne<Topic extends TopicEntry>(
  { topic, payload, qos, properties = NO_PROPERTIES, expiry }: Message<Topic>,
  now: number,
): PublishBatch<Topic> {
  const id = qos === 1 ? 2 : 0;
  const length = 2 + topic.bytes.length + id + properties.length + payload.length;
  const bytes = Buffer.allocUnsafe(1 + varintSize(length) + length);
  bytes[0] = 0x30 | (qos << 1);
  let at = writeVarint(bytes, 1, length);
  at = bytes.writeUInt16BE(topic.bytes.length, at);
  at += topic.bytes.copy(bytes, at);
  // Room for the packet identifier, which is written anew for each receiver.
  bytes.fill(0, at, at + id);
  const body = at + id;
  at = body + properties.copy(bytes, body);
  payload.copy(bytes, at);
  const batch = new PublishBatch(1, topic);
  batch.start(bytes, 5, topic, qos);
  if (expiry !== undefined) batch.expiresAt = now + expiry * 1000;
  batch.add(0, body, bytes.length);
  return batch;
}
