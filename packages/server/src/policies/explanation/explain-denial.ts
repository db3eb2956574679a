/**
 * Why policies do not allow a request, in words: the statement that denies it, or the nearest one that allows something and
 * each part in which it differs. Derived from what the decision compared; worked out after a refusal alone. Statements are
 * ranked by cheap distances, and words are found for the nearest one.
 */
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import type { CompiledPolicies, CompiledStatement } from '../compile.ts';
import { conditionHolds } from '../condition.ts';
import { variableValue } from '../substitute.ts';
import { actionDistance, explainAction } from './action.ts';
import { explainCondition, explainHolding } from './condition.ts';
import { DISTANCE, type DeniedRequest } from './denied-request.ts';
import { listed, oneOf, resourceText, shortened } from './quote.ts';
import { explainResource, type NearestResource, nearestResource } from './resource.ts';
import { explainVariable } from './variable.ts';

/** Statements, and resources of all of them together, that are compared at most: one policy has far fewer. */
const MAX_STATEMENTS = 200;
const MAX_RESOURCES = 64;
const MAX_DIFFERENCES = 3;

export function explainDenial({ statements, unreadable }: CompiledPolicies, request: DeniedRequest, decision: Decision): string {
  const [lost] = unreadable;
  if (lost !== undefined) return `policy ${lost} is attached, and is missing or can not be read`;
  if (statements.length === 0)
    return `no policy is attached: attach one that allows ${request.action} on ${shortened(request.resource)}`;
  const denying =
    decision.effect === 'EXPLICIT_DENY' &&
    statements.find(({ policyName, label }) => policyName === decision.policyName && label === decision.statement);
  return denying ? explainDeny(denying, request) : explainNearest(statements, request);
}

/** A policy that was handed in with a session has its kind for a name. */
const policyText = (policyName: string): string =>
  policyName.endsWith(' policy') ? `the ${policyName}` : `policy ${policyName}`;

const nameOf = ({ label, policyName }: CompiledStatement): string => `statement ${label} of ${policyText(policyName)}`;

function explainDeny(statement: CompiledStatement, { lookup }: DeniedRequest): string {
  const [unresolved] = statement.resources
    .flatMap((template) => (template === '*' ? [] : template.flat()))
    .flatMap((token) => (token.kind === 'variable' && variableValue(token.name, lookup) === undefined ? [token.name] : []));
  const doubt = statement.conditions.find((condition) => !conditionHolds(condition, lookup, false));
  const resources = oneOf(statement.resources.map(resourceText));
  return [
    `${nameOf(statement)} has Effect Deny and ${statement.notResources ? 'NotResource' : 'Resource'} ${resources}`,
    ...(statement.notActions ? [`its NotAction is ${oneOf(statement.actionTexts)}, which covers all other actions`] : []),
    ...statement.conditions.flatMap((condition) =>
      conditionHolds(condition, lookup, false) ? [explainHolding(condition, lookup)] : [],
    ),
    ...(unresolved === undefined ? [] : [`it counts as denying, as ${explainVariable(unresolved, lookup)}`]),
    ...(doubt === undefined ? [] : [`it counts as denying, as ${explainCondition(doubt, lookup)}`]),
  ]
    .slice(0, 1 + MAX_DIFFERENCES)
    .join('; ');
}

interface Compared {
  readonly statement: CompiledStatement;
  readonly action: number;
  /** Of action, conditions and resource. */
  readonly sum: number;
  readonly resource: NearestResource;
}

/** The statements that allow something, the nearest first; those about the action are compared before the others. */
function nearestFirst(statements: readonly CompiledStatement[], request: DeniedRequest): readonly Compared[] {
  const ranked = statements
    .map((statement) => ({ statement, action: actionDistance(statement, request.action) }))
    .sort((one, other) => one.action - other.action);
  let left = MAX_RESOURCES;
  const compared: Compared[] = [];
  for (const { statement, action } of ranked) {
    if (left <= 0) break;
    const failing = statement.conditions.filter((condition) => !conditionHolds(condition, request.lookup, false)).length;
    const resource = nearestResource(statement, request, left);
    left -= statement.resources.length;
    compared.push({ statement, action, resource, sum: action + resource.distance + failing * DISTANCE.condition });
  }
  return compared.sort((one, other) => one.sum - other.sum);
}

function explainNearest(statements: readonly CompiledStatement[], request: DeniedRequest): string {
  const names = [...new Set(statements.map(({ policyName }) => policyName))];
  const policies = names.length === 1 ? policyText(names[0] ?? '') : `the policies ${listed(names)}`;
  const allowing = statements.filter(({ deny }) => !deny).slice(0, MAX_STATEMENTS);
  const [nearest] = nearestFirst(allowing, request);
  if (nearest === undefined) return `no statement of ${policies} has Effect Allow`;
  if (nearest.action >= DISTANCE.otherAction && !nearest.statement.notActions)
    return `no statement of ${policies} has the Action ${request.action} (there is ${listed(actionsOf(allowing))})`;
  return `the nearest is ${nameOf(nearest.statement)}: ${differencesOf(nearest, request).join('; ')}`;
}

const actionsOf = (statements: readonly CompiledStatement[]): readonly string[] => [
  ...new Set(statements.flatMap(({ actionTexts, notActions }) => (notActions ? [] : actionTexts))),
];

function differencesOf({ statement, action, resource }: Compared, request: DeniedRequest): readonly string[] {
  return [
    ...(action === 0 ? [] : [explainAction(statement, request.action)]),
    ...(resource.distance === 0 ? [] : [explainResource(statement, resource.template, request)]),
    ...statement.conditions.flatMap((condition) =>
      conditionHolds(condition, request.lookup, false) ? [] : [explainCondition(condition, request.lookup)],
    ),
  ].slice(0, MAX_DIFFERENCES);
}
