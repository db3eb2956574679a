/** UNSUBSCRIBE [MQTT311 3.10]. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodeUnsuback, parseUnsubscribe } from '../../mqtt/subscribe.ts';
import type { Client } from '../client.ts';

export function unsubscribe(client: Client, bytes: Buffer, body: number, next: number): void {
  const { packetId, filters } = parseUnsubscribe(client.level, bytes, body, next);
  const codes = filters.map((filter) =>
    client.broker.unsubscribe(client, filter) ? REASON.SUCCESS : REASON.NO_SUBSCRIPTION_EXISTED,
  );
  client.output.append(encodeUnsuback(client.level, packetId, codes));
}
