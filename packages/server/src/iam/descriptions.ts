/** Records as the API shows them. Policy documents are percent-encoded there (RFC 3986), as on AWS. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { percentEncode } from '@thingkeep/wire/api/percent.ts';
import { policyArnOf } from './managed-policies.ts';
import { arnOf } from './records.ts';
import type { EntityRecord, GroupRecord, ManagedPolicyRecord, RoleRecord, UserRecord } from './store.ts';

type Outputs = { [K in keyof IamOperations]: IamOperations[K]['output'] };
type User = NonNullable<Outputs['CreateUser']['User']>;
type Group = NonNullable<Outputs['CreateGroup']['Group']>;
type Role = NonNullable<Outputs['CreateRole']['Role']>;
type Policy = NonNullable<Outputs['CreatePolicy']['Policy']>;

const boundaryOf = ({ boundary }: EntityRecord) =>
  boundary === undefined
    ? {}
    : {
        PermissionsBoundary: { PermissionsBoundaryType: 'PermissionsBoundaryPolicy' as const, PermissionsBoundaryArn: boundary },
      };

/** Without tags and boundary: lists do not show them. */
export const userSummary = (user: UserRecord) => ({
  Path: user.path,
  UserName: user.name,
  UserId: user.id,
  Arn: arnOf(user),
  CreateDate: new Date(user.createdAt),
});

export const describeUser = (user: UserRecord): User => ({
  ...userSummary(user),
  ...boundaryOf(user),
  ...defined({ Tags: user.tags.length === 0 ? undefined : [...user.tags] }),
});

export const describeGroup = (group: GroupRecord): Group => ({
  Path: group.path,
  GroupName: group.name,
  GroupId: group.id,
  Arn: arnOf(group),
  CreateDate: new Date(group.createdAt),
});

export const roleSummary = (role: RoleRecord) => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: arnOf(role),
  CreateDate: new Date(role.createdAt),
  AssumeRolePolicyDocument: percentEncode(role.trust),
  Description: role.description,
  MaxSessionDuration: role.maxSessionDuration,
});

export const describeRole = (role: RoleRecord): Role => ({
  ...roleSummary(role),
  ...boundaryOf(role),
  ...defined({ Tags: role.tags.length === 0 ? undefined : [...role.tags] }),
  RoleLastUsed: {},
});

/** Counts are of the account that asks: AWS's policies are attached in every one. */
export const describePolicy = (
  policy: ManagedPolicyRecord,
  counts: { readonly attached: number; readonly bounding: number },
): Policy => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policyArnOf(policy),
  Path: policy.path,
  DefaultVersionId: policy.defaultVersionId,
  AttachmentCount: counts.attached,
  PermissionsBoundaryUsageCount: counts.bounding,
  IsAttachable: true,
  CreateDate: new Date(policy.createdAt),
  UpdateDate: new Date(policy.updatedAt),
});
