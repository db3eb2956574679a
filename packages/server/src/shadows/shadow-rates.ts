/** How many requests on shadows an account and each of its things may make in a second, where there are rates. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../runtime/clock.ts';
import { Bucket, Buckets } from '../runtime/token-buckets.ts';

export interface RequestRates {
  /** Per second; 0 or absent for no rate. */
  readonly shadowRequests?: number;
  readonly shadowRequestsPerThing?: number;
}

interface AccountRates {
  readonly all: Bucket;
  readonly things: Buckets;
}

export class ShadowRates {
  readonly #clock: Clock;
  readonly #ratesOf: (accountId: string) => RequestRates;
  /** By account and region; accounts are those of the operator. */
  readonly #accounts = new Map<string, AccountRates>();

  constructor(clock: Clock, ratesOf: (accountId: string) => RequestRates) {
    this.#clock = clock;
    this.#ratesOf = ratesOf;
  }

  /** Takes a request, or says that there are too many. */
  take(place: Place, thingName: string): boolean {
    const { all, things } = this.#of(place);
    const now = this.#clock.monotonic();
    if (all.level(now) < 1 || !things.take(thingName, now)) return false;
    all.spend(1, now);
    return true;
  }

  #of(place: Place): AccountRates {
    const key = placeKey(place);
    let rates = this.#accounts.get(key);
    if (rates === undefined) {
      const { shadowRequests = 0, shadowRequestsPerThing = 0 } = this.#ratesOf(place.accountId);
      rates = { all: new Bucket(shadowRequests), things: new Buckets(shadowRequestsPerThing) };
      this.#accounts.set(key, rates);
    }
    return rates;
  }
}
