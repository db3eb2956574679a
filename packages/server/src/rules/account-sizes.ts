/** How much the rules of each account are together, in all regions: what is kept of them in memory, and read at each start. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { RuleQuery } from './sql/rule-query.ts';
import { SQL_LIMITS } from './sql/limits.ts';
import type { RuleRecord } from './store.ts';

/** Characters of a rule's document that count as one node. */
const NODE_CHARACTERS = 64;

/** Nodes of a rule, and its document. */
export const ruleSize = (record: RuleRecord, query: Pick<RuleQuery, 'budget'>): number =>
  query.budget.nodes + Math.ceil(JSON.stringify(record).length / NODE_CHARACTERS);

const keyOf = (region: string, ruleName: string): string => `${region}/${ruleName}`;

export class AccountSizes {
  readonly #most: number;
  /** By account, then by region and rule. */
  readonly #inForce = new Map<string, Map<string, number>>();
  /** Of rules that are about to be stored. */
  readonly #reserved = new Map<string, Set<{ readonly key: string; readonly size: number }>>();

  constructor(most: number = SQL_LIMITS.accountNodes) {
    this.#most = most;
  }

  /** QueueQuota for a rule until it is in force: called again, the result gives it back. Fails with InvalidRequestException. */
  reserve({ accountId, region }: Place, ruleName: string, size: number): () => void {
    const key = keyOf(region, ruleName);
    const reserved = this.#reserved.get(accountId) ?? new Set();
    const pending = [...reserved].reduce((sum, each) => sum + each.size, 0);
    this.#check(accountId, key, size + pending);
    const mine = { key, size };
    this.#reserved.set(accountId, reserved.add(mine));
    return () => {
      reserved.delete(mine);
    };
  }

  /** Fails with InvalidRequestException, and changes nothing then. */
  put({ accountId, region }: Place, ruleName: string, size: number): void {
    const key = keyOf(region, ruleName);
    this.#check(accountId, key, size);
    const sizes = this.#inForce.get(accountId) ?? new Map<string, number>();
    this.#inForce.set(accountId, sizes.set(key, size));
  }

  remove({ accountId, region }: Place, ruleName: string): void {
    this.#inForce.get(accountId)?.delete(keyOf(region, ruleName));
  }

  #check(accountId: string, key: string, size: number): void {
    let total = size;
    for (const [other, one] of this.#inForce.get(accountId) ?? []) if (other !== key) total += one;
    if (total > this.#most)
      fail(
        'InvalidRequestException',
        `The rules of an account have at most ${this.#most} names, values and operators together, where ${NODE_CHARACTERS} characters of a rule count as one; with this rule they have ${total}`,
      );
  }
}
