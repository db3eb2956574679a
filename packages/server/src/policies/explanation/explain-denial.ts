/**
 * Why policies do not allow a request, in words: the statement that denies it, or the nearest one that allows something and
 * each part in which it differs. Derived from what the decision compared; worked out after a refusal alone.
 */
import type { CompiledPolicies, CompiledStatement } from '../compile.ts';
import { conditionHolds } from '../condition.ts';
import { actionDifference } from './action.ts';
import { conditionDifference } from './condition.ts';
import { type DeniedRequest, type Difference, OTHER_ACTION } from './denied-request.ts';
import { listed, oneOf, resourceText, shortened } from './quote.ts';
import { resourceDifference } from './resource.ts';
import { explainVariable } from './variable.ts';
import { variableValue } from '../substitute.ts';
import { bindResources, headOf } from '../resources.ts';

/** Statements that are compared at most: a policy on its own has far fewer. */
const MAX_STATEMENTS = 500;
const MAX_DIFFERENCES = 3;

export function explainDenial({ statements, unreadable }: CompiledPolicies, request: DeniedRequest): string {
  const [lost] = unreadable;
  if (lost !== undefined) return `policy ${lost} is attached, and is missing or can not be read`;
  if (statements.length === 0)
    return `no policy is attached: attach one that allows ${request.action} on ${shortened(request.resource)}`;
  const considered = statements.slice(0, MAX_STATEMENTS);
  const denying = considered.find((statement) => statement.deny && matches(statement, request));
  return denying === undefined ? explainNearest(considered, request) : explainDeny(denying, request);
}

const nameOf = ({ label, policyName }: CompiledStatement): string => `statement ${label} of policy ${policyName}`;

function matches(statement: CompiledStatement, { action, resource, lookup }: DeniedRequest): boolean {
  if (actionDifference(statement, action) !== undefined) return false;
  const head = headOf(resource);
  return (
    bindResources(statement, lookup).match(head, resource, head.length) &&
    statement.conditions.every((condition) => conditionHolds(condition, lookup, statement.deny))
  );
}

function explainDeny(statement: CompiledStatement, { lookup }: DeniedRequest): string {
  const unresolved = statement.resources
    .flatMap((template) => (template === '*' ? [] : template.flat()))
    .flatMap((token) => (token.kind === 'variable' && variableValue(token.name, lookup) === undefined ? [token.name] : []));
  const doubts = statement.conditions.flatMap((condition) =>
    conditionHolds(condition, lookup, false) ? [] : [`it counts as denying, as ${conditionDifference(condition, lookup)}`],
  );
  const by = statement.notResources ? 'NotResource' : 'Resource';
  const resources = statement.resources.map(resourceText);
  return [
    `${nameOf(statement)} has Effect Deny and ${by} ${oneOf(resources)}`,
    ...unresolved.map((name) => `it counts as denying, as ${explainVariable(name, lookup)}`),
    ...doubts,
  ].join('; ');
}

interface Compared {
  readonly statement: CompiledStatement;
  readonly differences: readonly Difference[];
  readonly distance: number;
}

function explainNearest(statements: readonly CompiledStatement[], request: DeniedRequest): string {
  const allowing = statements.filter(({ deny }) => !deny);
  const names = [...new Set(statements.map(({ policyName }) => policyName))];
  const policies = names.length === 1 ? `policy ${names[0]}` : `the policies ${listed(names)}`;
  if (allowing.length === 0) return `no statement of ${policies} has Effect Allow`;
  const [nearest] = allowing.map((statement) => compare(statement, request)).sort((one, other) => one.distance - other.distance);
  if (nearest === undefined) return '';
  const [first] = nearest.differences;
  if (first !== undefined && first.distance >= OTHER_ACTION && !nearest.statement.notActions)
    return `no statement of ${policies} has the Action ${request.action} (there is ${actionsOf(allowing)})`;
  const texts = nearest.differences.slice(0, MAX_DIFFERENCES).map(({ text }) => text);
  return `the nearest is ${nameOf(nearest.statement)}: ${texts.join('; ')}`;
}

const actionsOf = (statements: readonly CompiledStatement[]): string =>
  listed([...new Set(statements.flatMap(({ actionTexts }) => actionTexts))]);

function compare(statement: CompiledStatement, request: DeniedRequest): Compared {
  const { action, lookup } = request;
  const differences = [
    actionDifference(statement, action),
    resourceDifference(statement, request),
    ...statement.conditions.map((condition) => {
      const text = conditionDifference(condition, lookup);
      return text === undefined ? undefined : { text, distance: 2 };
    }),
  ].filter((difference) => difference !== undefined);
  return { statement, differences, distance: differences.reduce((sum, { distance }) => sum + distance, 0) };
}
