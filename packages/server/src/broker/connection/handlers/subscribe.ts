/** SUBSCRIBE: each filter is authorized by itself; MQTT 3.1.1 clients are closed where MQTT 5 clients get a reason code. */
import { policyRefusal } from '../../../refusals/policy-refusal.ts';
import { iotArn } from '@thingkeep/wire/arn.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { clientMaySubscribe, filterFault, sharedFilter, TOPIC_FAULT_TEXT } from '@thingkeep/wire/topics.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import { encodeSuback, parseSubscribe, type SubscribeEntry } from '../../../mqtt/subscribe.ts';
import type { AccountSpace } from '../../routing/account.ts';
import { JOURNAL_PENDING, NOTHING_PENDING } from '../../messaging.ts';
import type { Client } from '../client.ts';
import type { Session } from '../../session/session.ts';
import { throttled } from '../connection-throttle.ts';
import { reportUnserved } from './report-unserved.ts';
import { checkUserProperties } from '../../message/message-properties.ts';

/** Failure of MQTT 3.1.1's SUBACK. */
const FAILURE = 0x80;

/** Longer than any filter within the limits, a share's name included: not worth a closer look. */
const LONGEST_FILTER = 1024;

export function subscribe(client: Client, bytes: Buffer, body: number, next: number): void {
  const { packetId, entries, properties } = parseSubscribe(client.level, bytes, body, next);
  const { account, session, broker } = client;
  if (account === undefined || session === undefined) return;
  if (properties.subscriptionIdentifier !== undefined)
    throw new MqttError(REASON.SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED, 'subscription identifiers are not supported');
  checkUserProperties(properties);
  if (entries.length > account.limits.filtersPerSubscribe)
    throw new MqttError(
      REASON.QUOTA_EXCEEDED,
      `a SUBSCRIBE with ${entries.length} filters; the limit is ${account.limits.filtersPerSubscribe}`,
    );
  const codes: number[] = [];
  const fresh: SubscribeEntry[] = [];
  for (const entry of entries) {
    const code = authorizeFilter(client, account, session, entry);
    // A refused filter ends a 3.1.1 connection without a SUBACK, as AWS IoT does.
    if (code === REASON.NOT_AUTHORIZED && client.level === 4) {
      client.close('FORBIDDEN_ACCESS');
      return;
    }
    if (code <= 1) {
      if (entry.retainHandling === 0 || (entry.retainHandling === 1 && !session.subscriptions.has(entry.filter)))
        fresh.push(entry);
      reportUnserved(client, 'iot:Subscribe', entry.filter);
      broker.sessions.subscribe(session, { filter: entry.filter, qos: code, noLocal: entry.noLocal });
    }
    codes.push(client.level === 4 && code > 2 ? FAILURE : code);
  }
  // A persistent session's subscription is on disk before the client hears of it.
  client.publisher.acknowledge(
    encodeSuback(client.level, packetId, codes),
    session.persistent ? JOURNAL_PENDING : NOTHING_PENDING,
  );
  for (const { filter } of fresh) broker.sendRetained(client, filter);
  const granted = entries.flatMap(({ filter }, i) => ((codes[i] as number) <= 1 ? [filter] : []));
  if (granted.length > 0) broker.subscribed(client, granted);
}

/** The granted QoS, or a reason code of 0x80 and up. */
function authorizeFilter(
  client: Client,
  account: AccountSpace,
  session: Session,
  { filter, qos, noLocal }: SubscribeEntry,
): number {
  const fault = filter.length > LONGEST_FILTER ? 'too long' : filterFault(filter);
  if (fault !== undefined) {
    const reason = `a topic filter that is not valid: ${TOPIC_FAULT_TEXT[fault]}`;
    if (fault === 'empty') throw new MqttError(REASON.PROTOCOL_ERROR, 'a SUBSCRIBE with an empty topic filter'); // [MQTT-4.7.3-1]
    if (client.level === 4) throw new MqttError(REASON.TOPIC_FILTER_INVALID, reason);
    client.refuse({ check: 'topic', reason });
    return REASON.TOPIC_FILTER_INVALID;
  }
  const shared = sharedFilter(filter) !== undefined;
  if (shared && noLocal) throw new MqttError(REASON.PROTOCOL_ERROR, 'No Local on a shared subscription'); // [MQTT-3.8.3-4]
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
  const decision = client.permissions.decide('iot:Subscribe', resource);
  if (decision.effect !== 'ALLOWED') {
    client.refuse(policyRefusal({ action: 'iot:Subscribe', resource, what: `to ${filter}` }, decision));
    return REASON.NOT_AUTHORIZED;
  }
  const limit = limitReached(account, session, filter, shared);
  if (limit !== undefined) {
    client.refuse({ check: 'limit', reason: limit, action: 'iot:Subscribe', resource });
    return REASON.QUOTA_EXCEEDED;
  }
  if (account.throttle?.maySubscribe() === false) {
    throttled(client, 'subscribe');
    return REASON.QUOTA_EXCEEDED;
  }
  // QoS 2 is not served: what is granted is QoS 1 [MQTT-3.8.4-6].
  return Math.min(qos, 1);
}

/** What one subscription more would be too many of, if anything. */
function limitReached({ limits, routes }: AccountSpace, session: Session, filter: string, shared: boolean): string | undefined {
  if (session.subscriptions.has(filter)) return undefined;
  if (session.subscriptions.size >= limits.subscriptionsPerConnection)
    return `more than ${limits.subscriptionsPerConnection} subscriptions of one connection`;
  if (!shared) return undefined;
  const share = routes.share(filter);
  if (share === undefined && routes.shares.size >= limits.shares) return `more than ${limits.shares} shared subscription groups`;
  if (share !== undefined && share.size >= limits.shareMembers)
    return `more than ${limits.shareMembers} members of a shared subscription group`;
  return undefined;
}
