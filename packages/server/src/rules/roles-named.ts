/** Roles that a rule names: in its actions, its error action, its statement and the templates of its parameters. */
import type { TopicRulePayload } from '@aws-sdk/client-iot';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { parseRule, roleOf } from './compiled-rule.ts';
import type { RuleRecord } from './store.ts';

/** Fails with SqlParseException or InvalidRequestException. */
export function rolesNamed(
  record: Pick<RuleRecord, 'sql' | 'awsIotSqlVersion' | 'actions' | 'errorAction'>,
): ReadonlySet<string> {
  const { query, actions, errorAction } = parseRule(record);
  const all = errorAction === undefined ? actions : [...actions, errorAction];
  const ofActions = all.map(({ type, given }) => roleOf(type, given)).filter((roleArn) => roleArn !== undefined);
  return new Set([...ofActions, ...query.roles]);
}

/** Operations that take a rule, whose text may name roles. */
const WITH_RULE: ReadonlySet<string> = new Set(['CreateTopicRule', 'ReplaceTopicRule']);

/**
 * Roles that the text of an operation's input names, in SQL, where a look at the members does not find them: the caller must
 * be allowed to pass them. A rule that can't be read names none; it is refused where it would be made.
 */
export function rolesInText(operation: string, input: object): readonly string[] {
  const { topicRulePayload } = input as { readonly topicRulePayload?: TopicRulePayload };
  if (!WITH_RULE.has(operation) || topicRulePayload === undefined) return [];
  const { sql = '', actions = [], errorAction, awsIotSqlVersion = '' } = topicRulePayload;
  try {
    return [...rolesNamed({ sql, actions, errorAction, awsIotSqlVersion })];
  } catch (error) {
    if (error instanceof ThingkeepError) return [];
    throw error;
  }
}
