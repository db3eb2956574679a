/**
 * PUBLISH from a client. Messages side by side on one topic become a batch; a batch is authorized once, routed once and
 * acknowledged together. Whatever a batch can't hold (RETAIN, DUP, a topic alias) goes alone, in a cleaned-up copy.
 */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { PACKET } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodePuback } from '../../../mqtt/acknowledge.ts';
import { Cursor } from '../../../mqtt/cursor.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import { encodeProperties, type Properties, readProperties } from '../../../mqtt/properties.ts';
import { NOTHING_PENDING } from '../../messaging.ts';
import { checkProperties, clampExpiry } from '../../message/message-properties.ts';
import { MAX_BATCH, PublishBatch } from '../../message/publish-batch.ts';
import type { AccountSpace } from '../../routing/account.ts';
import { NO_TOPIC } from '../../routing/routed-topic.ts';
import type { Client } from '../client.ts';
import type { PublishSlot } from '../publish-slots.ts';
import { refuseToStore, storageViolation } from '../storage-quota.ts';
import type { ConnectionThrottle } from '../connection-throttle.ts';
import { publishAlone } from './publish-alone.ts';
import { mayPublish } from './publish-authorization.ts';
import type { PublishHeader } from './publish-header.ts';

const batch = new PublishBatch(MAX_BATCH, NO_TOPIC);
let batchSlot: PublishSlot | undefined;

/** A payload over AWS's limit: its packet may be below the Maximum Packet Size, which has a reason code of its own. */
const tooLarge = (size: number): MqttError =>
  new MqttError(
    REASON.QUOTA_EXCEEDED,
    `a payload of ${size} bytes; the limit is ${LIMITS.payload} (128 KiB): send it in several messages`,
  );

/** Handles one PUBLISH. */
export function publish(client: Client, header: PublishHeader): void {
  const { bytes, qos, bodyAt, next, topicAt, topicEnd } = header;
  const { level } = client;
  if (level === 5 && (bytes[bodyAt] !== 0 || topicEnd === topicAt)) {
    publishWithProperties(client, header);
    return;
  }
  if (level === 5 && bodyAt === next) throw new MqttError(REASON.MALFORMED_PACKET, 'a PUBLISH without a property length');
  // MQTT 5 has a byte for the length of no properties before the payload.
  const payloadAt = level === 5 ? bodyAt + 1 : bodyAt;
  if (next - payloadAt > LIMITS.payload) throw tooLarge(next - payloadAt);
  const slot = client.publisher.slot(bytes, topicAt, topicEnd);
  const { isPlain } = header;
  if (slot !== batchSlot || batch.bytes !== bytes || batch.qos !== qos || batch.count === MAX_BATCH) {
    flushBatch(client);
    if (!mayPublish(client, slot, header)) return;
    if (isPlain) begin(client, slot, header);
  }
  if (isPlain) {
    batch.add(header.start, bodyAt, next);
    return;
  }
  flushBatch(client);
  const properties = level === 5 ? bytes.subarray(bodyAt, payloadAt) : undefined;
  const message = { topic: slot.topic, payload: bytes.subarray(payloadAt, next), qos, retain: header.retain, properties };
  publishAlone(client, slot, message, header.packetId);
}

/** Routes and acknowledges the batch that was gathered, if there is one. */
export function flushBatch(client: Client): void {
  const slot = batchSlot;
  if (slot === undefined) return;
  batchSlot = undefined;
  const { account, throttle } = client;
  if (account === undefined) return;
  const refused = throttle === undefined ? undefined : cutToRate(client, throttle);
  if (batch.count > 0) passBatch(client, account);
  if (refused !== undefined && client.state === 'connected') client.publisher.acknowledge(refused);
}

/** Takes from the end of the batch what a rate refuses. Gives the PUBACKs that say so: MQTT 3.1.1 and QoS 0 have none. */
function cutToRate({ level }: Client, throttle: ConnectionThrottle): Buffer | undefined {
  const { count, bytes, idAt, qos } = batch;
  const passing = throttle.publish(count);
  batch.count = passing;
  if (passing === count || level !== 5 || qos === 0) return undefined;
  const ids = [...idAt.subarray(passing, count)];
  return Buffer.concat(ids.map((at) => encodePuback(5, bytes.readUInt16BE(at), REASON.QUOTA_EXCEEDED)));
}

