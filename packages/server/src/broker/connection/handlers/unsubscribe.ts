/** UNSUBSCRIBE [MQTT311 3.10]. */
import { holdsControl } from '@thingkeep/wire/mqtt/characters.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { filterFault, type TopicFault } from '@thingkeep/wire/topics.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import { encodeUnsuback, parseUnsubscribe } from '../../../mqtt/subscribe.ts';
import { JOURNAL_PENDING, NOTHING_PENDING } from '../../messaging.ts';
import type { Client } from '../client.ts';
import { checkUserProperties } from '../../message/message-properties.ts';

/** Faults of a filter that is malformed by MQTT [MQTT-4.7.1-1 to 4.7.1-3, 4.7.3-1, 4.8.2-1, 4.8.2-2]. */
const MALFORMED: ReadonlySet<TopicFault | undefined> = new Set(['empty', 'wildcard', 'malformed share']);

/** MQTT 3.1.1 has no codes in its UNSUBACK: there it ends the connection. */
function refused(client: Client): number {
  const reason = 'a topic filter that is not valid: it has a control character';
  if (client.level === 4) throw new MqttError(REASON.TOPIC_FILTER_INVALID, reason);
  client.refuse({ check: 'topic', reason });
  return REASON.TOPIC_FILTER_INVALID;
}

export function unsubscribe(client: Client, bytes: Buffer, body: number, next: number): void {
  const { packetId, filters, properties } = parseUnsubscribe(client.level, bytes, body, next);
  const { broker, session } = client;
  if (session === undefined) return;
  checkUserProperties(properties);
  for (const filter of filters) {
    const fault = filterFault(filter);
    if (MALFORMED.has(fault)) throw new MqttError(REASON.PROTOCOL_ERROR, `an UNSUBSCRIBE of a malformed topic filter: ${fault}`);
  }
  const codes = filters.map((filter) => {
    if (broker.sessions.unsubscribe(session, filter)) return REASON.SUCCESS;
    return holdsControl(filter) ? refused(client) : REASON.NO_SUBSCRIPTION_EXISTED;
  });
  client.publisher.acknowledge(
    encodeUnsuback(client.level, packetId, codes),
    session.persistent ? JOURNAL_PENDING : NOTHING_PENDING,
  );
  const gone = filters.filter((_, i) => codes[i] === REASON.SUCCESS);
  if (gone.length > 0) broker.unsubscribed(client, gone);
}
