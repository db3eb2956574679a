/** Claims of one client id, one after another: of CONNECTs that come while one is under way, the last one gets it. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { Subscriber } from '../session/session.ts';
import type { ClientIdClaim, ClientIds } from './client-ids.ts';
import type { ConnectionIdentity } from './connection-identity.ts';

/** A client whose CONNECT is being handled. */
export interface Claimant extends Subscriber {
  readonly identity: ConnectionIdentity;
}

export class ClaimQueue {
  readonly #ids: ClientIds;

  constructor(ids: ClientIds) {
    this.#ids = ids;
  }

  /**
   * Takes the client id for the client: at once, or by the time that the promise resolves. A client that has gone meanwhile
   * does not have it, and it has been given back. An earlier CONNECT whose claim is under way is closed.
   */
  claim(client: Claimant, account: AccountSpace): Promise<void> | undefined {
    const earlier = account.clients.claimOf(client.clientId);
    if (earlier !== undefined) {
      earlier.client.close('DUPLICATE_CLIENTID', REASON.SESSION_TAKEN_OVER);
      return this.#wait(
        client,
        account,
        earlier.over.then(() => this.#ask(client, account)),
      );
    }
    const claim = this.#ids.claim(client, account);
    if (claim instanceof Promise) return this.#wait(client, account, claim);
    this.#take(client, account, claim);
    return undefined;
  }

  /** Gives the client id back: the connection has ended. */
  release(client: Claimant, account: AccountSpace): void {
    const { claim } = client.identity;
    if (claim !== undefined) this.#ids.release(client, account, claim);
  }

  #ask(client: Claimant, account: AccountSpace): ClientIdClaim | Promise<ClientIdClaim> | undefined {
    return client.state === 'closed' ? undefined : this.#ids.claim(client, account);
  }

  #wait(client: Claimant, account: AccountSpace, pending: Promise<ClientIdClaim | undefined>): Promise<void> {
    const taken = this.#settle(client, account, pending);
    const over = taken.then(
      () => undefined,
      () => undefined,
    );
    account.clients.beginClaim({ client, over });
    return taken;
  }

  async #settle(client: Claimant, account: AccountSpace, pending: Promise<ClientIdClaim | undefined>): Promise<void> {
    try {
      const claim = await pending;
      if (claim !== undefined) this.#take(client, account, claim);
    } finally {
      account.clients.endClaim(client);
    }
  }

  #take(client: Claimant, account: AccountSpace, claim: ClientIdClaim): void {
    if (client.state === 'closed') this.#ids.release(client, account, claim);
    else client.identity.setClaim(claim);
  }
}