function passBatch(client: Client, account: AccountSpace): void {
  const { broker, identity, output, publisher } = client;
  if (batch.qos === 0) broker.counters.receivedQos0 += batch.count;
  else broker.counters.receivedQos1 += batch.count;
  const violation = batch.qos === 0 ? undefined : storageViolation(broker, account, batch.topic, 1, false);
  if (violation !== undefined) {
    const ids = [...batch.idAt.subarray(0, batch.count)].map((at) => batch.bytes.readUInt16BE(at));
    refuseToStore(client, violation, 1, ids);
    return;
  }
  const { enrichment } = identity;
  if (enrichment !== undefined) batch.enrich(enrichment);
  const pending = broker.deliver(account, batch, publisher);
  if (batch.qos === 0 || client.state !== 'connected') return;
  if (pending !== NOTHING_PENDING || publisher.acksHeld) {
    const acks = Buffer.allocUnsafe(4 * batch.count);
    writePubacks(batch, acks, 0);
    publisher.acknowledge(acks, pending);
  } else {
    const to = output.reserve(4 * batch.count);
    writePubacks(batch, to, output.at);
  }
}

/** PUBACKs for the messages of a batch, of success: the same bytes in both versions. */
function writePubacks({ count, bytes, idAt }: PublishBatch, to: Buffer, from: number): void {
  let at = from;
  for (let i = 0; i < count; i += 1) {
    const id = idAt[i] as number;
    to[at] = PACKET.PUBACK << 4;
    to[at + 1] = 2;
    to[at + 2] = bytes[id] as number;
    to[at + 3] = bytes[id + 1] as number;
    at += 4;
  }
}

/** Forgets the batch that was gathered: something went wrong in the middle of it. */
export function discardBatch(): void {
  batchSlot = undefined;
}

function begin(client: Client, slot: PublishSlot, { bytes, qos }: PublishHeader): void {
  batch.start(bytes, client.level, slot.topic, qos);
  batchSlot = slot;
}

function publishWithProperties(client: Client, header: PublishHeader): void {
  flushBatch(client);
  const { bytes, qos, bodyAt, next, topicAt, topicEnd } = header;
  const cursor = new Cursor(bytes, bodyAt, next);
  const properties = readProperties(cursor, 'PUBLISH');
  if (next - cursor.at > LIMITS.payload) throw tooLarge(next - cursor.at);
  checkProperties(properties);
  const slot = topicAt === topicEnd ? slotOfAlias(client, properties) : client.publisher.slot(bytes, topicAt, topicEnd);
  const { topicAlias, ...forwarded } = properties;
  // Set even where the message is refused: the client will use it for the next one.
  if (topicAlias !== undefined && slot.topic.fault === undefined) client.publisher.setAlias(topicAlias, slot.topic);
  if (!mayPublish(client, slot, header)) return;
  if (topicAlias === undefined && header.isPlain && forwarded.messageExpiryInterval === undefined) {
    begin(client, slot, header);
    batch.add(header.start, bodyAt, next);
    flushBatch(client);
    return;
  }
  clampExpiry(forwarded);
  const message = {
    topic: slot.topic,
    payload: bytes.subarray(cursor.at, next),
    qos,
    retain: header.retain,
    properties: encodeProperties(forwarded),
    expiry: forwarded.messageExpiryInterval,
  };
  publishAlone(client, slot, message, header.packetId);
}

function slotOfAlias(client: Client, { topicAlias }: Properties): PublishSlot {
  const topic = topicAlias === undefined ? undefined : client.publisher.aliased(topicAlias);
  if (topic === undefined) throw new MqttError(REASON.PROTOCOL_ERROR, 'a PUBLISH with neither a topic nor a known alias'); // [MQTT5 3.3.2.1]
  return client.publisher.slot(topic.bytes, 0, topic.bytes.length);
}
