/** Records of role aliases, and the secret that temporary credentials are made with. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { collection } from '../store/contract.ts';

/** Times are milliseconds since the epoch. */
export interface RoleAliasRecord {
  readonly accountId: string;
  readonly roleAlias: string;
  readonly roleArn: string;
  /** True where the account's root named a role that IAM does not keep: credentials have the permissions of the certificate. */
  readonly foreignRole?: true;
  readonly credentialDurationSeconds: number;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
}

/** The secret of the whole server, created once; it is enough to make credentials of any device. */
export interface SessionSecretRecord {
  readonly name: 'session-tokens';
  /** 32 random bytes, base64. */
  readonly secret: string;
}

export const roleAliases = collection<RoleAliasRecord>(
  'role-aliases',
  (r) => [r.accountId, r.roleAlias],
  {
    byCreation: (r) => [[r.accountId, r.createdAt, r.roleAlias]],
  },
  { changes: 'role-alias' },
);

export const sessionSecrets = collection<SessionSecretRecord>('session-secrets', (s) => [s.name]);

export const roleAliasArn = (place: Place, roleAlias: string): string => iotArn(place, 'rolealias', roleAlias);

export const taggableRoleAliases = {
  rolealias: async (tx: ReadTransaction, accountId: string, name: string): Promise<boolean> =>
    (await tx.get(roleAliases, [accountId, name])) !== undefined,
};
