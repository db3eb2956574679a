/** The way of a session's messages to its client, within the bounds that client and account have set. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import type { Logger } from '../../runtime/log.ts';
import { Aliases } from '../message/aliases.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { Subscriber } from '../session/session.ts';
import type { DeliveryOutput, DeliveryRates, ConnectionLink } from '../session/transmitter.ts';
import type { ConnectionIdentity } from './connection-identity.ts';
import type { ConnectionPermissions } from './connection-permissions.ts';
import { closeForFailure } from './fault.ts';

interface Connected extends Pick<Subscriber, 'clientId' | 'close'> {
  readonly identity: ConnectionIdentity;
  readonly permissions: ConnectionPermissions;
  readonly output: DeliveryOutput;
  readonly level: ProtocolLevel;
  readonly throttle: DeliveryRates | undefined;
  readonly broker: { readonly log: Logger };
}

export function connectionLink(client: Connected, account: AccountSpace): ConnectionLink {
  const { identity, level, output, permissions, throttle } = client;
  const {
    receiveMaximum = 0xffff,
    maximumPacketSize = Number.POSITIVE_INFINITY,
    topicAliasMaximum = 0,
  } = identity.connect?.properties ?? {};
  return {
    output,
    permissions,
    topics: account,
    level,
    receiveMaximum: Math.min(receiveMaximum, account.limits.inFlight),
    largest: maximumPacketSize,
    rates: throttle,
    aliases: topicAliasMaximum === 0 ? undefined : new Aliases(Math.min(topicAliasMaximum, LIMITS.topicAliases)),
    failed: (error) => closeForFailure(client, error),
  };
}
