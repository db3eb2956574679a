/** Roles that actions and the SQL of rules act with: what IAM says of them, and credentials of them. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { RoleCredentialsOf } from '../iam/role-credentials.ts';
import { ActionError } from './actions/action-error.ts';
import type { ActionRole, RolePermission } from './actions/role.ts';
import type { KnownRoles } from './roles.ts';
import { ruleArn } from './store.ts';

/** A role, and the rule that names it. */
export interface RoleOfRule {
  readonly place: Place;
  readonly ruleName: string;
  readonly roleArn: string | undefined;
  /** Whether the account's root has named it though IAM kept no such role: there is nothing to ask as long as it keeps none. */
  readonly foreign: boolean;
}

/** Seconds: the shortest that a session can be. */
const SESSION = 900;

export class ActionRoles {
  readonly #roles: Pick<KnownRoles, 'ask'>;
  readonly #credentialsOf: RoleCredentialsOf;

  constructor(roles: Pick<KnownRoles, 'ask'>, credentialsOf: RoleCredentialsOf) {
    this.#roles = roles;
    this.#credentialsOf = credentialsOf;
  }

  of({ place, ruleName, roleArn = '', foreign }: RoleOfRule): ActionRole {
    const { accountId } = place;
    const sourceArn = ruleArn(place, ruleName);
    return {
      arn: roleArn,
      session: `${roleArn}/${ruleName}`,
      must: async (permission) => {
        if (roleArn === '') throw new ActionError(`no role is named, which has to allow ${permission.action}`, false);
        const permissions = await this.#roles.ask(accountId, roleArn, sourceArn);
        if (permissions === undefined ? !foreign : !permissions.may(permission.action, permission.resource, permission.keys))
          throw new ActionError(permissions?.fault ?? refusal(roleArn, permission, permissions !== undefined), false);
      },
      credentials: async () => {
        if (roleArn === '') return undefined;
        const session = {
          accountId,
          roleArn,
          sourceArn,
          service: IOT_SERVICE,
          sessionName: ruleName,
          durationSeconds: SESSION,
        };
        const found = await this.#credentialsOf(session).catch((error: unknown) => {
          if (error instanceof ThingkeepError) throw new ActionError(error.message, false, error);
          throw error;
        });
        if (found === undefined) return undefined;
        const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = found;
        return { accessKeyId, secretAccessKey, sessionToken, expiration: new Date(expiresAt) };
      },
    };
  }
}

const refusal = (roleArn: string, { action, resource }: RolePermission, isKept: boolean): string =>
  isKept
    ? `the role ${roleArn} does not allow ${action} on ${resource}`
    : `IAM keeps no role ${roleArn}, which has to allow ${action} on ${resource}`;
