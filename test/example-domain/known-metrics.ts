/** Which custom metrics an account has: cached, until one of them changes. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import { VersionedCache } from '../../packages/server/src/runtime/versioned-cache.ts';
import type { Changes } from '../../packages/server/src/store/changes.ts';
import type { Store } from '../../packages/server/src/store/contract.ts';
import { customMetrics } from './store.ts';

/** Accounts, at most. */
const MAX_CACHED = 1_000;

export class KnownMetrics {
  readonly #inRegion: (region: string) => Store;
  readonly #names = new VersionedCache<ReadonlySet<string>>(MAX_CACHED);
  /** Counts changes of all accounts: there are few. */
  #changes = 0;
  /** Reads of the store, for the test. */
  reads = 0;
  readonly unfollow: () => void;

  constructor(inRegion: (region: string) => Store, changes: Changes) {
    this.#inRegion = inRegion;
    this.unfollow = changes.on(customMetrics, () => {
      this.#changes += 1;
    });
  }

  async of(place: Place): Promise<ReadonlySet<string>> {
    const key = placeKey(place);
    const cached = this.#names.get(key, this.#changes);
    if (cached !== undefined) return cached;
    // Before the reading: what is read while a change commits counts for the state before it.
    const since = this.#changes;
    this.reads += 1;
    const { items } = await this.#inRegion(place.region).read((tx) => tx.scan(customMetrics, { prefix: [place.accountId] }));
    const names = new Set(items.map(({ name }) => name));
    this.#names.set(key, since, names);
    return names;
  }
}
