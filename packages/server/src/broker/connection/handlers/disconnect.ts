/**
 * DISCONNECT: the client leaves, and its will goes out unless the reason code is 0 [MQTT5 3.1.2-8]. Whatever its reason code,
 * it is the client that ends the connection (developer guide, page life-cycle-events).
 */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { parseDisconnect } from '../../../mqtt/acknowledge.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import type { Client } from '../client.ts';
import { checkUserProperties } from '../../message/message-properties.ts';

export function disconnect(client: Client, bytes: Buffer, body: number, next: number): void {
  const { reason, properties } = parseDisconnect(client.level, bytes, body, next);
  checkUserProperties(properties);
  const { sessionExpiryInterval = 0 } = properties;
  if (sessionExpiryInterval > 0 && (client.identity.connect?.properties.sessionExpiryInterval ?? 0) === 0)
    throw new MqttError(REASON.PROTOCOL_ERROR, 'a session that was to end can not be kept by DISCONNECT'); // [MQTT-3.14.2-2]
  // A new interval for the session, up to the account's [MQTT-3.14.2-2]; 0 ends it.
  const { session, account } = client;
  if (session !== undefined && account !== undefined && properties.sessionExpiryInterval !== undefined)
    session.lifetime.expireAfter(Math.min(sessionExpiryInterval, account.limits.sessionExpiry));
  client.ended(reason === REASON.NORMAL_DISCONNECTION ? 'disconnect' : 'disconnect-with-will'); // [MQTT5 3.14.4-3]
}
