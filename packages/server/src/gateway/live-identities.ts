/**
 * Changes of IAM reach live connections: each connection of the account that was signed with an IAM identity's key is authorized
 * afresh with the CONNECT that it came with. It gets its new permissions, or, when it may no longer connect, is closed.
 */
import type { Broker } from '../broker/broker.ts';
import type { Client } from '../broker/connection/client.ts';
import type { Connect } from '../mqtt/connect.ts';
import type { Clock } from '../runtime/clock.ts';

export interface LiveIdentitiesOptions {
  readonly broker: Pick<Broker, 'connections'>;
  readonly clock: Clock;
  /** Listens for accounts whose users, roles, policies or keys have changed; gives the function that ends it. */
  readonly onChange: (listener: (accountId: string) => void) => () => void;
  /** How often the account has changed. */
  readonly countOf: (accountId: string) => number;
  /** The count at which a CONNECT was authorized; undefined when it was no IAM identity's. */
  readonly authorizedAt: (connect: Connect) => number | undefined;
}

/** Records by which state of IAM each CONNECT of an IAM identity was authorized. */
export function markIdentities(countOf: (accountId: string) => number): {
  mark: (connect: Connect, accountId: string) => void;
  authorizedAt: (connect: Connect) => number | undefined;
} {
  const marks = new WeakMap<Connect, number>();
  return {
    mark: (connect, accountId) => void marks.set(connect, countOf(accountId)),
    authorizedAt: (connect) => marks.get(connect),
  };
}

/** Clients of one account that are followed: connected ones, and those that have left a will which is still to come. */
class Followed {
  readonly live = new Set<Client>();
  /** Client -> when its will is due (milliseconds of the clock that never jumps). */
  readonly #departed = new Map<Client, number>();

  depart(client: Client, now: number): void {
    this.live.delete(client);
    const delay = client.identity.connect?.will?.properties.willDelayInterval ?? 0;
    if (delay > 0) this.#departed.set(client, now + delay * 1000);
  }

  all(now: number): Client[] {
    for (const [client, due] of this.#departed) if (due < now) this.#departed.delete(client);
    return [...this.live, ...this.#departed.keys()];
  }
}

/** Begins to follow changes; gives the function that ends it. */
export function followIdentities({ broker, clock, onChange, countOf, authorizedAt }: LiveIdentitiesOptions): () => void {
  const byAccount = new Map<string, Followed>();
  broker.connections.listen({
    connected(client) {
      const { admission, connect } = client.identity;
      const authorized = connect === undefined ? undefined : authorizedAt(connect);
      if (authorized === undefined || admission === undefined) return;
      const followed = byAccount.get(admission.accountId) ?? new Followed();
      byAccount.set(admission.accountId, followed);
      followed.live.add(client);
      // A change between a CONNECT's authorization and its admission would otherwise be missed.
      if (authorized !== countOf(admission.accountId)) void client.permissions.reauthorize();
    },
    disconnected(client) {
      const followed = byAccount.get(client.identity.admission?.accountId ?? '');
      if (followed?.live.has(client) === true) followed.depart(client, clock.monotonic());
    },
  });
  return onChange((accountId) => {
    for (const client of byAccount.get(accountId)?.all(clock.monotonic()) ?? []) void client.permissions.reauthorize();
  });
}
