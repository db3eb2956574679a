/**
 * The condition operators of the policy language.
 * Source: IAM user guide, pages reference_policies_elements_condition_operators and reference_policies_multi-value-conditions.
 */
import { defined } from '../defined.ts';

export type ConditionFamily =
  | 'StringEquals'
  | 'StringEqualsIgnoreCase'
  | 'StringLike'
  | 'NumericEquals'
  | 'NumericLessThan'
  | 'NumericLessThanEquals'
  | 'NumericGreaterThan'
  | 'NumericGreaterThanEquals'
  | 'DateEquals'
  | 'DateLessThan'
  | 'DateLessThanEquals'
  | 'DateGreaterThan'
  | 'DateGreaterThanEquals'
  | 'Bool'
  | 'BinaryEquals'
  | 'IpAddress'
  | 'ArnLike'
  | 'Null';

export interface ConditionOperator {
  /** The comparison, in its positive form. */
  readonly family: ConditionFamily;
  readonly negated: boolean;
  readonly ifExists: boolean;
  /** How the request's values of a multivalued key are taken. */
  readonly quantifier?: 'ForAllValues' | 'ForAnyValue';
}

const positive: readonly ConditionFamily[] = [
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'NumericEquals',
  'NumericLessThan',
  'NumericLessThanEquals',
  'NumericGreaterThan',
  'NumericGreaterThanEquals',
  'DateEquals',
  'DateLessThan',
  'DateLessThanEquals',
  'DateGreaterThan',
  'DateGreaterThanEquals',
  'Bool',
  'BinaryEquals',
  'IpAddress',
  'ArnLike',
  'Null',
];

const names = new Map<string, { family: ConditionFamily; negated: boolean }>([
  ...positive.map((family) => [family, { family, negated: false }] as const),
  ['StringNotEquals', { family: 'StringEquals', negated: true }],
  ['StringNotEqualsIgnoreCase', { family: 'StringEqualsIgnoreCase', negated: true }],
  ['StringNotLike', { family: 'StringLike', negated: true }],
  ['NumericNotEquals', { family: 'NumericEquals', negated: true }],
  ['DateNotEquals', { family: 'DateEquals', negated: true }],
  ['NotIpAddress', { family: 'IpAddress', negated: true }],
  // "The ArnEquals and ArnLike condition operators behave identically."
  ['ArnEquals', { family: 'ArnLike', negated: false }],
  ['ArnNotEquals', { family: 'ArnLike', negated: true }],
  ['ArnNotLike', { family: 'ArnLike', negated: true }],
]);

const SET_OPERATOR = /^(ForAllValues|ForAnyValue):/;
const IF_EXISTS = 'IfExists';

/** The operator of that name, or undefined when there is none. Names are taken by case, as IAM prints them. */
export function conditionOperator(name: string): ConditionOperator | undefined {
  const set = SET_OPERATOR.exec(name);
  const quantifier = set?.[1] as ConditionOperator['quantifier'];
  const plain = set === null ? name : name.slice(set[0].length);
  const ifExists = plain.endsWith(IF_EXISTS);
  const known = names.get(ifExists ? plain.slice(0, -IF_EXISTS.length) : plain);
  // "You can add IfExists to the end of any condition operator name except the Null condition."
  if (known === undefined || (known.family === 'Null' && ifExists)) return undefined;
  // Whether a key is there is one question, however many values it has (probe pf-iam-policy-condition-null-ifexists).
  if (known.family === 'Null') return { ...known, ifExists };
  return { ...known, ifExists, ...defined({ quantifier }) };
}
