/** The reason of a refusal, from the decision of policies. */
import type { Decision } from '@thingkeep/wire/api/authorization.ts';

/** A policy that denies without a statement is attached, and can't be read or is gone: it could have forbidden anything. */
export function denialReason({ effect, policyName, statement }: Decision): string {
  if (effect !== 'EXPLICIT_DENY') return 'not allowed by any statement';
  if (policyName === undefined || statement !== undefined) return 'denied by a statement';
  return `denied: policy ${policyName} is attached, and is missing or can not be read`;
}
