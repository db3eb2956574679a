/**
 * Claims of client ids: one connection has a client id of an account at a time [MQTT-3.1.4-2]. The implementation here
 * knows the connections of this process, and grants at once.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { AccountClients } from '../routing/account-clients.ts';
import type { Subscriber } from '../session/session.ts';
import { type PresenceVersions, presenceName } from './presence-versions.ts';

/** The account that a client id is claimed in. */
export interface ClaimedIn {
  readonly place: Place;
  readonly clients: AccountClients;
}

export interface ClientIdClaim {
  /** Number of the presence events of the connection. */
  readonly version: number;
}

export interface ClientIds {
  /**
   * Takes the client id for a client. A connection that has it is closed first, and its end published: when a claim is
   * granted, all that its predecessor had to say has been said. A claim that takes time is a promise, and settles.
   */
  claim(client: Subscriber, account: ClaimedIn): ClientIdClaim | Promise<ClientIdClaim>;
  /** Gives a client id back, used or not. Does nothing where another connection has it meanwhile. */
  release(client: Subscriber, account: ClaimedIn, claim: ClientIdClaim): void;
}

export class LocalClientIds implements ClientIds {
  readonly #versions: PresenceVersions;

  constructor(versions: PresenceVersions) {
    this.#versions = versions;
  }

  claim(client: Subscriber, { clients, place }: ClaimedIn): ClientIdClaim {
    const { clientId } = client;
    clients.get(clientId)?.close('DUPLICATE_CLIENTID', REASON.SESSION_TAKEN_OVER);
    clients.hold(client);
    return { version: this.#versions.connect(presenceName(place, clientId)) };
  }

  release(client: Subscriber, { clients, place }: ClaimedIn, { version }: ClientIdClaim): void {
    clients.release(client);
    this.#versions.disconnect(presenceName(place, client.clientId), version);
  }
}
