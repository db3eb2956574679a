/** The refusal of what policies do not allow. */
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import type { Refusal } from './refusals.ts';

interface Asked {
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  /** What the action is asked for, in words: `on a/b`, `as CLIENT_ID`. */
  readonly what: string;
}

/** A policy that denies without a statement is attached, and can't be read or is gone: it could have forbidden anything. */
function reasonOf({ effect, statement }: Decision): string {
  if (effect !== 'EXPLICIT_DENY') return 'not allowed by any statement';
  return statement === undefined ? 'denied' : 'denied by a statement';
}

export function policyRefusal({ action, resource, what }: Asked, decision: Decision): Omit<Refusal, 'protocol' | 'sourceIp'> {
  const { effect, ...decided } = decision;
  return {
    check: 'policy',
    reason: `${action} ${what} is ${reasonOf(decision)}`,
    action,
    resource,
    decision: effect === 'ALLOWED' ? undefined : effect,
    ...decided,
  };
}
