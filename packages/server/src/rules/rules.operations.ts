/** Topic rules: Create, Replace, Get, List, Enable, Disable, Delete (fact sheet 6.1; API reference, CreateTopicRule). */
import type { Action, TopicRulePayload } from '@aws-sdk/client-iot';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { type Place, placeOf } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { isRoot } from '../outgoing/author.ts';
import { parseRule } from './compiled-rule.ts';
import { checkRegions } from './rule-region.ts';
import { rolesNamed } from './roles-named.ts';
import type { RolePermissions } from './contract.ts';
import { confirmationUrlOf } from './destination-confirmation.ts';
import { sqlVersion } from './sql/dialect.ts';
import type { RuleQuery } from './sql/rule-query.ts';
import { findRule, type RuleRecord, ruleArn, rules } from './store.ts';

/** The engine, as far as operations change it. */
export interface RulesInForce {
  /** QueueQuota for a rule until it is in force; the result gives it back. Fails with InvalidRequestException. */
  reserve(place: Place, record: RuleRecord, query: RuleQuery): () => void;
}

export interface RuleOperationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly rulesInForce: RulesInForce;
  /** Whether the account keeps a role; what it may do, if so. */
  readonly roles: { ask(accountId: string, roleArn: string): Promise<RolePermissions | undefined> };
  /** Asks the owners of URLs that http actions name. */
  readonly confirmation: { create(place: Place, confirmationUrl: string, byRoot: boolean): Promise<unknown> };
}

/** General Reference, AWS IoT Core rules engine quotas: rules of an account, actions of a rule, size of a rule's document. */
const MAX_RULES = 1000;
const MAX_ACTIONS = 10;
const LARGEST = 256 * 1024;
const MAX_RULES_LISTED = 10_000;

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'CreateTopicRule'
    | 'ReplaceTopicRule'
    | 'GetTopicRule'
    | 'ListTopicRules'
    | 'EnableTopicRule'
    | 'DisableTopicRule'
    | 'DeleteTopicRule'
  >
>;

/** A rule that is not there is answered as one that may not be seen: AWS declares no ResourceNotFoundException here. */
const unseen = (ruleName: string): never => fail('UnauthorizedException', `Access to topic rule '${ruleName}' was denied`);

const withoutUndefined = (action: Action): Action =>
  Object.fromEntries(Object.entries(action).filter(([, value]) => value !== undefined)) as unknown as Action;

/** The record that a payload describes. Fails with SqlParseException or InvalidRequestException. */
function recordOf(accountId: string, ruleName: string, payload: TopicRulePayload | undefined, createdAt: number): RuleRecord {
  const { sql = '', actions = [], description, ruleDisabled = false, awsIotSqlVersion, errorAction } = payload ?? {};
  const version = sqlVersion(awsIotSqlVersion);
  if (actions.length > MAX_ACTIONS) fail('InvalidRequestException', `A rule has at most ${MAX_ACTIONS} actions`);
  if (Buffer.byteLength(JSON.stringify(payload)) > LARGEST)
    fail('InvalidRequestException', `A rule has at most ${LARGEST} bytes`);
  const given = {
    sql,
    // As it was sent, for tools that compare.
    awsIotSqlVersion: version === awsIotSqlVersion?.toLowerCase() ? awsIotSqlVersion : version,
    actions: actions.map(withoutUndefined),
    errorAction: errorAction === undefined ? undefined : withoutUndefined(errorAction),
  };
  const { filter } = parseRule(given).query;
  return {
    accountId,
    ruleName,
    ...given,
    ruleDisabled,
    createdAt,
    topicPattern: filter,
    description,
  };
}

/** As the shapes TagKey and TagValue have it: the table can't see tags inside a header. */
const TAG = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const LONGEST_TAG = { key: 128, value: 256 };

/** `key=value&key2=value2`, percent-encoded: what `x-amz-tagging` carries. Fails with InvalidRequestException. */
function tagsOf(text: string | undefined): { Key: string; Value: string }[] {
  if (text === undefined || text === '') return [];
  return [...new URLSearchParams(text)].map(([Key, Value]) => {
    if (Key.length > LONGEST_TAG.key || Value.length > LONGEST_TAG.value || !TAG.test(Key) || !TAG.test(Value))
      fail('InvalidRequestException', `A tag is too long, or has other characters than letters, numbers, spaces and _.:/=+-@`);
    return { Key, Value };
  });
}

