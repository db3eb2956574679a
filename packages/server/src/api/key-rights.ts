/**
 * What a key may do that has less than every right of its account: temporary credentials of a device. The data plane is
 * judged by the rights that the key brings; the control plane, and what stands beside it, has nothing for such a key.
 */
import { type NeededRight, neededRights } from '@thingkeep/wire/api/data-rights.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { type Operation, signingName } from '@thingkeep/wire/api/table.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { AccessKey } from './access-keys.ts';

/** The service that tells everyone who they are. */
const OPEN_TO_ALL = 'sts';

/** Of a service beside AWS IoT: fails with AccessDeniedException. */
export function mayAsk(key: AccessKey, service: string): void {
  if (key.rights !== undefined && service !== OPEN_TO_ALL)
    fail(
      'AccessDeniedException',
      `User: ${key.arn} is not authorized to use the service ${service}: it has the rights of a device`,
    );
}

/** Of an operation of AWS IoT: AccessDeniedException on the control plane, ForbiddenException on the data plane. */
export async function mayCall(key: AccessKey, operation: Operation, input: object, caller: Caller): Promise<void> {
  if (key.rights === undefined) return;
  const needed = neededRights(operation, input, caller);
  if (needed === undefined)
    return fail(
      'AccessDeniedException',
      `User: ${key.arn} is not authorized to perform: ${signingName(operation.service)}:${operation.name}: it has the rights of a device`,
    );
  const rights = await key.rights({ protocol: 'http', sourceIp: caller.sourceIp });
  for (const { action, resource } of needed)
    if (rights?.decide(action, resource).effect !== 'ALLOWED') return forbidden(key, { action, resource });
}

const forbidden = ({ arn }: AccessKey, { action, resource }: NeededRight): never =>
  fail('ForbiddenException', `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`);
