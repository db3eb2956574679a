/**
 * The condition block of a statement: operators over keys of the request.
 * Source: IAM user guide, pages reference_policies_elements_condition_operators and reference_policies_multi-value-conditions.
 */
import type { KnowsKey } from '@thingkeep/wire/documents/condition-keys.ts';
import type { PolicyCondition } from '@thingkeep/wire/documents/policy.ts';
import { arnParts, parsePolicyText, type PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import { type ContextKeys, type Lookup, normalizeKey } from './context.ts';
import { inRange, parseIpAddress, parseIpRange } from './ip-address.ts';
import { Pattern, type PatternToken } from './pattern.ts';
import { substitute } from './substitute.ts';

export interface CompiledCondition extends Omit<PolicyCondition, 'values'> {
  /** Normalized. */
  readonly key: string;
  /** As the document writes the key. */
  readonly name: string;
  readonly values: readonly (readonly PolicyToken[])[];
  /** AWS's requests may have the key, and none here has it: its value is unknown. */
  readonly unknown: boolean;
}

export const compileCondition = (condition: PolicyCondition, variables: boolean, knowsKey: KnowsKey): CompiledCondition => ({
  ...condition,
  key: normalizeKey(condition.key),
  name: condition.key,
  values: condition.values.map((value) => parsePolicyText(value, variables) ?? []),
  unknown: !knowsKey(condition.key),
});

/** Whether a value of the request matches a value of the policy; undefined where that can't be evaluated. */
type Compare = (policy: readonly PatternToken[], request: string) => boolean | undefined;

/** Outside Like operators, a wildcard is the character itself. */
const plain = (tokens: readonly PatternToken[]): string =>
  tokens.map((token) => (token.kind === 'text' ? token.text : token.kind === 'run' ? '*' : '?')).join('');

const compared =
  <T>(read: (text: string) => T | undefined, holds: (request: T, policy: T) => boolean): Compare =>
  (policy, request) => {
    const left = read(request);
    const right = read(plain(policy));
    return left === undefined || right === undefined ? undefined : holds(left, right);
  };

const text = (value: string): string => value;
const folded = (value: string): string => value.toLowerCase();

const NUMBER = /^[+-]?\d{1,300}(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?$/;
const number = (value: string): number | undefined => (NUMBER.test(value) ? Number(value) : undefined);

/** ISO 8601 as W3C profiles it, or seconds since the epoch. */
const DATE = /^\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const SECONDS = /^\d{5,15}(?:\.\d{1,9})?$/;
const date = (value: string): number | undefined => {
  if (SECONDS.test(value)) return Number(value) * 1000;
  const found = DATE.exec(value);
  if (found === null) return undefined;
  // Without a zone it is UTC; Date.parse would take the machine's own.
  const time = Date.parse(value.includes('T') && found[1] === undefined ? `${value}Z` : value);
  return Number.isNaN(time) ? undefined : time;
};

const boolean = (value: string): boolean | undefined => {
  const lower = value.toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
};

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const binary = (value: string): string | undefined =>
  BASE64.test(value) ? Buffer.from(value, 'base64').toString('hex') : undefined;

/** `*` alone is every ARN. */
const isAny = ([token, ...others]: readonly PolicyToken[]): boolean => token?.kind === 'run' && others.length === 0;

const likeArn: Compare = (policy, request) => {
  if (isAny(policy)) return true;
  const parts = arnParts(policy) as readonly (readonly PatternToken[])[] | undefined;
  if (parts === undefined) return undefined;
  const given = request.split(':');
  if (given.length < parts.length) return false;
  const resource = given.splice(parts.length - 1).join(':');
  return parts.every((part, index) => new Pattern(part).matches(given[index] ?? resource));
};

const inAddressRange: Compare = (policy, request) => {
  const address = parseIpAddress(request);
  const range = parseIpRange(plain(policy));
  return address === undefined || range === undefined ? undefined : inRange(address, range);
};

const COMPARE: Readonly<Record<Exclude<PolicyCondition['family'], 'Null'>, Compare>> = {
  StringEquals: compared(text, (request, policy) => request === policy),
  StringEqualsIgnoreCase: compared(folded, (request, policy) => request === policy),
  StringLike: (policy, request) => new Pattern(policy).matches(request),
  NumericEquals: compared(number, (request, policy) => request === policy),
  NumericLessThan: compared(number, (request, policy) => request < policy),
  NumericLessThanEquals: compared(number, (request, policy) => request <= policy),
  NumericGreaterThan: compared(number, (request, policy) => request > policy),
  NumericGreaterThanEquals: compared(number, (request, policy) => request >= policy),
  DateEquals: compared(date, (request, policy) => request === policy),
  DateLessThan: compared(date, (request, policy) => request < policy),
  DateLessThanEquals: compared(date, (request, policy) => request <= policy),
  DateGreaterThan: compared(date, (request, policy) => request > policy),
  DateGreaterThanEquals: compared(date, (request, policy) => request >= policy),
  Bool: compared(boolean, (request, policy) => request === policy),
  BinaryEquals: compared(binary, (request, policy) => request === policy),
  IpAddress: inAddressRange,
  ArnLike: likeArn,
};

/** Readers of values that have a form, by the beginning of the operator's name. */
const FORMS: Readonly<Record<string, (value: string) => unknown>> = {
  Numeric: number,
  Date: date,
  BinaryEquals: (value) => (value.length % 4 === 0 ? binary(value) : undefined),
  IpAddress: parseIpRange,
};

/**
 * Whether a value of a policy has the form that the operator compares. One with a variable is known only when a request is
 * there; an ARN has to be one all the same.
 */
export function isComparable({ family }: Pick<PolicyCondition, 'family'>, value: string, variables: boolean): boolean {
  const tokens = parsePolicyText(value, variables) ?? [];
  if (family === 'ArnLike') return isAny(tokens) || arnParts(tokens) !== undefined;
  if (tokens.some(({ kind }) => kind === 'variable')) return true;
  const form = Object.keys(FORMS).find((name) => family.startsWith(name));
  return form === undefined || FORMS[form]?.(value) !== undefined;
}

/**
 * Whether the condition holds. `doubt` is the result where it can't be evaluated (an unresolved variable, a value that is no
 * number, date or address, a key that is not known here): a condition in doubt fails in an Allow and holds in a Deny, so that
 * doubt never widens permissions.
 */
export function conditionHolds(condition: CompiledCondition, lookup: Lookup, doubt: boolean): boolean {
  if (condition.unknown && lookup(condition.key) === undefined) return doubt;
  const values = lookup(condition.key) ?? [];
  const absent = values.length === 0;
  const { family, negated } = condition;
  if (family === 'Null')
    return condition.values.some((wanted) => (plain(wanted as readonly PatternToken[]) === 'true') === absent);
  if (absent) {
    if (condition.ifExists) return true;
    if (condition.quantifier !== undefined) return condition.quantifier === 'ForAllValues';
    return negated;
  }
  const compare = COMPARE[family];
  const matched = negated !== doubt;
  const wanted = condition.values.map((tokens) => substitute(tokens, lookup, 'nothing'));
  const holds = (value: string): boolean =>
    wanted.some((policy) => (policy === undefined ? matched : (compare(policy, value) ?? matched))) !== negated;
  if (condition.quantifier === 'ForAnyValue') return values.some(holds);
  if (condition.quantifier === 'ForAllValues') return values.every(holds);
  // Several values without a set operator: one must match, or, negated, none may.
  return negated ? values.every(holds) : values.some(holds);
}

const TIME_KEYS: ReadonlySet<string> = new Set(['aws:currenttime', 'aws:epochtime']);

export const dependsOnTime = (condition: CompiledCondition): boolean =>
  TIME_KEYS.has(condition.key) ||
  condition.values.some((tokens) => tokens.some((token) => token.kind === 'variable' && TIME_KEYS.has(normalizeKey(token.name))));

/** Condition keys of the clock, for decisions that depend on time. */
export const timeKeys = (now: number): ContextKeys =>
  new Map([
    ['aws:currenttime', [new Date(now).toISOString()]],
    ['aws:epochtime', [String(Math.floor(now / 1000))]],
  ]);
