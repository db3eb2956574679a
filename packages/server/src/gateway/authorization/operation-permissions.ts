/** The permission to call an operation of the data plane: each action that it needs, on each resource of its input. */
import { decideForDevice, neededPermissions } from '@thingkeep/wire/api/data-permissions.ts';
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
  readonly isIamIdentity?: boolean | undefined;
}

/** The refusal of what `operation` does with this input; undefined when the sender's permissions allow it. */
export function operationRefusal(
  { place, principal, permissions, isIamIdentity = false }: Sender,
  operation: Operation,
  input: object,
): AdmissionRefusal['refused'] | undefined {
  const needed = neededPermissions(operation, input, place);
  if (needed === undefined) {
    const reason = `${operation.name} is not for devices: no action of a policy allows it`;
    return { check: 'policy', reason, ...place, principal };
  }
  for (const permission of needed) {
    const { action, resource } = permission;
    const keys = inputKeys(action, input);
    const decision = isIamIdentity ? permissions.decide(action, resource, keys) : decideForDevice(permissions, permission, keys);
    if (decision.effect === 'ALLOWED') continue;
    return { ...place, principal, ...policyRefusal({ action, resource, what: `on ${nameIn(resource)}` }, decision) };
  }
  return undefined;
}

/** The name in an ARN's resource, such as the topic of `...:topic/a/b`. */
const nameIn = (resource: string): string => resource.slice(resource.indexOf('/') + 1);
