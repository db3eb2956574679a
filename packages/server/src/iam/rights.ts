/**
 * What an IAM identity may do. Its own policies have to allow it, and so have its permissions boundary and the session's policy
 * where there are any; a Deny in any of them wins (IAM user guide, page reference_policies_evaluation-logic).
 */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import type { CompiledPolicies } from '../policies/compile.ts';
import { timeKeys } from '../policies/condition.ts';
import { type ContextKeys, contextKeys, normalizeKey } from '../policies/context.ts';
import { bindRights, type Rights } from '../policies/evaluate.ts';
import type { Clock } from '../runtime/clock.ts';

export type PolicyType = 'identity-based policy' | 'permissions boundary' | 'session policy';

export interface IamDecision {
  readonly effect: 'ALLOWED' | 'EXPLICIT_DENY' | 'IMPLICIT_DENY';
  readonly policyName?: string;
  readonly statement?: string;
  /** Kind of the policy that denied, or that did not allow. */
  readonly policyType?: PolicyType;
  /** A boundary or a session policy does not allow it: then no trust policy can make up for it either. */
  readonly limited?: true;
}

export type KeyValues = readonly (readonly [key: string, value: string | readonly string[]])[];

/** Rights of one request or connection. */
export interface IamRights {
  /** Whether answers change with time. */
  readonly volatile: boolean;
  /** `keys` stand in the request for this question alone. */
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

/** Policies whose resources hold no variable, bound once for everybody: the conditions are asked with each decision's keys. */
const bound = new WeakMap<CompiledPolicies, Rights>();

function bind(policies: CompiledPolicies, keys: ContextKeys): Rights {
  const known = bound.get(policies);
  if (known !== undefined) return known;
  if (asksForVariables(policies)) return bindRights(policies, { keys, connectKeys: NOTHING });
  const rights = bindRights(policies, { keys: NOTHING, connectKeys: NOTHING });
  bound.set(policies, rights);
  return rights;
}

/** The first layer that does not allow is the one that is told. */
const withMissing = (decision: IamDecision, type: PolicyType): IamDecision => ({
  effect: 'IMPLICIT_DENY',
  policyType: decision.policyType ?? type,
  ...(type === 'identity-based policy' && decision.limited === undefined ? {} : { limited: true }),
});

/** Rights under all of these layers, in a request with these keys. */
export function rightsUnder(layers: readonly Layer[], values: KeyValues, clock: Clock): IamRights {
  const keys = contextKeys(values);
  const judges = layers.map(({ type, policies }) => ({ type, rights: bind(policies, keys) }));
  return {
    volatile: judges.some(({ rights }) => rights.timeDependent),
    decide(action, resource, more = []) {
      const asked: ContextKeys = new Map([...keys, ...timeKeys(clock.now()), ...contextKeys(more)]);
      let decision: IamDecision = { effect: 'ALLOWED' };
      for (const { type, rights } of judges) {
        const own = rights.decide(action, resource, asked);
        if (own.effect === 'EXPLICIT_DENY') return { ...own, policyType: type };
        if (own.effect === 'ALLOWED')
          decision = decision.policyName === undefined && decision.effect === 'ALLOWED' ? own : decision;
        else decision = withMissing(decision, type);
      }
      return decision;
    },
  };
}
