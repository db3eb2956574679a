/**
 * Changes of the identities of each account, counted: what was cached of an account at another count is void, and
 * connections that were signed with its IAM credentials are authorized anew.
 */
import type { Changes } from '../store/changes.ts';
import { accessKeys, entities, managedPolicies } from './store.ts';

export class IamChanges {
  #total = 0;
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Set<(accountId: string) => void>();

  /** Follows users, groups, roles, policies and keys, and the keys of accounts' roots. */
  constructor(changes: Changes) {
    changes.on(entities, ({ place }) => this.#publish(place.accountId));
    changes.on(managedPolicies, ({ place }) => this.#publish(place.accountId));
    changes.on(accessKeys, ({ place }) => this.#publish(place.accountId));
    changes.onExternal('root-keys', ({ accountId }) => this.#publish(accountId));
  }

  /** Changes of all accounts so far. */
  get total(): number {
    return this.#total;
  }

  /** Changes of the account so far. */
  count(accountId: string): number {
    return this.#counts.get(accountId) ?? 0;
  }

  /** Listens until the returned function is called. */
  on(listener: (accountId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #publish(accountId: string): void {
    this.#total += 1;
    this.#counts.set(accountId, this.count(accountId) + 1);
    for (const listener of this.#listeners) listener(accountId);
  }
}
