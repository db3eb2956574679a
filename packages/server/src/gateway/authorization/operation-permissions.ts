/** The permission to call an operation of the data plane: each action that it needs, on each resource of its input. */
import { actionNames, neededPermissions } from '@thingkeep/wire/api/data-permissions.ts';
import type { Decision, KeyValues } from '@thingkeep/wire/api/authorization.ts';
import { inputKeys } from '@thingkeep/wire/api/input-keys.ts';
import type { Operation } from '@thingkeep/wire/api/table.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal } from '../../broker/contract.ts';
import { policyRefusal } from '../../refusals/policy-refusal.ts';
import type { ClientPermissions } from './permissions.ts';

interface Sender {
  readonly place: Place;
  readonly principal: string;
  readonly permissions: ClientPermissions;
}

/** The refusal of what `operation` does with this input; undefined when the sender's permissions allow it. */
export function operationRefusal(
  { place, principal, permissions }: Sender,
  operation: Operation,
  input: object,
): AdmissionRefusal['refused'] | undefined {
  const needed = neededPermissions(operation, input, place);
  if (needed === undefined) {
    const reason = `${operation.name} is not for devices: no action of a policy allows it`;
    return { check: 'policy', reason, ...place, principal };
  }
  for (const { action, resource } of needed) {
    const decision = decide(permissions, action, resource, inputKeys(action, input));
    if (decision.effect === 'ALLOWED') continue;
    return { ...place, principal, ...policyRefusal({ action, resource, what: `on ${nameIn(resource)}` }, decision) };
  }
  return undefined;
}

/** The decision under each name of the action: a Deny counts under any, and an Allow too. */
function decide(permissions: ClientPermissions, action: string, resource: string, keys: KeyValues): Decision {
  const [first = { effect: 'IMPLICIT_DENY' }, ...others] = actionNames(action).map((name) =>
    permissions.decide(name, resource, keys),
  );
  const found = [first, ...others];
  return found.find(({ effect }) => effect === 'EXPLICIT_DENY') ?? found.find(({ effect }) => effect === 'ALLOWED') ?? first;
}

/** The name in an ARN's resource, such as the topic of `...:topic/a/b`. */
const nameIn = (resource: string): string => resource.slice(resource.indexOf('/') + 1);
