/** All rules in memory, as messages meet them: found by name and by topic, and brought up to date when a record changes. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Logger } from '../runtime/log.ts';
import { Bucket } from '../runtime/token-buckets.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { AccountSizes, ruleSize } from './account-sizes.ts';
import { type CompiledRule, compileRule } from './compiled-rule.ts';
import type { Roles } from './contract.ts';
import type { RuleMetrics } from './metrics.ts';
import { RuleSpace } from './rule-space.ts';
import type { RuleQuery } from './sql/rule-query.ts';
import type { ExternalServices } from './sql/contract.ts';
import { findRule, type RuleRecord, rules } from './store.ts';

export interface RuleDirectoryOptions {
  readonly log: Logger;
  readonly roles: Roles;
  /** Regions that hold data, and each one's part of the store. */
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  /** What the SQL of a rule asks of the world. */
  readonly services: (place: Place, record: RuleRecord) => ExternalServices;
  /** Evaluations of SQL that an account has in a second in one region; 0 for as many as come. */
  readonly evaluationsPerSecond: number;
}

export class RuleDirectory {
  readonly #options: RuleDirectoryOptions;
  readonly #metrics: RuleMetrics;
  readonly #sizes = new AccountSizes();
  readonly #spaces = new Map<string, RuleSpace>();
  readonly #evaluations = new Map<string, Bucket>();
  #refreshed: Promise<void> = Promise.resolve();

  constructor(options: RuleDirectoryOptions, metrics: RuleMetrics) {
    this.#options = options;
    this.#metrics = metrics;
  }

  async load(): Promise<void> {
    const { regions, inRegion } = this.#options;
    for (const region of await regions()) {
      for await (const { items } of pages(inRegion(region), rules, { skipDamaged: true, prefix: [] }))
        for (const record of items)
          try {
            await this.#learnRoles(record);
            this.#plant({ accountId: record.accountId, region }, record);
          } catch (error) {
            this.#leaveOut(record, error);
          }
    }
  }

  /** What can't be read any more, or is more than a rule or an account may have. */
  #leaveOut({ accountId, ruleName }: RuleRecord, error: unknown): void {
    this.#options.log.error(
      { err: error, event: 'rule-unreadable', accountId, ruleName },
      'a rule can not be read and is left out',
    );
  }

  /** QueueQuota for a rule that is about to be stored: as in {@link AccountSizes}. */
  reserve(place: Place, record: RuleRecord, query: RuleQuery): () => void {
    return this.#sizes.reserve(place, record.ruleName, ruleSize(record, query));
  }

  /** What the store has of the rule is in force when this resolves. */
  refresh(place: Place, ruleName: string): Promise<void> {
    // One after another: what is read last is what stays.
    const refreshed = this.#refreshed.then(() => this.#refresh(place, ruleName));
    this.#refreshed = refreshed.catch(() => undefined);
    return refreshed;
  }

  find(place: Place, ruleName: string): CompiledRule | undefined {
    return this.#spaces.get(placeKey(place))?.byName.get(ruleName);
  }

  /** Enabled rules whose filter covers the topic. */
  covering(place: Place, topic: string): readonly CompiledRule[] {
    return this.#spaces.get(placeKey(place))?.filters.covering(topic) ?? [];
  }

  /** Whether the account may have a message evaluated now (monotonic ms). */
  mayEvaluate({ accountId, region }: Place, now: () => number): boolean {
    const { evaluationsPerSecond: rate } = this.#options;
    if (rate === 0) return true;
    const key = placeKey({ accountId, region });
    let bucket = this.#evaluations.get(key);
    if (bucket === undefined) {
      bucket = new Bucket(rate);
      this.#evaluations.set(key, bucket);
    }
    return bucket.take(now());
  }

  async #refresh(place: Place, ruleName: string): Promise<void> {
    const record = await this.#options.inRegion(place.region).read((tx) => findRule(tx, place.accountId, ruleName));
    if (record === undefined) {
      this.#remove(place, ruleName);
      this.#metrics.forget(place, ruleName);
    } else {
      await this.#learnRoles(record);
      try {
        this.#plant(place, record);
      } catch (error) {
        // A rule of before the bounds, that was enabled or disabled now.
        if (!(error instanceof ThingkeepError)) throw error;
        this.#remove(place, ruleName);
        this.#leaveOut(record, error);
      }
    }
    this.#options.roles.retain(place.accountId, this.#rolesOf(place.accountId));
  }

  #remove(place: Place, ruleName: string): void {
    this.#space(place).remove(ruleName);
    this.#sizes.remove(place, ruleName);
  }

  #rolesOf(accountId: string): ReadonlySet<string> {
    const all = new Set<string>();
    for (const [key, { byName }] of this.#spaces)
      if (key.endsWith(`/${accountId}`))
        for (const { record } of byName.values()) for (const role of rolesIn(record)) all.add(role);
    return all;
  }

  /** Permissions of the roles that the rule publishes with: asked for now, for no message waits. */
  async #learnRoles(record: RuleRecord): Promise<void> {
    for (const roleArn of rolesIn(record)) await this.#options.roles.learn(record.accountId, roleArn);
  }

  #plant(place: Place, record: RuleRecord): void {
    const services = this.#options.services(place, record);
    const rule = compileRule(place, record, this.#metrics, services);
    this.#sizes.put(place, record.ruleName, ruleSize(record, rule.query));
    this.#space(place).put(rule);
  }

  #space(place: Place): RuleSpace {
    const key = placeKey(place);
    let space = this.#spaces.get(key);
    if (space === undefined) {
      space = new RuleSpace();
      this.#spaces.set(key, space);
    }
    return space;
  }
}

/** Roles that the rule publishes with. */
function rolesIn({ actions, errorAction }: RuleRecord): ReadonlySet<string> {
  const all = errorAction === undefined ? actions : [...actions, errorAction];
  return new Set(all.flatMap(({ republish }) => republish?.roleArn ?? []));
}