export function ruleOperations({ store, clock, tags, rulesInForce, roles, confirmation }: RuleOperationsOptions): Operations {
  /**
   * The record with who wrote it, and with the roles that it names and IAM does not keep. The account's root may name what it
   * likes; a caller with fewer permissions would get around them, since nothing says what such a role may do.
   */
  async function withAuthor(caller: Caller, record: RuleRecord): Promise<RuleRecord> {
    checkRegions(record, caller);
    const foreignRoles: string[] = [];
    for (const roleArn of rolesNamed(record))
      if ((await roles.ask(caller.accountId, roleArn)) === undefined) foreignRoles.push(roleArn);
    const byRoot = isRoot(caller);
    if (foreignRoles.length > 0 && !byRoot) fail('InvalidRequestException', `The role ${foreignRoles[0]} does not exist`);
    return { ...record, byRoot, foreignRoles: foreignRoles.length === 0 ? undefined : foreignRoles };
  }

  /** A destination for each URL that http actions send to, unless there is one (developer guide, page https-rule-action). */
  async function makeDestinations(caller: Caller, { actions, errorAction }: RuleRecord): Promise<void> {
    const urls = [...actions, ...(errorAction === undefined ? [] : [errorAction])].map(
      ({ http }) => http?.confirmationUrl ?? http?.url,
    );
    for (const url of new Set(urls))
      if (url !== undefined && !url.includes('${'))
        await confirmation.create(placeOf(caller), confirmationUrlOf(url), isRoot(caller));
  }

  /** Runs what stores the rule, while there is room for it among those of its account. */
  async function within(caller: Caller, record: RuleRecord, work: () => Promise<void>): Promise<void> {
    const release = rulesInForce.reserve(placeOf(caller), record, parseRule(record).query);
    try {
      await work();
    } finally {
      release();
    }
  }

  /** Changes a rule that is there. The engine has the new one in force when this resolves. */
  async function change(caller: Caller, ruleName: string, to: (known: RuleRecord) => RuleRecord): Promise<void> {
    await store.write(async (tx) => {
      const known = (await findRule(tx, caller.accountId, ruleName)) ?? unseen(ruleName);
      await tx.put(rules, to(known));
    });
  }

  return {
    async CreateTopicRule({ ruleName = '', topicRulePayload, tags: tagging }, caller) {
      const { accountId } = caller;
      const record = await withAuthor(caller, recordOf(accountId, ruleName, topicRulePayload, clock.now()));
      const given = tagsOf(tagging);
      const arn = ruleArn(caller, ruleName);
      await within(caller, record, async () => {
        await store.write(async (tx) => {
          if ((await findRule(tx, accountId, ruleName)) !== undefined)
            fail('ResourceAlreadyExistsException', `Rule with name ${ruleName} already exists`, {
              resourceId: ruleName,
              resourceArn: arn,
            });
          const { items } = await tx.scan(rules, { skipDamaged: true, prefix: [accountId], limit: MAX_RULES });
          if (items.length >= MAX_RULES) fail('InvalidRequestException', `An account has at most ${MAX_RULES} rules`);
          await tx.put(rules, record);
          await tags.put(tx, accountId, arn, given);
        });
        await makeDestinations(caller, record);
      });
      return {};
    },

    async ReplaceTopicRule({ ruleName = '', topicRulePayload }, caller) {
      const record = await withAuthor(caller, recordOf(caller.accountId, ruleName, topicRulePayload, clock.now()));
      await within(caller, record, () => change(caller, ruleName, ({ createdAt }) => ({ ...record, createdAt })));
      await makeDestinations(caller, record);
      return {};
    },

    async GetTopicRule({ ruleName = '' }, caller) {
      const record = (await store.read((tx) => findRule(tx, caller.accountId, ruleName))) ?? unseen(ruleName);
      const { accountId: _, topicPattern: __, foreignRoles: ___, byRoot: ____, createdAt, actions, ...rule } = record;
      return {
        ruleArn: ruleArn(caller, ruleName),
        rule: { ...rule, actions: [...actions], createdAt: new Date(createdAt) },
      };
    },

    async ListTopicRules({ topic, maxResults = MAX_RULES_LISTED, nextToken, ruleDisabled }, caller) {
      const wanted = (record: RuleRecord): boolean =>
        (topic === undefined || record.topicPattern === topic) &&
        (ruleDisabled === undefined || record.ruleDisabled === ruleDisabled);
      // There are few enough rules for filters to be no business of the store.
      const { items } = await store.read((tx) => tx.scan(rules, { skipDamaged: true, prefix: [caller.accountId] }));
      const after = nextToken === undefined ? '' : nameIn(nextToken);
      const rest = items.filter((record) => wanted(record) && record.ruleName > after);
      const page = rest.slice(0, maxResults);
      const last = page.at(-1);
      return {
        rules: page.map(({ ruleName, topicPattern, createdAt, ruleDisabled: disabled }) => ({
          ruleArn: ruleArn(caller, ruleName),
          ruleName,
          topicPattern: topicPattern ?? '',
          createdAt: new Date(createdAt),
          ruleDisabled: disabled,
        })),
        nextToken: last !== undefined && rest.length > page.length ? tokenOf(last.ruleName) : undefined,
      };
    },

    async EnableTopicRule({ ruleName = '' }, caller) {
      await change(caller, ruleName, (record) => ({ ...record, ruleDisabled: false }));
      return {};
    },

    async DisableTopicRule({ ruleName = '' }, caller) {
      await change(caller, ruleName, (record) => ({ ...record, ruleDisabled: true }));
      return {};
    },

    async DeleteTopicRule({ ruleName = '' }, caller) {
      const { accountId } = caller;
      await store.write(async (tx) => {
        await tx.delete(rules, [accountId, ruleName]);
        await tags.remove(tx, accountId, ruleArn(caller, ruleName));
      });
      return {};
    },
  };
}

const tokenOf = (ruleName: string): string => Buffer.from(`rule/${ruleName}`).toString('base64');

function nameIn(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  return text.startsWith('rule/') && tokenOf(text.slice(5)) === token
    ? text.slice(5)
    : fail('InvalidRequestException', 'The pagination token is invalid.');
}
