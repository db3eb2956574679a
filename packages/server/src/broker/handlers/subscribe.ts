/** SUBSCRIBE: each filter is judged by itself; MQTT 3.1.1 clients are closed where MQTT 5 clients get a reason code. */
import { iotArn } from '@thingkeep/wire/arn.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { clientMaySubscribe, filterFault, sharedFilter } from '@thingkeep/wire/topics.ts';
import { MqttError } from '../../mqtt/mqtt-error.ts';
import { encodeSuback, parseSubscribe, type SubscribeEntry } from '../../mqtt/subscribe.ts';
import type { AccountSpace } from '../account.ts';
import type { Client } from '../client.ts';

/** Failure of MQTT 3.1.1's SUBACK. */
const FAILURE = 0x80;

/** Longer than any filter within the limits, a share's name included: not worth a closer look. */
const LONGEST_FILTER = 1024;

export function subscribe(client: Client, bytes: Buffer, body: number, next: number): void {
  const { packetId, entries, properties } = parseSubscribe(client.level, bytes, body, next);
  const { account } = client;
  if (account === undefined) return;
  if (properties.subscriptionIdentifier !== undefined)
    throw new MqttError(REASON.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, 'subscription identifiers are not supported');
  if (entries.length > LIMITS.filtersPerSubscribe)
    throw new MqttError(
      REASON.QUOTA_EXCEEDED,
      `a SUBSCRIBE with ${entries.length} filters; the limit is ${LIMITS.filtersPerSubscribe}`,
    );
  const codes: number[] = [];
  const fresh: SubscribeEntry[] = [];
  for (const entry of entries) {
    const code = judge(client, account, entry);
    // A refused filter ends a 3.1.1 connection without a SUBACK, as AWS IoT does.
    if (code === REASON.NOT_AUTHORIZED && client.level === 4) {
      client.close('FORBIDDEN_ACCESS');
      return;
    }
    if (code <= 1) {
      if (entry.retainHandling === 0 || (entry.retainHandling === 1 && !client.subscriptions.has(entry.filter)))
        fresh.push(entry);
      client.broker.subscribe(client, { filter: entry.filter, qos: code, noLocal: entry.noLocal });
    }
    codes.push(client.level === 4 && code > 2 ? FAILURE : code);
  }
  client.output.append(encodeSuback(client.level, packetId, codes));
  for (const { filter } of fresh) client.broker.sendRetained(client, filter);
}

/** The granted QoS, or a reason code of 0x80 and up. */
function judge(client: Client, account: AccountSpace, { filter, qos }: SubscribeEntry): number {
  const fault = filter.length > LONGEST_FILTER ? 'too long' : filterFault(filter);
  if (fault !== undefined) {
    const reason = `a topic filter that is not valid: ${fault}`;
    if (client.level === 4) throw new MqttError(REASON.TOPIC_FILTER_INVALID, reason);
    client.refuse({ check: 'topic', reason });
    return REASON.TOPIC_FILTER_INVALID;
  }
  if (sharedFilter(filter) !== undefined) {
    client.refuse({ check: 'protocol', reason: 'shared subscriptions are not supported yet' });
    return REASON.UNSPECIFIED;
  }
  const resource = iotArn(account.place, 'topicfilter', filter);
  if (!clientMaySubscribe(filter)) {
    client.refuse({
      check: 'reserved-topic',
      reason: `clients may not subscribe to ${filter}`,
      action: 'iot:Subscribe',
      resource,
    });
    return REASON.NOT_AUTHORIZED;
  }
  const { effect, ...statement } = client.rights.decide('iot:Subscribe', resource);
  if (effect !== 'ALLOWED') {
    client.refuse({
      check: 'policy',
      reason: `iot:Subscribe to ${filter} is ${effect === 'EXPLICIT_DENY' ? 'denied by a statement' : 'not allowed by any statement'}`,
      action: 'iot:Subscribe',
      resource,
      decision: effect,
      ...statement,
    });
    return REASON.NOT_AUTHORIZED;
  }
  if (!client.subscriptions.has(filter) && client.subscriptions.size >= LIMITS.subscriptionsPerConnection) {
    client.refuse({
      check: 'limit',
      reason: `more than ${LIMITS.subscriptionsPerConnection} subscriptions of one connection`,
      action: 'iot:Subscribe',
      resource,
    });
    return REASON.QUOTA_EXCEEDED;
  }
  // QoS 2 is not served: what is granted is QoS 1 [MQTT-3.8.4-6].
  return Math.min(qos, 1);
}
