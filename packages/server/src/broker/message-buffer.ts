/** Messages of an account that leave together: those on one topic as one batch, routed once and written once. */
import { defined } from '@thingkeep/wire/defined.ts';
import { encodeProperties, type Properties } from '../mqtt/properties.ts';
import { encodeVarint } from '../mqtt/varint.ts';
import type { Clock } from '../runtime/clock.ts';
import { batchOfOne } from './message/message.ts';
import { PublishBatch } from './message/publish-batch.ts';
import {
  NOTHING_PENDING,
  type Origin,
  type OutgoingMessages,
  type PendingStorage,
  type Publisher,
  type TopicFacts,
} from './messaging.ts';
import type { BrokerPublishing } from './publishing.ts';
import type { AccountSpace } from './routing/account.ts';
import type { RoutedTopic } from './routing/routed-topic.ts';

/** Messages of one topic and QoS, without properties. */
interface BufferedMessage {
  readonly topic: RoutedTopic;
  readonly qos: number;
  readonly payloads: Buffer[];
  bytes: number;
}

export class MessageBuffer implements OutgoingMessages {
  readonly #publishing: Pick<BrokerPublishing, 'deliverDerived'>;
  readonly #clock: Clock;
  readonly #account: AccountSpace;
  readonly #rows: (BufferedMessage | PublishBatch<RoutedTopic>)[] = [];
  #topic: RoutedTopic | undefined;

  constructor(publishing: Pick<BrokerPublishing, 'deliverDerived'>, account: AccountSpace, clock: Clock) {
    this.#publishing = publishing;
    this.#account = account;
    this.#clock = clock;
  }

  topic(name: string): RoutedTopic {
    if (this.#topic?.name !== name) this.#topic = this.#account.topic(name);
    return this.#topic;
  }

  put({ name }: TopicFacts, qos: number, payload: Buffer, properties?: Properties): void {
    const topic = this.topic(name);
    if (properties !== undefined) {
      const { messageExpiryInterval: expiry } = properties;
      const message = { topic, payload, qos, retain: false, properties: encodeProperties(properties) };
      this.#rows.push(batchOfOne({ ...message, ...defined({ expiry }) }, this.#clock.now()));
      return;
    }
    const last = this.#rows.at(-1);
    if (last !== undefined && !(last instanceof PublishBatch) && last.topic === topic && last.qos === qos) {
      last.payloads.push(payload);
      last.bytes += payload.length;
    } else this.#rows.push({ topic, qos, payloads: [payload], bytes: payload.length });
  }

  send(origin: Origin, waiter: Publisher | undefined): PendingStorage {
    let pending = NOTHING_PENDING;
    for (const row of this.#rows) {
      const batch = row instanceof PublishBatch ? row : toBatch(row);
      pending = pending.and(this.#publishing.deliverDerived(this.#account, batch, origin, waiter));
    }
    return pending;
  }
}

/** The messages as PUBLISH packets of MQTT 3.1.1, one behind another. */
function toBatch({ topic, qos, payloads, bytes }: BufferedMessage): PublishBatch<RoutedTopic> {
  const count = payloads.length;
  const head = 2 + topic.bytes.length + (qos === 1 ? 2 : 0);
  // Five bytes at most are the type and the remaining length.
  const to = Buffer.allocUnsafe(count * (head + 5) + bytes);
  const batch = new PublishBatch(count, topic);
  batch.start(to, 4, topic, qos);
  let at = 0;
  for (const payload of payloads) {
    const start = at;
    to[at++] = qos === 1 ? 0x32 : 0x30;
    const length = head + payload.length;
    if (length < 0x80) to[at++] = length;
    else at += encodeVarint(length).copy(to, at);
    at = to.writeUInt16BE(topic.bytes.length, at);
    to.set(topic.bytes, at);
    at += head - 2;
    // A packet identifier is the receiver's own: its place is kept free.
    to.set(payload, at);
    at += payload.length;
    batch.add(start, at - payload.length, at);
  }
  return batch;
}
