/** Records of topic rules. */
import type { Action } from '@aws-sdk/client-iot';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection, type ReadTransaction, rows } from '../store/contract.ts';

export interface RuleRecord {
  readonly accountId: string;
  readonly ruleName: string;
  /** As it was sent. */
  readonly sql: string;
  /** As it was sent; the first version for a rule that names none. */
  readonly awsIotSqlVersion: string;
  /** The filter of FROM; absent for a rule that Basic Ingest alone reaches. */
  readonly topicPattern?: string;
  readonly description?: string;
  readonly actions: readonly Action[];
  readonly errorAction?: Action;
  readonly ruleDisabled: boolean;
  /**
   * Roles that the account did not keep when its root made the rule: they are taken as given as long as it keeps none of that
   * ARN.
   */
  readonly foreignRoles?: readonly string[];
  /** Whether the account's root wrote the rule as it is; absent in records of before that was kept. */
  readonly byRoot?: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export const rules = collection<RuleRecord>('rules', (r) => [r.accountId, r.ruleName], {}, { changes: 'rule' });

/** What actions still have to do, by place in one queue: see orders.ts. */
export const orderRows = rows('rule-orders');
export const ORDER_OWNER = 0;

export const ruleArn = (place: Place, ruleName: string): string => iotArn(place, 'rule', ruleName);

export const findRule = (tx: ReadTransaction, accountId: string, ruleName: string): Promise<RuleRecord | undefined> =>
  tx.get(rules, [accountId, ruleName]);

/** What the tag operations ask. */
export const taggableRules = {
  rule: async (tx: ReadTransaction, accountId: string, name: string): Promise<boolean> =>
    (await findRule(tx, accountId, name)) !== undefined,
};
