/** A single message that does not lie in a read buffer: a will, a retained message, one that came over HTTPS. */
import { encodeVarint } from '../../mqtt/varint.ts';
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
  const head = Buffer.concat([
    Buffer.of(0x30 | (qos << 1)),
    encodeVarint(length),
    Buffer.of(topic.bytes.length >> 8, topic.bytes.length & 0xff),
    topic.bytes,
  ]);
  const bytes = Buffer.concat([head, Buffer.alloc(id), properties, payload]);
  const batch = new PublishBatch(1, topic);
  batch.start(bytes, 5, topic, qos);
  if (expiry !== undefined) batch.expiresAt = now + expiry * 1000;
  batch.add(0, head.length + id, bytes.length);
  return batch;
}
