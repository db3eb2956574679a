/**
 * The record that a client leaves which uses a topic of a service that is not there yet: its packet is acknowledged, as the
 * topic is open to it, and nothing ever answers. Once in a while for each client, service and action.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { reservedServiceOf } from '@thingkeep/wire/reserved-services.ts';
import type { Refusal } from '../../../refusals/refusals.ts';
import type { Client } from '../client.ts';
import type { BrokerServices } from '../services.ts';

const EFFECT = {
  'iot:Publish': 'the message is acknowledged, and no answer will come',
  'iot:Subscribe': 'the subscription is granted, and no message will come',
} as const;

/** A use of a topic or filter that has been authorized; `who` is the client, or the sender of a request. */
export interface TopicUse {
  readonly place: Place;
  readonly who: string;
  readonly action: keyof typeof EFFECT;
  readonly topicOrFilter: string;
}

/** What is to be recorded; undefined where the service is there, or this has been recorded of late. */
export function unservedFault(
  { isServed, repeats }: Pick<BrokerServices<Client>, 'isServed' | 'repeats'>,
  { place: { accountId, region }, who, action, topicOrFilter }: TopicUse,
): Pick<Refusal, 'check' | 'reason' | 'action'> | undefined {
  const service = reservedServiceOf(topicOrFilter);
  if (service === undefined || isServed(service)) return undefined;
  if (repeats.unserved.admit(`${region}/${accountId}/${who}/${service.name}/${action}`) === undefined) return undefined;
  return {
    check: 'not-implemented',
    reason: `${action} on ${topicOrFilter}: ${service.name} are not in Thingkeep yet: ${EFFECT[action]}. COMPATIBILITY.md lists what is there.`,
    action,
  };
}

/** Called once a topic or filter has been authorized: not for each message. */
export function reportUnserved(client: Client, action: TopicUse['action'], topicOrFilter: string): void {
  const { account, broker, clientId } = client;
  if (account === undefined || !topicOrFilter.startsWith('$')) return;
  const fault = unservedFault(broker, { place: account.place, who: clientId, action, topicOrFilter });
  if (fault !== undefined) client.refuse(fault);
}
