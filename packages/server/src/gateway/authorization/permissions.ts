/** Permissions of a client or an access key. */
import type { Decision, KeyValues } from '@thingkeep/wire/api/authorization.ts';
import type { MessagePermissions } from '../../broker/contract.ts';
import { timeKeys } from '../../policies/condition.ts';
import { type ContextKeys, contextKeys } from '../../policies/context.ts';
import type { PrincipalPermissions } from '../../policies/evaluate.ts';
import type { Clock } from '../../runtime/clock.ts';

/** Permissions for more than messages: connecting, and the operations of the data plane. */
export interface ClientPermissions extends MessagePermissions {
  decide(action: string, resource: string, keys?: KeyValues): Decision;
}

/** Keys of a request, in the form of a decision; undefined for one that has none, as a message's. */
const conditionsOf = (keys: KeyValues = []): ContextKeys | undefined => (keys.length === 0 ? undefined : contextKeys(keys));

/** Permissions whose conditions on the time are evaluated by the clock; such decisions are volatile. */
export function withClock(bound: PrincipalPermissions, clock: Clock): ClientPermissions {
  if (!bound.timeDependent)
    return { volatile: false, decide: (action, resource, keys) => bound.decide(action, resource, conditionsOf(keys)) };
  return {
    volatile: true,
    decide: (action, resource, keys) =>
      bound.decide(action, resource, new Map([...(conditionsOf(keys) ?? []), ...timeKeys(clock.now())])),
  };
}
