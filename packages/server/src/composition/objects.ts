/** Objects as domains use them: by roles, from the embedded store or from the one that the operator has named. */
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { RoleObjects } from '../objects/contract.ts';
import { roleObjects } from '../objects/role-objects.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { FunctionParts } from './functions.ts';
import type { Storage } from './storage.ts';

/** Seconds: the shortest that a session can be. */
const SESSION = 900;
const AT_AWS = 'aws';

export function openRoleObjects(
  { config }: CoreBase,
  { objects }: Storage,
  { iam }: Access,
  { operatorKeys }: FunctionParts,
): RoleObjects {
  const [endpoint] = config.actionEndpoints.get('s3') ?? [];
  if (endpoint === undefined) return roleObjects({ objects, remote: undefined });
  const remote = {
    endpoint: endpoint === AT_AWS ? undefined : endpoint,
    // The operator's key where there is a file of them; the role's own credentials prove it to a store that knows them.
    credentialsOf: async ({ place: { accountId }, roleArn }: Parameters<RoleObjects['open']>[0]) => {
      const key = operatorKeys?.of(accountId, 's3');
      if (key !== undefined || operatorKeys !== undefined || endpoint === AT_AWS) return key;
      const session = { accountId, roleArn, service: IOT_SERVICE, sessionName: 'objects', durationSeconds: SESSION };
      return iam.roleCredentials(session);
    },
  };
  return roleObjects({ objects, remote });
}
