/** UNSUBSCRIBE [MQTT311 3.10]. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodeUnsuback, parseUnsubscribe } from '../../mqtt/subscribe.ts';
import type { Client } from '../client.ts';
import { checkUserProperties } from './publish.ts';

export function unsubscribe(client: Client, bytes: Buffer, body: number, next: number): void {
  const { packetId, filters, properties } = parseUnsubscribe(client.level, bytes, body, next);
  const { broker, session } = client;
  if (session === undefined) return;
  checkUserProperties(properties);
  const codes = filters.map((filter) =>
    broker.sessions.unsubscribe(session, filter) ? REASON.SUCCESS : REASON.NO_SUBSCRIPTION_EXISTED,
  );
  client.acknowledge(encodeUnsuback(client.level, packetId, codes), session.persistent);
  const gone = filters.filter((_, i) => codes[i] === REASON.SUCCESS);
  if (gone.length > 0) broker.unsubscribed(client, gone);
}
