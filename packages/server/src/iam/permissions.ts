/**
 * The permissions of an IAM identity. Its own policies have to allow it, and so have its permissions boundary and the
 * session's policy where there are any; a Deny in any of them wins (IAM user guide, page
 * reference_policies_evaluation-logic).
 */
import type { Decision, KeyValues } from '@thingkeep/wire/api/authorization.ts';
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import type { CompiledPolicies } from '../policies/compile.ts';
import { timeKeys } from '../policies/condition.ts';
import { type ContextKeys, contextKeys, normalizeKey } from '../policies/context.ts';
import { bindPermissions, type PrincipalPermissions } from '../policies/evaluate.ts';
import type { Clock } from '../runtime/clock.ts';

export type PolicyType = 'identity-based policy' | 'permissions boundary' | 'session policy';

export interface IamDecision extends Decision {
  /** Kind of the policy that denied, or that did not allow. */
  readonly policyType?: PolicyType;
  /** A boundary or a session policy does not allow it: then no trust policy can make up for it either. */
  readonly limited?: true;
}

/** Permissions of one request or connection. */
export interface IamPermissions {
  /** Whether answers change with time. */
  readonly volatile: boolean;
  /** Whether a policy depends on tags, or other keys, of the resource: then the caller has to supply them. */
  readonly asksForResource: boolean;
  /** Condition keys of every decision. */
  readonly keys: KeyValues;
  /** Decides on an action; `keys` are condition keys of this decision alone. */
  decide(action: string, resource: string, keys?: KeyValues): IamDecision;
}

/** Policies of one type, all of which a decision asks together. */
export interface Layer {
  readonly type: PolicyType;
  readonly policies: CompiledPolicies;
}

const NOTHING: ContextKeys = new Map();

const variablesOf = (tokens: readonly PolicyToken[]): readonly string[] =>
  tokens.flatMap((token) => (token.kind === 'variable' ? [normalizeKey(token.name)] : []));

const asksForVariables = ({ statements }: CompiledPolicies): boolean =>
  statements.some(({ resources }) =>
    resources.some((template) => template !== '*' && template.some((part) => variablesOf(part).length > 0)),
  );

/** Policies whose resources hold no variable, bound once for all identities: only conditions take each decision's keys. */
const bound = new WeakMap<CompiledPolicies, PrincipalPermissions>();

function bind(policies: CompiledPolicies, keys: ContextKeys): PrincipalPermissions {
  const known = bound.get(policies);
  if (known !== undefined) return known;
  if (asksForVariables(policies)) return bindPermissions(policies, { keys, connectKeys: NOTHING });
  const permissions = bindPermissions(policies, { keys: NOTHING, connectKeys: NOTHING });
  bound.set(policies, permissions);
  return permissions;
}

const OF_RESOURCES = /^(?:aws|iam):resourcetag\/|^lambda:principal$/;
const askingForResources = new WeakMap<CompiledPolicies, boolean>();

/** Whether a condition or a variable depends on the resource: otherwise its tags need not be read. */
function asksForResources(policies: CompiledPolicies): boolean {
  const known = askingForResources.get(policies);
  if (known !== undefined) return known;
  const isAbout = (tokens: readonly PolicyToken[]): boolean => variablesOf(tokens).some((name) => OF_RESOURCES.test(name));
  const asks = policies.statements.some(
    ({ resources, conditions }) =>
      resources.some((template) => template !== '*' && template.some(isAbout)) ||
      conditions.some(({ key, values }) => OF_RESOURCES.test(key) || values.some(isAbout)),
  );
  askingForResources.set(policies, asks);
  return asks;
}

/** Account in an ARN; undefined where it has none. */
const ownerOf = (resource: string): string | undefined => /^arn:[^:]*:[^:]*:[^:]*:(\d{12}|aws):/.exec(resource)?.[1];

/** The decision names the first layer that does not allow, and explains that one. */
const withMissing = (decision: IamDecision, type: PolicyType, { explain }: Decision): IamDecision => ({
  effect: 'IMPLICIT_DENY',
  policyType: decision.policyType ?? type,
  explain: decision.explain ?? (() => `of the ${type}: ${explain?.() ?? ''}`),
  limited: type === 'identity-based policy' && decision.limited === undefined ? undefined : true,
});

/** Permissions under all of these layers, in a request with these keys. */
export function permissionsUnder(layers: readonly Layer[], values: KeyValues, clock: Clock): IamPermissions {
  const keys = contextKeys(values);
  const bindings = layers.map(({ type, policies }) => ({ type, permissions: bind(policies, keys) }));
  const own = keys.get('aws:principalaccount')?.[0] ?? '';
  return {
    volatile: bindings.some(({ permissions }) => permissions.timeDependent),
    asksForResource: layers.some(({ policies }) => asksForResources(policies)),
    keys: values,
    decide(action, resource, more = []) {
      const owner: ContextKeys = new Map([['aws:resourceaccount', [ownerOf(resource) ?? own]]]);
      const asked: ContextKeys = new Map([...keys, ...owner, ...timeKeys(clock.now()), ...contextKeys(more)]);
      let decision: IamDecision = { effect: 'ALLOWED' };
      for (const { type, permissions } of bindings) {
        const answer = permissions.decide(action, resource, asked);
        if (answer.effect === 'EXPLICIT_DENY')
          return { ...answer, policyType: type, explain: () => `of the ${type}: ${answer.explain?.() ?? ''}` };
        if (answer.effect === 'ALLOWED')
          decision = decision.policyName === undefined && decision.effect === 'ALLOWED' ? answer : decision;
        else decision = withMissing(decision, type, answer);
      }
      return decision;
    },
  };
}
