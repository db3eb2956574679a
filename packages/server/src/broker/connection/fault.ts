/** Faults that end a connection: a violation of MQTT by its client, and a failure of our own. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodeConnack, UnsupportedProtocol } from '../../mqtt/connect.ts';
import type { MqttError } from '../../mqtt/mqtt-error.ts';
import type { Logger } from '../../runtime/log.ts';
import { TooManyRequests } from '../message/too-many-requests.ts';
import type { Subscriber } from '../session/session.ts';
import type { ConnectionIdentity } from './connection-identity.ts';
import type { Output } from './output.ts';

/** A connection, as a fault finds it. */
export interface Faulty extends Pick<Subscriber, 'state' | 'clientId' | 'refuse' | 'close'> {
  readonly identity: ConnectionIdentity;
  readonly output: Output;
}

/** Violations that are a matter of what a topic may be. */
const ABOUT_TOPICS: ReadonlySet<number> = new Set([REASON.TOPIC_NAME_INVALID, REASON.TOPIC_FILTER_INVALID]);

/** Ends a connection that has violated MQTT, whatever its state [MQTT-4.8.0-1; MQTT5 4.13]. */
export function closeForViolation(client: Faulty, error: MqttError): void {
  const { output, state } = client;
  client.refuse({ check: ABOUT_TOPICS.has(error.reason) ? 'topic' : 'protocol', reason: error.message });
  if (state === 'awaiting-connect' && error instanceof UnsupportedProtocol) {
    // [MQTT-3.1.2-2]: the version's own way of saying no.
    output.append(error.level < 5 ? encodeConnack(4, 1, false) : encodeConnack(5, error.reason, false));
  } else if (state === 'awaiting-connect' && client.identity.level === 5) output.append(encodeConnack(5, error.reason, false));
  client.close('CLIENT_ERROR', error.reason);
}

/** Ends a connection whose messages could not be read or stored. */
export function closeForFailure(
  client: Pick<Faulty, 'clientId' | 'close'> & { readonly broker: { readonly log: Logger } },
  error: unknown,
): void {
  client.broker.log.error({ err: error, clientId: client.clientId }, 'the messages of a session could not be read or stored');
  client.close('SERVER_ERROR', REASON.UNSPECIFIED);
}

/** Ends a connection whose messages are not acknowledged: they could not be stored, or were requests beyond what may wait. */
export function closeUnacknowledged(
  client: Pick<Faulty, 'clientId' | 'refuse' | 'close'> & { readonly broker: { readonly log: Logger } },
  error: unknown,
): void {
  if (error instanceof TooManyRequests) {
    client.refuse({ check: 'limit', reason: error.message });
    client.close('THROTTLED', REASON.QUOTA_EXCEEDED);
  } else closeForFailure(client, error);
}
