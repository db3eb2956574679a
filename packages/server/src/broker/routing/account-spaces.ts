/** The topic spaces of all accounts, each made when it is first asked for. */
import type { Clock } from '../../runtime/clock.ts';
import { AccountSpace } from './account.ts';
import { type AccountLimits, DEFAULT_LIMITS } from './account-limits.ts';
import { QueueTotals } from '../session/queue-totals.ts';
import { NO_RATES, type Rates } from './rates.ts';
import { accountThrottle } from './account-throttle.ts';

export interface AccountOptions {
  /** Region of accounts that are asked for without one. */
  readonly region: string;
  readonly clock: Clock;
  /** Limits and rates of an account that are not the default ones (AWS's limits, no rates). */
  readonly limitsOf?: (accountId: string) => Partial<AccountLimits>;
  readonly ratesOf?: (accountId: string) => Partial<Rates>;
}

export class AccountSpaces {
  readonly #options: AccountOptions;
  /** By region and account. */
  readonly #spaces = new Map<string, AccountSpace>();
  /** By account, over its regions. */
  readonly #queues = new Map<string, QueueTotals>();

  constructor(options: AccountOptions) {
    this.#options = options;
  }

  of(accountId: string, region = this.#options.region): AccountSpace {
    const name = `${region}/${accountId}`;
    let space = this.#spaces.get(name);
    if (space === undefined) {
      const { clock, limitsOf, ratesOf } = this.#options;
      const limits = { ...DEFAULT_LIMITS, ...limitsOf?.(accountId) };
      const throttle = accountThrottle({ ...NO_RATES, ...ratesOf?.(accountId) }, clock);
      const queues = this.#queues.get(accountId) ?? new QueueTotals(limits);
      this.#queues.set(accountId, queues);
      space = new AccountSpace({ accountId, region }, limits, throttle, queues);
      this.#spaces.set(name, space);
    }
    return space;
  }

  /** What persistent sessions and shared subscriptions of all accounts keep on disk. */
  get queued(): { messages: number; bytes: number } {
    const all = { messages: 0, bytes: 0 };
    for (const { messages, bytes } of this.#queues.values()) {
      all.messages += messages;
      all.bytes += bytes;
    }
    return all;
  }

  /** Rules of all accounts have changed. */
  interceptorsChanged(): void {
    for (const space of this.#spaces.values()) space.interceptorsChanged();
  }
}
