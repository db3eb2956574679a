/** Authorizes a PUBLISH: asks the client's permissions for its topic, and answers a refused one. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodePuback } from '../../../mqtt/acknowledge.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import { policyRefusal } from '../../../refusals/policy-refusal.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { sharedFilter, TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import type { RoutedTopic } from '../../routing/routed-topic.ts';
import type { Client } from '../client.ts';
import type { PublishSlot } from '../publish-slots.ts';
import { reportUnserved } from './report-unserved.ts';

const RESERVED = 'topics that begin with $ are reserved; devices may not publish on this one';
const NOT_RETAINED = 'topics that begin with $ hold no retained messages: publish without the retain flag';

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
  if (!topic.clientMayPublish) {
    refuseReserved(client, topic, 'iot:Publish', RESERVED);
    answerRefused(client, topic, message);
    return false;
  }
  const decision = client.permissions.decide('iot:Publish', topic.arn);
  slot.generation = client.permissions.generation;
  slot.retainAllowed = undefined;
  slot.allowed = decision.effect === 'ALLOWED';
  if (slot.allowed) {
    reportUnserved(client, 'iot:Publish', topic.name);
    return true;
  }
  refuseByPolicies(client, topic, 'iot:Publish', decision);
  answerRefused(client, topic, message);
  return false;
}

/** Whether the message, which may go on its topic, may be retained. If not, the client has been told, or closed. */
export function mayRetain(client: Client, slot: PublishSlot, message: Refused): boolean {
  if (slot.retainAllowed === true) return true;
  const { topic } = slot;
  if (topic.name.startsWith('$')) refuseReserved(client, topic, 'iot:RetainPublish', NOT_RETAINED);
  else {
    const decision = client.permissions.decide('iot:RetainPublish', topic.arn);
    slot.retainAllowed = decision.effect === 'ALLOWED';
    if (slot.retainAllowed) return true;
    refuseByPolicies(client, topic, 'iot:RetainPublish', decision);
  }
  answerRefused(client, topic, message);
  return false;
}

type PublishAction = 'iot:Publish' | 'iot:RetainPublish';

function refuseReserved(client: Client, { name, arn }: RoutedTopic, action: PublishAction, why: string): void {
  client.refuse({ check: 'reserved-topic', reason: `clients may not publish on ${name}: ${why}`, action, resource: arn });
}

function refuseByPolicies(client: Client, { name, arn }: RoutedTopic, action: PublishAction, decision: Decision): void {
  client.refuse(policyRefusal({ action, resource: arn, what: `on ${name}` }, decision));
}

/** MQTT 5 tells a QoS 1 publisher and goes on; in all other cases AWS closes the connection, as it does for a shared filter. */
function answerRefused(client: Client, { name }: RoutedTopic, { qos, packetId }: Refused): void {
  if (client.level === 5 && qos === 1 && sharedFilter(name) === undefined)
    client.publisher.acknowledge(encodePuback(5, packetId, REASON.NOT_AUTHORIZED));
  else client.close('FORBIDDEN_ACCESS', REASON.NOT_AUTHORIZED);
}
