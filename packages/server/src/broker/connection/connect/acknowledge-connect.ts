/** CONNACK: sent once session and connection are on disk. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { encodeConnack } from '../../../mqtt/connect.ts';
import type { Properties } from '../../../mqtt/properties.ts';
import type { Opened } from '../../routing/sessions.ts';
import { closeForFailure } from '../fault.ts';
import type { AdmittedConnect } from './connect-attempt.ts';

/** Sends CONNACK, and begins to read the client's packets, after the commit that holds its session and connection. */
export function acknowledgeConnect(attempt: AdmittedConnect, opened: Opened): void {
  const { client, account } = attempt;
  const { session, present } = opened;
  const sendConnack = (): void => {
    if (client.state !== 'admitting') return;
    client.output.append(encodeConnack(client.level, 0, present, client.level === 5 ? connackProperties(attempt, opened) : {}));
    client.connected(session, account);
  };
  // A disk that takes nothing keeps clean sessions out of nothing but the register.
  client.broker.journal.afterPaced(sendConnack, (error) => (session.persistent ? closeForFailure(client, error) : sendConnack()));
}

function connackProperties({ connect, account, isAssigned, keepAlive }: AdmittedConnect, { session }: Opened): Properties {
  const { sessionExpiryInterval = 0 } = connect.properties;
  const { expiry } = session.lifetime;
  return {
    // Said when it is not what the client asked for [MQTT5 3.2.2.3.2].
    sessionExpiryInterval: sessionExpiryInterval === expiry ? undefined : expiry,
    receiveMaximum: account.limits.inFlight,
    maximumQoS: 1,
    retainAvailable: 1,
    maximumPacketSize: LIMITS.packet,
    topicAliasMaximum: LIMITS.topicAliases,
    wildcardSubscriptionAvailable: 1,
    subscriptionIdentifierAvailable: 0,
    sharedSubscriptionAvailable: 1,
    assignedClientIdentifier: isAssigned ? connect.clientId : undefined,
    serverKeepAlive: keepAlive === connect.keepAlive ? undefined : keepAlive,
  };
}
