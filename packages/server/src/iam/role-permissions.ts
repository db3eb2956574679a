/** The permissions of a role, for a service that acts in its name without signing requests: a rule that publishes. */
import type { Clock } from '../runtime/clock.ts';
import { layersOf } from './access-keys.ts';
import type { Identities } from './identities.ts';
import { identityKeys } from './request-keys.ts';
import { roleForService } from './role-credentials.ts';
import { type IamPermissions, permissionsUnder } from './permissions.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';

/** `unknown-role` when the account has no such role; fails with AccessDeniedException when it does not trust the service. */
export type RolePermissionsOf = (
  accountId: string,
  roleArn: string,
  service: string,
  sourceArn?: string,
) => Promise<'unknown-role' | Pick<IamPermissions, 'decide' | 'asksForResource'>>;

/** Permissions as they are now: to be asked for anew with each use. */
export const rolePermissions =
  ({ identities, clock }: { identities: Identities; clock: Clock }): RolePermissionsOf =>
  async (accountId, roleArn, service, sourceArn) => {
    const role = await roleForService(identities, clock, { accountId, roleArn, service, sourceArn });
    const identity = role === undefined ? undefined : await identities.byId(accountId, role.id);
    if (role === undefined || identity === undefined) return 'unknown-role';
    // The service assumes the role anew each time, within the server.
    const session = { issuedAt: clock.now() };
    const keys: KeyValues = [
      ...identityKeys(role, `${role.id}:${service.split('.')[0]}`, session),
      ['aws:SecureTransport', 'true'],
    ];
    return permissionsUnder(layersOf(identity), keys, clock);
  };
