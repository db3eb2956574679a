/** A rule in the form that messages meet: its query and the templates of its actions, compiled; its counters. */
import type { Action, RepublishAction } from '@aws-sdk/client-iot';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ActionKey, ActionType } from './actions/contract.ts';
import { ACTIONS } from './actions/action-types.ts';
import { hasFixedHost } from '../outgoing/author.ts';
import type { ActionCounters, RuleCounters, RuleMetrics } from './metrics.ts';
import { compileParameters, type ActionParameters } from './parameters.ts';
import type { ExternalServices } from './sql/contract.ts';
import { sqlVersion } from './sql/dialect.ts';
import { RuleQuery } from './sql/rule-query.ts';
import type { RuleRecord } from './store.ts';
import { ERROR_ACTION } from './orders.ts';

export interface CompiledAction {
  readonly key: ActionKey;
  /** Place in the rule; -1 for the error action. */
  readonly index: number;
  readonly type: ActionType<unknown>;
  /** As they were given. */
  readonly given: unknown;
  readonly parameters: ActionParameters;
  /** As in {@link Order}. */
  readonly hostByRoot: boolean;
  readonly foreignRole: boolean;
  readonly counters: ActionCounters;
}

export interface CompiledRule {
  readonly place: Place;
  readonly record: RuleRecord;
  readonly query: RuleQuery;
  readonly actions: readonly CompiledAction[];
  readonly errorAction: CompiledAction | undefined;
  readonly counters: RuleCounters;
  /** What its SQL asks of the world. */
  readonly services: ExternalServices;
}

/**
 * The one member of an action. An error action may have more, which AWS does not look at: the first by name is done. Fails with
 * InvalidRequestException, in AWS's words (probe pf-iot-topicrule-action-exactly-one of cdk-preflight).
 */
export function memberOf(action: Action, index: number): [ActionKey, unknown] {
  const given = Object.entries(action).filter(([, value]) => value !== undefined);
  const [first, ...others] = given.sort(([a], [b]) => (a < b ? -1 : 1));
  if (first === undefined)
    return fail('InvalidRequestException', 'Empty actions are not allowed. Please define one type of action');
  if (others.length > 0 && index !== ERROR_ACTION)
    return fail('InvalidRequestException', 'Each object in the actions list can only have one action defined');
  return first as [ActionKey, unknown];
}

type Parsed = Pick<RuleRecord, 'sql' | 'awsIotSqlVersion' | 'actions' | 'errorAction' | 'byRoot' | 'foreignRoles'>;

/** Role of an action, by its parameters. */
export const roleOf = ({ roleArn }: ActionType<unknown>, parameters: unknown): string | undefined =>
  roleArn === undefined ? (parameters as { readonly roleArn?: string }).roleArn : roleArn(parameters);

type ParsedAction = Pick<CompiledAction, 'key' | 'index' | 'type' | 'given' | 'parameters'>;
type Text = Pick<Parsed, 'sql' | 'awsIotSqlVersion' | 'actions' | 'errorAction'>;

interface ParsedText {
  readonly query: RuleQuery;
  /** The error action is the last, when there is one. */
  readonly actions: readonly ParsedAction[];
}

/** The rule that was read last: one that is made is asked for its roles, its topic and its actions, one after another. */
let lastParsed: { readonly text: string; readonly parsed: ParsedText } | undefined;

function parseText({ sql, awsIotSqlVersion, actions, errorAction }: Text): ParsedText {
  const text = JSON.stringify([sql, awsIotSqlVersion, actions, errorAction]);
  if (lastParsed?.text === text) return lastParsed.parsed;
  const query = RuleQuery.parse(sql, sqlVersion(awsIotSqlVersion));
  const parse = (action: Action, index: number): ParsedAction => {
    const [key, given] = memberOf(action, index);
    const type = ACTIONS[key] as ActionType<unknown>;
    type.check?.(given, index === ERROR_ACTION ? 'error action' : 'action');
    return { key, index, type, given, parameters: compileParameters(query, given, type.literal) };
  };
  const parsed = { query, actions: actions.map(parse) };
  if (errorAction !== undefined) parsed.actions.push(parse(errorAction, ERROR_ACTION));
  lastParsed = { text, parsed };
  return parsed;
}

/** Fails with SqlParseException or InvalidRequestException. */
export function parseRule(record: Parsed): {
  readonly query: RuleQuery;
  readonly actions: readonly Omit<CompiledAction, 'counters'>[];
  readonly errorAction: Omit<CompiledAction, 'counters'> | undefined;
} {
  const { query, actions } = parseText(record);
  const all = actions.map((action) => {
    const roleArn = roleOf(action.type, action.given);
    return {
      ...action,
      hostByRoot: record.byRoot === true && hasFixedHost(action.type.address?.(action.given) ?? ''),
      foreignRole: roleArn !== undefined && record.foreignRoles?.includes(roleArn) === true,
    };
  });
  const errorAction = record.errorAction === undefined ? undefined : all.pop();
  return { query, actions: all, errorAction };
}

export function compileRule(place: Place, record: RuleRecord, metrics: RuleMetrics, services: ExternalServices): CompiledRule {
  const { query, actions, errorAction } = parseRule(record);
  const types = [...actions, ...(errorAction === undefined ? [] : [errorAction])].map(({ type }) => type.name);
  const counters = metrics.of(place, record.ruleName, types);
  const counted = (action: Omit<CompiledAction, 'counters'>): CompiledAction => ({
    ...action,
    counters: counters.actions[action.index === ERROR_ACTION ? actions.length : action.index] as ActionCounters,
  });
  return {
    place,
    record,
    query,
    actions: actions.map(counted),
    errorAction: errorAction === undefined ? undefined : counted(errorAction),
    counters,
    services,
  };
}

export const isRepublish = (action: CompiledAction): boolean => action.key === 'republish';
export const asRepublish = (parameters: unknown): RepublishAction => parameters as RepublishAction;
