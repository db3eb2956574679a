/** The client ids of an account that have a connection, and those that are being claimed for one. */
import type { Subscriber } from '../session/session.ts';

/** A client id that is being claimed. */
export interface PendingClaim {
  readonly client: Subscriber;
  /** Resolves once the claim has been granted, refused or given back. */
  readonly over: Promise<void>;
}

export class AccountClients {
  readonly #connections = new Map<string, Subscriber>();
  readonly #claims = new Map<string, PendingClaim>();
  /** Client ids that are claimed and have no connection. */
  #claimedAlone = 0;

  /** Client ids that have a connection or will have one. */
  get size(): number {
    return this.#connections.size + this.#claimedAlone;
  }

  has(clientId: string): boolean {
    return this.#connections.has(clientId) || this.#claims.has(clientId);
  }

  /** The connection that holds a client id: admitted, or connected. */
  get(clientId: string): Subscriber | undefined {
    return this.#connections.get(clientId);
  }

  /** The client holds its client id from now on. */
  hold(client: Subscriber): void {
    const { clientId } = client;
    if (!this.#connections.has(clientId) && this.#claims.has(clientId)) this.#claimedAlone -= 1;
    this.#connections.set(clientId, client);
  }

  /** The client holds its client id no longer. Does nothing where another client has it. */
  release(client: Subscriber): void {
    const { clientId } = client;
    if (this.#connections.get(clientId) !== client) return;
    this.#connections.delete(clientId);
    if (this.#claims.has(clientId)) this.#claimedAlone += 1;
  }

  /** The newest claim of a client id that is under way. */
  claimOf(clientId: string): PendingClaim | undefined {
    return this.#claims.get(clientId);
  }

  beginClaim(claim: PendingClaim): void {
    const { clientId } = claim.client;
    if (!this.has(clientId)) this.#claimedAlone += 1;
    this.#claims.set(clientId, claim);
  }

  /** A claim is over. Does nothing where a newer one of the same client id is under way. */
  endClaim(client: Subscriber): void {
    const { clientId } = client;
    if (this.#claims.get(clientId)?.client !== client) return;
    this.#claims.delete(clientId);
    if (!this.#connections.has(clientId)) this.#claimedAlone -= 1;
  }
}
