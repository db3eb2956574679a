/** Records of IAM, of the account and not of a region: users, groups, roles, managed policies, keys. Times are milliseconds. */
import { type Collection, collection } from '../store/contract.ts';
import type { EntityKind } from './names.ts';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

export interface InlinePolicy {
  readonly name: string;
  readonly document: string;
}

interface EntityBase {
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly createdAt: number;
  readonly tags: readonly Tag[];
  /** ARNs of managed policies, in the order of their attachment. */
  readonly attached: readonly string[];
  readonly inline: readonly InlinePolicy[];
  /** ARN of the managed policy that bounds the entity's permissions. */
  readonly boundary?: string;
}

/** A password as scrypt made it; base64. */
export interface LoginProfile {
  readonly salt: string;
  readonly hash: string;
  readonly createdAt: number;
  readonly passwordResetRequired: boolean;
}

export interface UserRecord extends EntityBase {
  readonly kind: 'user';
  /** Ids of the groups that the user is in. */
  readonly groups: readonly string[];
  readonly login?: LoginProfile;
}

export interface GroupRecord extends EntityBase {
  readonly kind: 'group';
}

export interface RoleRecord extends EntityBase {
  readonly kind: 'role';
  /** The trust policy, as it was given. */
  readonly trust: string;
  /** Ids of the users and roles that the trust policy names, by ARN: another one of the same name is not trusted. */
  readonly trusted: Readonly<Record<string, string>>;
  readonly description?: string;
  /** Seconds. */
  readonly maxSessionDuration: number;
}

export type EntityRecord = UserRecord | GroupRecord | RoleRecord;

export interface PolicyVersion {
  /** `v1`, `v2`, ... */
  readonly versionId: string;
  readonly document: string;
  readonly createdAt: number;
}

export interface ManagedPolicyRecord {
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly id: string;
  readonly description?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly tags: readonly Tag[];
  readonly versions: readonly PolicyVersion[];
  readonly defaultVersionId: string;
  readonly nextVersion: number;
}

export interface AccessKeyRecord {
  readonly accountId: string;
  readonly accessKeyId: string;
  /** Needed whole to prove signatures: no hash would do. */
  readonly secretAccessKey: string;
  readonly userId: string;
  readonly status: 'Active' | 'Inactive';
  readonly createdAt: number;
  readonly lastUsed?: KeyUseRecord;
}

export interface KeyUseRecord {
  readonly at: number;
  readonly service: string;
  readonly region: string;
}

/** The key of a name: unique within the account, upper and lower case alike. */
export const nameKey = (name: string): string => name.toLowerCase();

export const entityKey = (accountId: string, kind: EntityKind, name: string) => [accountId, kind, nameKey(name)];

/** Index functions name no others: see {@link Collection.indexes}. The name is as {@link nameKey} has it. */
export const entities = collection<EntityRecord>(
  'iam-entities',
  (e) => entityKey(e.accountId, e.kind, e.name),
  {
    byId: (e) => [[e.accountId, e.id]],
    byPolicy: (e) => e.attached.map((arn) => [e.accountId, arn, e.kind, e.name.toLowerCase()]),
    byBoundary: (e) => (e.boundary === undefined ? [] : [[e.accountId, e.boundary, e.kind, e.name.toLowerCase()]]),
    byGroup: (e) => (e.kind === 'user' ? e.groups.map((group) => [e.accountId, group, e.name.toLowerCase()]) : []),
  },
  { changes: 'iam-entity' },
);

export const managedPolicies = collection<ManagedPolicyRecord>(
  'iam-policies',
  (p) => [p.accountId, nameKey(p.name)],
  {},
  { changes: 'iam-policy' },
);

export const accessKeys = collection<AccessKeyRecord>(
  'iam-access-keys',
  (k) => [k.accessKeyId],
  {
    byUser: (k) => [[k.accountId, k.userId, k.createdAt, k.accessKeyId]],
  },
  { changes: 'access-key', shows: false },
);

/** The same records without changes: the last use of a key changes no permission. */
export const accessKeysInUse: Collection<AccessKeyRecord> = { ...accessKeys, changes: undefined };
