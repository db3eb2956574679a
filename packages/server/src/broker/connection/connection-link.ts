/** The way of a session's messages to its client, within the bounds that client and account have set. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import type { Properties } from '../../mqtt/properties.ts';
import { Aliases } from '../message/aliases.ts';
import type { DeliveryOutput, DeliveryRates, ConnectionLink, Receiver } from '../session/transmitter.ts';

interface Connected extends Receiver {
  readonly output: DeliveryOutput;
  readonly level: ProtocolLevel;
  readonly throttle: DeliveryRates | undefined;
}

/** `properties` are those of its CONNECT; `inFlight` is how many unacknowledged packets its account allows. */
export function connectionLink(client: Connected, properties: Properties, inFlight: number): ConnectionLink {
  const { receiveMaximum = 0xffff, maximumPacketSize = Number.POSITIVE_INFINITY, topicAliasMaximum = 0 } = properties;
  return {
    output: client.output,
    receiver: client,
    level: client.level,
    receiveMaximum: Math.min(receiveMaximum, inFlight),
    largest: maximumPacketSize,
    rates: client.throttle,
    aliases: topicAliasMaximum === 0 ? undefined : new Aliases(Math.min(topicAliasMaximum, LIMITS.topicAliases)),
  };
}
