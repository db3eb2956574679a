/** Authorizes a PUBLISH: asks the client's permissions for its topic, and answers a refused one. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodePuback } from '../../../mqtt/acknowledge.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import { policyRefusal } from '../../../refusals/policy-refusal.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { sharedFilter, TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import type { Client } from '../client.ts';
import type { PublishSlot } from '../publish-slots.ts';
import { reportUnserved } from './report-unserved.ts';

const RESERVED = 'topics that begin with $ are reserved, and this one is none that devices publish on';

/** The message that a refusal answers. */
interface Refused {
  readonly qos: number;
  readonly packetId: number;
}

/** Whether the message may go on its topic. If not, the client has been told, or closed. */
export function mayPublish(client: Client, slot: PublishSlot, message: Refused): boolean {
  if (slot.generation === client.permissions.generation && slot.allowed) return true;
  const { topic } = slot;
  if (topic.fault !== undefined)
    throw new MqttError(REASON.TOPIC_NAME_INVALID, `a PUBLISH on a topic that is not valid: ${TOPIC_FAULT_TEXT[topic.fault]}`);
  const decision = topic.clientMayPublish
    ? client.permissions.decide('iot:Publish', topic.arn)
    : { effect: 'IMPLICIT_DENY' as const };
  slot.generation = client.permissions.generation;
  slot.retainAllowed = undefined;
  slot.allowed = decision.effect === 'ALLOWED';
  if (slot.allowed) {
    reportUnserved(client, 'iot:Publish', topic.name);
    return true;
  }
  refusePublish(client, slot, 'iot:Publish', decision, message);
  return false;
}

/** Whether the message, which may go on its topic, may be retained. If not, the client has been told, or closed. */
export function mayRetain(client: Client, slot: PublishSlot, message: Refused): boolean {
  if (slot.retainAllowed === true) return true;
  const decision = client.permissions.decide('iot:RetainPublish', slot.topic.arn);
  slot.retainAllowed = decision.effect === 'ALLOWED' && !slot.topic.name.startsWith('$');
  if (!slot.retainAllowed) refusePublish(client, slot, 'iot:RetainPublish', decision, message);
  return slot.retainAllowed;
}

function refusePublish(
  client: Client,
  slot: PublishSlot,
  action: 'iot:Publish' | 'iot:RetainPublish',
  decision: Decision,
  { qos, packetId }: Refused,
): void {
  const { topic } = slot;
  if (topic.clientMayPublish) client.refuse(policyRefusal({ action, resource: topic.arn, what: `on ${topic.name}` }, decision));
  else
    client.refuse({
      check: 'reserved-topic',
      reason: `clients may not publish on ${topic.name}: ${RESERVED}`,
      action,
      resource: topic.arn,
    });
  // MQTT 5 tells a QoS 1 publisher and goes on; in all other cases AWS closes the connection, as it does for a shared filter.
  if (client.level === 5 && qos === 1 && sharedFilter(topic.name) === undefined)
    client.publisher.acknowledge(encodePuback(5, packetId, REASON.NOT_AUTHORIZED));
  else client.close('FORBIDDEN_ACCESS', REASON.NOT_AUTHORIZED);
}
