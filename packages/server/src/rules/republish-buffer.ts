/**
 * What rules publish while they see the messages of one batch. Messages on one topic leave as one batch again: routed once,
 * written once.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import type { AccountSpace } from '../broker/routing/account.ts';
import type { Broker } from '../broker/broker.ts';
import { batchOfOne } from '../broker/message/message.ts';
import { PublishBatch } from '../broker/message/publish-batch.ts';
import type { Origin } from '../broker/message/origin.ts';
import type { Publisher } from '../broker/message/publisher.ts';
import type { RoutedTopic } from '../broker/routing/routed-topic.ts';
import { encodeProperties, encodeVarint, type Properties } from '../mqtt/properties.ts';

/** Rules behind one another at most: a longer chain is a loop (AWS leaves loops to their owner; here they end). */
export const DEEPEST_CHAIN = 10;
/** Messages that all rules together may make of one. */
const MAX_OF_ONE = 1000;

/** Messages of one topic and QoS, without properties. */
interface Row {
  readonly topic: RoutedTopic;
  readonly qos: number;
  readonly payloads: Buffer[];
  bytes: number;
}

export class RepublishBuffer {
  readonly #broker: Broker;
  readonly #account: AccountSpace;
  readonly #chain: NonNullable<Origin['chain']>;
  readonly #last: boolean;
  readonly #rows: (Row | PublishBatch<RoutedTopic>)[] = [];

  /** For messages, so many, that came from `origin`. `last`: for what an error action says of a chain that was cut. */
  constructor(broker: Broker, account: AccountSpace, origin: Origin | undefined, messages: number, last = false) {
    this.#broker = broker;
    this.#account = account;
    this.#last = last;
    const { depth, budget } = origin?.chain ?? { depth: 0, budget: { left: MAX_OF_ONE * messages } };
    this.#chain = { depth: depth + 1, budget };
  }

  /** Whether rules have made so much of so little that it must be a loop. */
  get loops(): boolean {
    const { depth, budget } = this.#chain;
    return this.#last ? depth > DEEPEST_CHAIN + 1 : depth > DEEPEST_CHAIN || budget.left <= 0;
  }

  topic(name: string): RoutedTopic {
    return this.#account.topic(name);
  }

  put(topic: RoutedTopic, qos: number, payload: Buffer, properties?: Properties): void {
    this.#chain.budget.left -= 1;
    if (properties !== undefined) {
      const { messageExpiryInterval: expiry } = properties;
      const message = { topic, payload, qos, retain: false, properties: encodeProperties(properties) };
      this.#rows.push(batchOfOne({ ...message, ...defined({ expiry }) }, this.#broker.clock.now()));
      return;
    }
    const last = this.#rows.at(-1);
    if (last !== undefined && !(last instanceof PublishBatch) && last.topic === topic && last.qos === qos) {
      last.payloads.push(payload);
      last.bytes += payload.length;
    } else this.#rows.push({ topic, qos, payloads: [payload], bytes: payload.length });
  }

  /** Publishes all of it. Says whether some has to reach the disk before what caused it is acknowledged. */
  send(waiter: Publisher | undefined): boolean {
    const origin: Origin = { chain: this.#chain };
    let stored = false;
    for (const row of this.#rows) {
      const batch = row instanceof PublishBatch ? row : toBatch(row);
      if (this.#broker.deliverFromRule(this.#account, batch, origin, waiter)) stored = true;
    }
    return stored;
  }
}

/** The messages as PUBLISH packets of MQTT 3.1.1, one behind another. */
function toBatch({ topic, qos, payloads, bytes }: Row): PublishBatch<RoutedTopic> {
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
