/**
 * The record that a client leaves which uses a topic of a service that is not there yet: its packet is acknowledged, as the
 * topic is open to it, and nothing ever answers. Once in a while for each client, service and action.
 */
import { reservedServiceOf } from '@thingkeep/wire/reserved-services.ts';
import type { Client } from '../client.ts';

const EFFECT = {
  'iot:Publish': 'the message is acknowledged, and no answer will come',
  'iot:Subscribe': 'the subscription is granted, and no message will come',
} as const;

/** Called once a topic or filter has been authorized: not for each message. */
export function reportUnserved(client: Client, action: keyof typeof EFFECT, topicOrFilter: string): void {
  if (!topicOrFilter.startsWith('$')) return;
  const { account, broker, clientId } = client;
  const service = reservedServiceOf(topicOrFilter);
  if (account === undefined || service === undefined || broker.isServed(service)) return;
  const { accountId, region } = account.place;
  if (broker.repeats.unserved.admit(`${region}/${accountId}/${clientId}/${service.name}/${action}`) === undefined) return;
  client.refuse({
    check: 'not-implemented',
    reason: `${action} on ${topicOrFilter}: ${service.name} are not in Thingkeep yet: ${EFFECT[action]}. COMPATIBILITY.md lists what is there.`,
    action,
  });
}
