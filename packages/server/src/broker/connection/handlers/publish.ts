/**
 * PUBLISH from a client. Messages side by side on one topic become a batch; a batch is authorized once, routed once and
 * acknowledged together. Whatever a batch can't hold (RETAIN, DUP, a topic alias) goes alone, in a cleaned-up copy.
 */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { PACKET } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodePuback } from '../../../mqtt/acknowledge.ts';
import { Cursor } from '../../../mqtt/cursor.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import { encodeProperties, type Properties, readProperties } from '../../../mqtt/properties.ts';
import type { AccountSpace } from '../../routing/account.ts';
import type { Client } from '../client.ts';
import { withEnrichment } from '../../message/enrichment.ts';
import { isDiskRefusal } from '../../../runtime/disk-failure.ts';
import { refuseToStore, storageViolation } from '../storage-quota.ts';
import { checkProperties, clampExpiry } from '../../message/message-properties.ts';
import type { PublishSlot } from '../publish-slots.ts';
import { NO_TOPIC } from '../../routing/routed-topic.ts';
import { MAX_BATCH, PublishBatch } from '../../message/publish-batch.ts';
import type { ConnectionThrottle } from '../throttle.ts';

const FLAG = { RETAIN: 0x01, QOS: 0x06, DUP: 0x08 } as const;

const batch = new PublishBatch(MAX_BATCH, NO_TOPIC);
let batchSlot: PublishSlot | undefined;

