/** A PUBLISH that goes alone: retained, sent again, by alias, or with an expiry. */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { ignoresRetain } from '@thingkeep/wire/topics.ts';
import { encodePuback } from '../../../mqtt/acknowledge.ts';
import { isDiskRefusal } from '../../../runtime/disk-failure.ts';
import { withEnrichment } from '../../message/enrichment.ts';
import type { Message } from '../../message/message.ts';
import { TooManyRequests } from '../../message/too-many-requests.ts';
import type { RoutedTopic } from '../../routing/routed-topic.ts';
import type { Client } from '../client.ts';
import { closeUnacknowledged } from '../fault.ts';
import type { PublishSlot } from '../publish-slots.ts';
import { refuseToStore, storageViolation } from '../storage-quota.ts';
import { mayRetain } from './publish-authorization.ts';

/** Publishes one message; the topic has been authorized. `packetId` is that of its PUBACK, if it gets one. */
export function publishAlone(client: Client, slot: PublishSlot, sent: Message<RoutedTopic>, packetId: number): void {
  const { broker, account, publisher, reading } = client;
  const { enrichment } = client.identity;
  const message = sent.retain && ignoresRetain(sent.topic.name) ? { ...sent, retain: false } : sent;
  const { topic, payload, qos, retain, properties } = message;
  if (account === undefined) return;
  if (retain && !mayRetain(client, slot, { qos, packetId })) return;
  if (client.throttle?.publishAlone(topic.name, retain) === false) {
    if (qos === 1 && client.level === 5) publisher.acknowledge(encodePuback(5, packetId, REASON.QUOTA_EXCEEDED));
    return;
  }
  if (qos === 0) broker.counters.receivedQos0 += 1;
  else broker.counters.receivedQos1 += 1;
  const violation = storageViolation(broker, account, topic, qos, retain && payload.length > 0);
  if (violation !== undefined) {
    refuseToStore(client, violation, qos, [packetId]);
    return;
  }
  const enriched = enrichment === undefined ? message : { ...message, properties: withEnrichment(properties, enrichment) };
  const stored = broker.publishMessage(account, enriched, publisher);
  const acknowledge = (): void => {
    if (qos === 1 && client.state === 'connected') publisher.acknowledge(encodePuback(client.level, packetId, REASON.SUCCESS));
  };
  if (stored === undefined) {
    acknowledge();
    return;
  }
  // Nothing is acknowledged before it is stored, and no client may send faster than the disk takes it.
  reading.pause();
  void stored
    .then(acknowledge, (error: unknown) => {
      if (error instanceof TooManyRequests) {
        if (qos === 1) closeUnacknowledged(client, error);
        return;
      }
      if (error instanceof ThingkeepError && (error.code === 'ThrottlingException' || isDiskRefusal(error))) {
        refuseToStore(client, error.message, qos, [packetId]);
        return;
      }
      broker.log.error({ err: error, clientId: client.clientId }, 'a message could not be stored');
      client.close('SERVER_ERROR', REASON.UNSPECIFIED);
    })
    .finally(() => reading.resume());
}
