/** Objects as domains use them: by roles, from the embedded store or from the one that the operator has named. */
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { presignUrl } from '../api/presign-url.ts';
import { type AskingRole, objectFault, type ObjectUrls, refuseOddName, type RoleObjects } from '../objects/contract.ts';
import { roleObjects } from '../objects/role-objects.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { FunctionParts } from './functions.ts';
import type { Storage } from './storage.ts';

/** Seconds: the shortest that a session can be. */
const SESSION = 900;
/** Seconds of a session whose URLs live for an hour. */
const URL_SESSION = 3_600;
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

const embeddedUrl = (apiUrl: string, bucket: string, key: string): string => `${apiUrl}/${bucket}/${key}`;

/** Where an object of the store is: by path at an endpoint, by the bucket's own host at AWS. */
const remoteUrl = (endpoint: string, region: string, bucket: string, key: string): string =>
  endpoint === AT_AWS ? `https://${bucket}.s3.${region}.amazonaws.com/${key}` : `${endpoint.replace(/\/$/, '')}/${bucket}/${key}`;

/** Signs URLs of objects with credentials of a role, or with the operator's where a store is named that has them. */
export function openObjectUrls(
  { config, clock, listening }: CoreBase,
  { iam }: Access,
  { operatorKeys }: FunctionParts,
): ObjectUrls {
  const [endpoint] = config.actionEndpoints.get('s3') ?? [];
  const apiUrl = (): string => `${config.apiTls ? 'https' : 'http'}://${config.endpoint}:${listening.api}`;
  const credentialsOf = async ({ place: { accountId }, roleArn }: AskingRole) => {
    if (endpoint !== undefined && (operatorKeys !== undefined || endpoint === AT_AWS)) return operatorKeys?.of(accountId, 's3');
    const session = { accountId, roleArn, service: IOT_SERVICE, sessionName: 'jobs', durationSeconds: URL_SESSION };
    return iam.roleCredentials(session);
  };
  return {
    async signerOf(role) {
      const credentials = await credentialsOf(role);
      return ({ method, name, versionId, expiresInSec }) => {
        refuseOddName(name);
        const { bucket, key } = name;
        const action = method === 'GET' ? 's3:GetObject' : 's3:PutObject';
        const resource = `arn:aws:s3:::${bucket}/${key}`;
        if (role.permissions.decide(action, resource).effect !== 'ALLOWED')
          return objectFault('AccessDenied', `${role.roleArn} is not authorized to perform: ${action} on resource: ${resource}`);
        if (endpoint === undefined && versionId !== undefined)
          return objectFault('NotImplemented', 'The embedded store has no versions of objects.');
        if (credentials === undefined) return objectFault('AccessDenied', 'There are no credentials for s3.');
        const { region } = role.place;
        const path = key.split('/').map(encodeURIComponent).join('/');
        const url = new URL(
          endpoint === undefined ? embeddedUrl(apiUrl(), bucket, path) : remoteUrl(endpoint, region, bucket, path),
        );
        if (versionId !== undefined) url.search = `versionId=${encodeURIComponent(versionId)}`;
        return presignUrl({ method, url, region, expiresInSec, now: clock.now(), key: credentials });
      };
    },
  };
}
