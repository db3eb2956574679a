/** A single message that does not lie in a read buffer: a will, a retained message, one that came over HTTPS. */
import { encodeVarint } from '../../mqtt/properties.ts';
import { Run } from './run.ts';
import type { TopicEntry } from './topic-entry.ts';

export interface Message<Topic extends TopicEntry = TopicEntry> {
  readonly topic: Topic;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
  /** Encoded MQTT 5 properties with their length. */
  readonly properties?: Buffer | undefined;
  /** Seconds after which nobody gets it any more. */
  readonly expiry?: number | undefined;
}

const NO_PROPERTIES = Buffer.of(0);

/** The message as a run of one, in the form of MQTT 5; `now` in milliseconds since the epoch. */
export function runOf<Topic extends TopicEntry>(
  { topic, payload, qos, properties = NO_PROPERTIES, expiry }: Message<Topic>,
  now: number,
): Run<Topic> {
  const id = qos === 1 ? 2 : 0;
  const length = 2 + topic.bytes.length + id + properties.length + payload.length;
  const head = Buffer.concat([
    Buffer.of(0x30 | (qos << 1)),
    encodeVarint(length),
    Buffer.of(topic.bytes.length >> 8, topic.bytes.length & 0xff),
    topic.bytes,
  ]);
  const bytes = Buffer.concat([head, Buffer.alloc(id), properties, payload]);
  const run = new Run(1, topic);
  run.start(bytes, 5, topic, qos);
  if (expiry !== undefined) run.expiresAt = now + expiry * 1000;
  run.add(0, head.length + id, bytes.length);
  return run;
}
