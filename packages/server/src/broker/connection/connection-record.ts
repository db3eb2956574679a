/**
 * Records of connections: who is connected and with which will, the wills that wait for their delay, and the version number
 * of each client id's presence events. After a crash the next start publishes `disconnected` events and wills from them.
 */
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import type { Connect, Will } from '../../mqtt/connect.ts';
import { Cursor } from '../../mqtt/cursor.ts';
import { encodeProperties, readProperties } from '../../mqtt/properties.ts';
import { collection } from '../../store/contract.ts';
import type { Client } from './client.ts';
import type { Peer, Proof } from '../contract.ts';

/** A will, with all that it takes to authorize its client again. */
export interface WillFacts {
  readonly topic: string;
  /** Base64. */
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Encoded MQTT 5 properties with their length, base64. */
  readonly properties: string;
  readonly level: ProtocolLevel;
  readonly clean: boolean;
  readonly sessionExpiryInterval?: number | undefined;
  readonly peer: Pick<Peer, 'sourceIp' | 'sourcePort' | 'serverName' | 'secureTransport' | 'certificateId'>;
  readonly principal: string;
  readonly proof?: Proof | undefined;
}

/** A connection as its `disconnected` event and its will show it. */
export interface ConnectionFacts {
  readonly sessionIdentifier: string;
  /** As presence events and rules name the principal. */
  readonly principalId: string;
  readonly thingName?: string | undefined;
  readonly will?: WillFacts | undefined;
}

/** What is kept of a client id: its connection, or for an hour when it left. */
export interface ConnectionRecord {
  readonly region: string;
  readonly accountId: string;
  readonly clientId: string;
  /** Number of its presence events. */
  readonly version: number;
  /** Absent once the client has left. */
  readonly connection?: ConnectionFacts | undefined;
  /** Milliseconds since the epoch when the client left. */
  readonly leftAt?: number | undefined;
}

/** A connection that was there when the process died. */
export type LostConnection = ConnectionRecord & { readonly connection: ConnectionFacts };

/** A will whose client has gone, and whose delay has not passed; or which is not retained yet though it was delivered. */
export interface WillRecord {
  readonly region: string;
  readonly accountId: string;
  readonly clientId: string;
  readonly connection: ConnectionFacts;
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  readonly delivered: boolean;
}

export const connectionRecords = collection<ConnectionRecord>('connections', (c) => [c.region, c.accountId, c.clientId]);
export const willRecords = collection<WillRecord>('wills', (w) => [
  w.region,
  w.accountId,
  w.clientId,
  w.connection.sessionIdentifier,
]);

/** About the bytes that a will takes: its payload and topic. */
export const willSize = (will: Will | undefined): number => (will === undefined ? 0 : will.payload.length + will.topic.length);

/** What is stored of a client that has been admitted. */
export function connectionFacts(client: Client): ConnectionFacts {
  const { admission, connect, peer, principal, sessionIdentifier } = client.identity;
  const principalId = admission?.principalId ?? principal;
  const { thingName, proof } = admission ?? {};
  if (connect?.will === undefined) return { sessionIdentifier, principalId, thingName };
  const { sourceIp, sourcePort, serverName, secureTransport, certificateId } = peer;
  const { topic, payload, qos, retain, properties } = connect.will;
  const will = {
    topic,
    payload: payload.toString('base64'),
    qos,
    retain,
    properties: encodeProperties(properties).toString('base64'),
    level: connect.level,
    clean: connect.clean,
    sessionExpiryInterval: connect.properties.sessionExpiryInterval,
    peer: { sourceIp, sourcePort, serverName, secureTransport, certificateId },
    principal,
    proof,
  };
  return { sessionIdentifier, principalId, thingName, will };
}

/** The CONNECT that a stored will came with, as far as permissions may depend on it. Fails for a will that is damaged. */
export function storedConnect(clientId: string, stored: WillFacts): Connect & { readonly will: Will } {
  const { level, clean, topic, qos, retain, sessionExpiryInterval } = stored;
  const bytes = Buffer.from(stored.properties, 'base64');
  const properties = readProperties(new Cursor(bytes, 0, bytes.length), 'WILL');
  const will = { topic, payload: Buffer.from(stored.payload, 'base64'), qos, retain, properties };
  return { level, clean, keepAlive: 0, clientId, will, properties: { sessionExpiryInterval } };
}
