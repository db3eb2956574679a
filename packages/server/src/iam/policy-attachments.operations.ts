/** Managed policies on users, groups and roles: attaching, detaching, listing, and permissions boundaries. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { findPolicy } from './managed-policies.ts';
import type { EntityKind } from './names.ts';
import { boundaryOf, type IamParts } from './users.operations.ts';
import { listPage, type PageInput } from './pages.ts';
import { QUOTAS } from './quotas.ts';
import { checkPartition, entityOf } from './records.ts';
import { entities } from './store.ts';

type Operations = Pick<
  IamOperations,
  | 'AttachUserPolicy'
  | 'AttachGroupPolicy'
  | 'AttachRolePolicy'
  | 'DetachUserPolicy'
  | 'DetachGroupPolicy'
  | 'DetachRolePolicy'
  | 'ListAttachedUserPolicies'
  | 'ListAttachedGroupPolicies'
  | 'ListAttachedRolePolicies'
  | 'PutUserPermissionsBoundary'
  | 'PutRolePermissionsBoundary'
  | 'DeleteUserPermissionsBoundary'
  | 'DeleteRolePermissionsBoundary'
>;

const MOST = { user: QUOTAS.attachedPerUser, group: QUOTAS.attachedPerGroup, role: QUOTAS.attachedPerRole };

const nameIn = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

export const identityPolicyOperations = (parts: IamParts): Handlers<Operations> => {
  const attach = async (kind: EntityKind, name = '', arn = '', { accountId }: Caller): Promise<object> => {
    await parts.store.write(async (tx) => {
      checkPartition(arn);
      const entity = await entityOf(tx, accountId, kind, name);
      if ((await findPolicy(tx, accountId, arn)) === undefined)
        fail('NoSuchEntity', `Policy ${arn} does not exist or is not attachable.`);
      if (entity.attached.includes(arn)) return;
      if (entity.attached.length >= MOST[kind])
        fail(
          'LimitExceeded',
          `Cannot exceed quota for PoliciesPer${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}: ${MOST[kind]}`,
        );
      await tx.put(entities, { ...entity, attached: [...entity.attached, arn] });
    });
    return {};
  };

  const detach = async (kind: EntityKind, name = '', arn = '', { accountId }: Caller): Promise<object> => {
    await parts.store.write(async (tx) => {
      const entity = await entityOf(tx, accountId, kind, name);
      if (!entity.attached.includes(arn)) fail('NoSuchEntity', `Policy ${arn} was not found.`);
      await tx.put(entities, { ...entity, attached: entity.attached.filter((each) => each !== arn) });
    });
    return {};
  };

  const list = async (
    kind: EntityKind,
    name = '',
    { PathPrefix = '/', ...page }: PageInput & { PathPrefix?: string | undefined },
    caller: Caller,
  ) => {
    const { attached } = await parts.store.read((tx) => entityOf(tx, caller.accountId, kind, name));
    const fitting = attached.filter((arn) => arn.slice(arn.indexOf('/')).startsWith(PathPrefix));
    const { items, end } = listPage(fitting, (arn) => arn, page);
    return { AttachedPolicies: items.map((arn) => ({ PolicyName: nameIn(arn), PolicyArn: arn })), ...end };
  };

  const bound = async (kind: 'user' | 'role', name = '', arn: string | undefined, { accountId }: Caller): Promise<object> => {
    await parts.store.write(async (tx) => {
      const { boundary, ...without } = await entityOf(tx, accountId, kind, name);
      if (arn === undefined && boundary === undefined)
        fail('NoSuchEntity', `The ${kind} with name ${name} does not have a permissions boundary.`);
      await tx.put(entities, { ...without, ...(await boundaryOf(tx, accountId, arn)) });
    });
    return {};
  };

  return {
    AttachUserPolicy: ({ UserName, PolicyArn }, caller) => attach('user', UserName, PolicyArn, caller),
    AttachGroupPolicy: ({ GroupName, PolicyArn }, caller) => attach('group', GroupName, PolicyArn, caller),
    AttachRolePolicy: ({ RoleName, PolicyArn }, caller) => attach('role', RoleName, PolicyArn, caller),
    DetachUserPolicy: ({ UserName, PolicyArn }, caller) => detach('user', UserName, PolicyArn, caller),
    DetachGroupPolicy: ({ GroupName, PolicyArn }, caller) => detach('group', GroupName, PolicyArn, caller),
    DetachRolePolicy: ({ RoleName, PolicyArn }, caller) => detach('role', RoleName, PolicyArn, caller),
    ListAttachedUserPolicies: ({ UserName, ...rest }, caller) => list('user', UserName, rest, caller),
    ListAttachedGroupPolicies: ({ GroupName, ...rest }, caller) => list('group', GroupName, rest, caller),
    ListAttachedRolePolicies: ({ RoleName, ...rest }, caller) => list('role', RoleName, rest, caller),
    PutUserPermissionsBoundary: ({ UserName, PermissionsBoundary = '' }, caller) =>
      bound('user', UserName, PermissionsBoundary, caller),
    PutRolePermissionsBoundary: ({ RoleName, PermissionsBoundary = '' }, caller) =>
      bound('role', RoleName, PermissionsBoundary, caller),
    DeleteUserPermissionsBoundary: ({ UserName }, caller) => bound('user', UserName, undefined, caller),
    DeleteRolePermissionsBoundary: ({ RoleName }, caller) => bound('role', RoleName, undefined, caller),
  };
};
