/** Turns policy documents into statements that are ready to be bound to a connection. Pure, and cached by the caller. */
import {
  IOT_POLICY,
  type PolicyDocument,
  type PolicyGrammar,
  type PolicyPrincipal,
  type PolicyStatement,
  parsePolicyDocument,
} from '@thingkeep/wire/documents/policy.ts';
import { arnParts, parsePolicyText, type PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { type CompiledCondition, compileCondition } from './condition.ts';
import { Pattern, type PatternToken } from './pattern.ts';

export interface NamedDocument {
  readonly policyName: string;
  readonly document: string;
}

/** The six parts of an ARN; `*` alone is every resource, also one that is no ARN. */
export type ResourceTemplate = '*' | readonly (readonly PolicyToken[])[];

export interface CompiledStatement {
  readonly policyName: string;
  /** The statement's Sid, or `#` and its place counted from 1. */
  readonly label: string;
  readonly deny: boolean;
  readonly actions: readonly Pattern[];
  /** The actions as the document writes them. */
  readonly actionTexts: readonly string[];
  readonly notActions: boolean;
  readonly resources: readonly ResourceTemplate[];
  readonly notResources: boolean;
  readonly conditions: readonly CompiledCondition[];
  /** Principals of a policy on a resource. */
  readonly principals?: readonly PolicyPrincipal[];
}

/** Whether the statement is about the action, which is written in lower case. */
export const appliesTo = (statement: CompiledStatement, action: string): boolean =>
  statement.actions.some((pattern) => pattern.matches(action)) !== statement.notActions;

export interface CompiledPolicy {
  readonly policyName: string;
  readonly statements: readonly CompiledStatement[];
  /** The document could not be read: the policy denies everything, since a Deny in it would be lost. */
  readonly unreadable: boolean;
}

export interface CompiledPolicies {
  readonly statements: readonly CompiledStatement[];
  /** Names of policies that could not be read. */
  readonly unreadable: readonly string[];
}

/** Actions have no variables: IAM user guide, page reference_policies_variables. */
const actionPattern = (action: string): Pattern => {
  const tokens = parsePolicyText(action.toLowerCase(), false) ?? [];
  return new Pattern(tokens.filter((token): token is PatternToken => token.kind !== 'variable'));
};

const resourceTemplate = (resource: string, variables: boolean): ResourceTemplate =>
  resource === '*' ? '*' : (arnParts(parsePolicyText(resource, variables) ?? []) ?? []);

const compileStatement = (
  statement: PolicyStatement,
  index: number,
  policyName: string,
  { version }: PolicyDocument,
  { knowsKey }: PolicyGrammar,
): CompiledStatement => {
  const variables = version === '2012-10-17';
  return {
    policyName,
    label: statement.sid === undefined || statement.sid === '' ? `#${index + 1}` : statement.sid,
    deny: statement.effect === 'Deny',
    actions: statement.actions.map(actionPattern),
    actionTexts: statement.actions,
    notActions: statement.notActions,
    resources: statement.resources.map((resource) => resourceTemplate(resource, variables)),
    notResources: statement.notResources,
    conditions: statement.conditions.map((condition) => compileCondition(condition, variables, knowsKey)),
    principals: statement.principals,
  };
};

export function compilePolicy({ policyName, document }: NamedDocument, grammar: PolicyGrammar = IOT_POLICY): CompiledPolicy {
  let parsed: PolicyDocument;
  try {
    parsed = parsePolicyDocument(document, grammar);
  } catch (error) {
    if (error instanceof ThingkeepError) return { policyName, statements: [], unreadable: true };
    throw error;
  }
  const statements = parsed.statements.map((statement, index) => compileStatement(statement, index, policyName, parsed, grammar));
  return { policyName, statements, unreadable: false };
}

export const joinPolicies = (policies: readonly CompiledPolicy[]): CompiledPolicies => ({
  statements: policies.flatMap((policy) => policy.statements),
  unreadable: policies.filter((policy) => policy.unreadable).map((policy) => policy.policyName),
});

export const compilePolicies = (documents: readonly NamedDocument[]): CompiledPolicies =>
  joinPolicies(documents.map((document) => compilePolicy(document)));
