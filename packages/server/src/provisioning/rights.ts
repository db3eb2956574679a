/**
 * The rights with which a template's resources are made: the caller's for RegisterThing, the provisioning role's for claims and
 * just-in-time provisioning. Each step of a provisioning is decided as the operation of its name would be.
 */
import type { CallerPermissions, FindRole, KeyValues } from '@thingkeep/wire/api/authorization.ts';
import { inputKeys } from '@thingkeep/wire/api/input-keys.ts';
import type { NeededPermission } from '@thingkeep/wire/api/data-permissions.ts';
import { operationPermissions } from '@thingkeep/wire/api/needed-permissions.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { fail, RefusalNotes, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { tagsOf } from '../registry/tags.ts';
import type { ReadTransaction } from '../store/contract.ts';

export class ProvisioningRights {
  readonly #permissions: CallerPermissions | undefined;
  readonly #who: string;

  /** Without `permissions` everything is allowed: the root of the account asks. `who` is an ARN. */
  constructor(who: string, permissions: CallerPermissions | undefined) {
    this.#who = who;
    this.#permissions = permissions;
  }

  /** Fails with UnauthorizedException unless the operation is allowed with this input. */
  async must(tx: ReadTransaction, place: Place, operation: string, input: object): Promise<void> {
    const permissions = this.#permissions;
    if (permissions === undefined) return;
    for (const permission of operationPermissions('iot', operation, input, place)) {
      const { action, resource } = permission;
      const tags = permissions.asksForResource === true ? await tagsOf(tx, place.accountId, resource) : [];
      const keys: KeyValues = tags.map(({ Key, Value }) => [`aws:ResourceTag/${Key}`, Value] as const);
      this.#decide(permissions, permission, [...inputKeys(action, input), ...keys]);
    }
  }

  /** Fails with UnauthorizedException unless the action is allowed on the resource. */
  mustOn(action: string, resource: string): void {
    if (this.#permissions !== undefined) this.#decide(this.#permissions, { action, resource }, []);
  }

  #decide(permissions: CallerPermissions, permission: NeededPermission, keys: KeyValues): void {
    const { action, resource } = permission;
    const decision = permissions.decide(action, resource, keys);
    if (decision.effect === 'ALLOWED') return;
    const text = `${this.#who} is not authorized to perform: ${action} on resource: ${resource}`;
    fail('UnauthorizedException', text, {}, new RefusalNotes({ permission, decision }));
  }
}

const NOTHING: CallerPermissions = { decide: () => ({ effect: 'IMPLICIT_DENY' }) };

/** The rights of a caller of the API. */
export async function callerRights({ arn, permissions }: Caller): Promise<ProvisioningRights> {
  return new ProvisioningRights(`User: ${arn}`, permissions === undefined ? undefined : ((await permissions()) ?? NOTHING));
}

/** AWS's words, on which Terraform's provider waits for a new role. */
const NOT_ASSUMED = 'The provisioning role cannot be assumed by AWS IoT';

/**
 * The rights of a provisioning role as they are now; `sourceArn` is what AWS IoT assumes it for, where that is a resource.
 * Fails with InvalidRequestException where it can't be assumed.
 */
export async function roleRights(
  find: FindRole,
  { accountId }: Place,
  roleArn: string,
  sourceArn?: string,
): Promise<ProvisioningRights> {
  try {
    const found = await find(accountId, roleArn, IOT_SERVICE, sourceArn);
    return found === 'unknown-role'
      ? fail('InvalidRequestException', NOT_ASSUMED)
      : new ProvisioningRights(`The provisioning role ${roleArn}`, found);
  } catch (error) {
    if (error instanceof ThingkeepError && error.code === 'AccessDeniedException')
      return fail('InvalidRequestException', NOT_ASSUMED, {}, error);
    throw error;
  }
}