/** Handles one PUBLISH: the bytes from `start` to `next`, its variable header from `body` on. */
export function publish(client: Client, bytes: Buffer, first: number, start: number, body: number, next: number): void {
  const topicAt = body + 2;
  const topicEnd = topicAt > next ? next + 1 : topicAt + (((bytes[body] as number) << 8) | (bytes[body + 1] as number));
  const qos = (first & FLAG.QOS) >> 1;
  const bodyAt = qos === 0 ? topicEnd : topicEnd + 2;
  if (bodyAt > next) throw new MqttError(REASON.MALFORMED_PACKET, 'a PUBLISH ends inside its header');
  if (qos > 1) throw new MqttError(qos === 3 ? REASON.MALFORMED_PACKET : REASON.QOS_NOT_SUPPORTED, `a PUBLISH of QoS ${qos}`); // [MQTT-3.3.1-4]
  if (qos === 0 && (first & FLAG.DUP) !== 0) throw new MqttError(REASON.MALFORMED_PACKET, 'a PUBLISH of QoS 0 with DUP'); // [MQTT-3.3.1-2]
  if (qos === 1 && bytes[bodyAt - 2] === 0 && bytes[bodyAt - 1] === 0)
    throw new MqttError(REASON.MALFORMED_PACKET, 'packet identifier 0');
  if (client.level === 5 && (bytes[bodyAt] !== 0 || topicEnd === topicAt)) {
    publishWithProperties(client, bytes, first, start, topicAt, topicEnd, bodyAt, next);
    return;
  }
  if (client.level === 5 && bodyAt === next) throw new MqttError(REASON.MALFORMED_PACKET, 'a PUBLISH without a property length');
  // MQTT 5 has a byte for the length of no properties before the payload.
  if (next - bodyAt - (client.level === 5 ? 1 : 0) > LIMITS.payload)
    throw new MqttError(REASON.PACKET_TOO_LARGE, 'a payload larger than 128 KB');
  const slot = client.slot(bytes, topicAt, topicEnd);
  if (slot !== batchSlot || batch.bytes !== bytes || batch.qos !== qos || batch.count === MAX_BATCH) {
    flushBatch(client);
    if (!authorize(client, slot, qos, bytes, bodyAt)) return;
    if ((first & (FLAG.DUP | FLAG.RETAIN)) === 0) begin(client, bytes, slot, qos);
  }
  if ((first & (FLAG.DUP | FLAG.RETAIN)) !== 0) {
    flushBatch(client);
    publishAlone(
      client,
      slot,
      first,
      packetIdAt(bytes, qos, bodyAt),
      client.level === 5 ? bytes.subarray(bodyAt, bodyAt + 1) : undefined,
      bytes.subarray(client.level === 5 ? bodyAt + 1 : bodyAt, next),
    );
    return;
  }
  batch.add(start, bodyAt, next);
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
  if (refused !== undefined && client.state === 'connected') client.acknowledge(refused, false);
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
  const { broker, output } = client;
  broker.counters.received += batch.count;
  const violation = batch.qos === 0 ? undefined : storageViolation(broker, account, batch.topic, 1, false);
  if (violation !== undefined) {
    const ids = [...batch.idAt.subarray(0, batch.count)].map((at) => batch.bytes.readUInt16BE(at));
    refuseToStore(client, violation, 1, ids);
    return;
  }
  if (client.enrichment !== undefined) batch.enrich(client.enrichment);
  const stored = broker.deliver(account, batch, client);
  if (batch.qos === 0 || client.state !== 'connected') return;
  if (stored || client.acksHeld) {
    const acks = Buffer.allocUnsafe(4 * batch.count);
    writePubacks(batch, acks, 0);
    client.acknowledge(acks, stored);
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

function begin(client: Client, bytes: Buffer, slot: PublishSlot, qos: number): void {
  batch.start(bytes, client.level, slot.topic, qos);
  batchSlot = slot;
}

const packetIdAt = (bytes: Buffer, qos: number, bodyAt: number): number => (qos === 0 ? 0 : bytes.readUInt16BE(bodyAt - 2));

/** Whether the message may go on its topic. If not, the client has been told, or closed. */
function authorize(client: Client, slot: PublishSlot, qos: number, bytes: Buffer, bodyAt: number): boolean {
  if (slot.generation === client.rightsGeneration && slot.allowed) return true;
  const { topic } = slot;
  if (topic.fault !== undefined)
    throw new MqttError(REASON.TOPIC_NAME_INVALID, `a PUBLISH on a topic that is not valid: ${topic.fault}`);
  const decision = topic.clientMayPublish ? client.rights.decide('iot:Publish', topic.arn) : { effect: 'IMPLICIT_DENY' as const };
  slot.generation = client.rightsGeneration;
  slot.retainAllowed = undefined;
  slot.allowed = decision.effect === 'ALLOWED';
  if (slot.allowed) return true;
  refusePublish(client, slot, 'iot:Publish', decision, qos, packetIdAt(bytes, qos, bodyAt));
  return false;
}

function refusePublish(
  client: Client,
  slot: PublishSlot,
  action: 'iot:Publish' | 'iot:RetainPublish',
  decision: ReturnType<Client['rights']['decide']>,
  qos: number,
  packetId: number,
): void {
  const { topic } = slot;
  const { effect, ...statement } = decision;
  if (topic.clientMayPublish)
    client.refuse({
      check: 'policy',
      reason: `${action} on ${topic.name} is ${effect === 'EXPLICIT_DENY' ? 'denied by a statement' : 'not allowed by any statement'}`,
      action,
      resource: topic.arn,
      decision: effect === 'ALLOWED' ? undefined : effect,
      ...statement,
    });
  else
    client.refuse({ check: 'reserved-topic', reason: `clients may not publish on ${topic.name}`, action, resource: topic.arn });
  // MQTT 5 tells a QoS 1 publisher and goes on; in all other cases AWS closes the connection.
  if (client.level === 5 && qos === 1) client.acknowledge(encodePuback(5, packetId, REASON.NOT_AUTHORIZED), false);
  else client.close('FORBIDDEN_ACCESS', REASON.NOT_AUTHORIZED);
}

function publishWithProperties(
  client: Client,
  bytes: Buffer,
  first: number,
  start: number,
  topicAt: number,
  topicEnd: number,
  bodyAt: number,
  next: number,
): void {
  flushBatch(client);
  const cursor = new Cursor(bytes, bodyAt, next);
  const properties = readProperties(cursor, 'PUBLISH');
  if (next - cursor.at > LIMITS.payload) throw new MqttError(REASON.PACKET_TOO_LARGE, 'a payload larger than 128 KB');
  checkProperties(properties);
  const slot = topicAt === topicEnd ? slotOfAlias(client, properties) : client.slot(bytes, topicAt, topicEnd);
  const qos = (first & FLAG.QOS) >> 1;
  const { topicAlias, ...forwarded } = properties;
  // Set even where the message is refused: the client will use it for the next one.
  if (topicAlias !== undefined && slot.topic.fault === undefined) client.setAlias(topicAlias, slot.topic);
  if (!authorize(client, slot, qos, bytes, bodyAt)) return;
  if (topicAlias === undefined && (first & (FLAG.DUP | FLAG.RETAIN)) === 0 && forwarded.messageExpiryInterval === undefined) {
    begin(client, bytes, slot, qos);
    batch.add(start, bodyAt, next);
    flushBatch(client);
    return;
  }
  clampExpiry(forwarded);
  publishAlone(
    client,
    slot,
    first,
    packetIdAt(bytes, qos, bodyAt),
    encodeProperties(forwarded),
    bytes.subarray(cursor.at, next),
    forwarded.messageExpiryInterval,
  );
}

function slotOfAlias(client: Client, { topicAlias }: Properties): PublishSlot {
  const topic = topicAlias === undefined ? undefined : client.aliased(topicAlias);
  if (topic === undefined) throw new MqttError(REASON.PROTOCOL_ERROR, 'a PUBLISH with neither a topic nor a known alias'); // [MQTT5 3.3.2.1]
  return client.slot(topic.bytes, 0, topic.bytes.length);
}

/** Publishes one message that needs its own look; the topic has been authorized. */
function publishAlone(
  client: Client,
  slot: PublishSlot,
  first: number,
  packetId: number,
  properties: Buffer | undefined,
  payload: Buffer,
  expiry?: number,
): void {
  const { broker, account } = client;
  const qos = (first & FLAG.QOS) >> 1;
  if (account === undefined) return;
  const retain = (first & FLAG.RETAIN) !== 0;
  if (retain && !mayRetain(client, slot, qos, packetId)) return;
  if (client.throttle?.publishAlone(slot.topic.name, retain) === false) {
    if (qos === 1 && client.level === 5) client.acknowledge(encodePuback(5, packetId, REASON.QUOTA_EXCEEDED), false);
    return;
  }
  broker.counters.received += 1;
  const violation = storageViolation(broker, account, slot.topic, qos, retain && payload.length > 0);
  if (violation !== undefined) {
    refuseToStore(client, violation, qos, [packetId]);
    return;
  }
  const { enrichment } = client;
  const carried = enrichment === undefined ? properties : withEnrichment(properties, enrichment);
  const message = { topic: slot.topic, payload, qos, retain, properties: carried, expiry };
  const stored = broker.publishMessage(account, message, client);
  const acknowledge = (): void => {
    if (qos === 1 && client.state === 'connected')
      client.acknowledge(encodePuback(client.level, packetId, REASON.SUCCESS), false);
  };
  if (stored === undefined) {
    acknowledge();
    return;
  }
  // Nothing is acknowledged before it is stored, and no client may send faster than the disk takes it.
  client.pauseReading();
  void stored
    .then(acknowledge, (error: unknown) => {
      if (error instanceof ThingkeepError && (error.code === 'ThrottlingException' || isDiskRefusal(error))) {
        refuseToStore(client, error.message, qos, [packetId]);
        return;
      }
      broker.log.error({ err: error, clientId: client.clientId }, 'a message could not be stored');
      client.close('SERVER_ERROR', REASON.UNSPECIFIED);
    })
    .finally(() => client.resumeReading());
}

function mayRetain(client: Client, slot: PublishSlot, qos: number, packetId: number): boolean {
  if (slot.retainAllowed !== true) {
    const decision = client.rights.decide('iot:RetainPublish', slot.topic.arn);
    const reserved = slot.topic.name.startsWith('$');
    slot.retainAllowed = decision.effect === 'ALLOWED' && !reserved;
    if (!slot.retainAllowed) {
      refusePublish(client, slot, 'iot:RetainPublish', decision, qos, packetId);
      return false;
    }
  }
  return true;
}
