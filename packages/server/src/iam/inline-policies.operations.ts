/** Inline policies of users, groups and roles: Put, Get, Delete and List for each. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { percentEncode } from '@thingkeep/wire/api/percent.ts';
import { policySize } from '@thingkeep/wire/documents/policy.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { checkIdentityPolicy } from './documents.ts';
import type { EntityKind } from './names.ts';
import type { IamParts } from './users.operations.ts';
import { listPage, type PageInput } from './pages.ts';
import { QUOTAS } from './quotas.ts';
import { entityOf } from './records.ts';
import { entities, type InlinePolicy } from './store.ts';

type Operations = Pick<
  IamOperations,
  | 'PutUserPolicy'
  | 'PutGroupPolicy'
  | 'PutRolePolicy'
  | 'GetUserPolicy'
  | 'GetGroupPolicy'
  | 'GetRolePolicy'
  | 'DeleteUserPolicy'
  | 'DeleteGroupPolicy'
  | 'DeleteRolePolicy'
  | 'ListUserPolicies'
  | 'ListGroupPolicies'
  | 'ListRolePolicies'
>;

/** Characters of all of an entity's inline policies together. */
const MOST = { user: QUOTAS.inlineOfUser, group: QUOTAS.inlineOfGroup, role: QUOTAS.inlineOfRole };

const sizeOf = (policies: readonly InlinePolicy[]): number =>
  policies.reduce((sum, { document }) => sum + policySize(document), 0);

export const inlinePolicyOperations = (parts: IamParts): Handlers<Operations> => {
  const put = async (kind: EntityKind, name = '', policyName = '', document = '', { accountId }: Caller): Promise<object> => {
    checkIdentityPolicy(document);
    await parts.store.write(async (tx) => {
      const entity = await entityOf(tx, accountId, kind, name);
      const inline = [...entity.inline.filter((each) => each.name !== policyName), { name: policyName, document }];
      if (sizeOf(inline) > MOST[kind])
        fail('LimitExceeded', `Maximum policy size of ${MOST[kind]} bytes exceeded for ${kind} ${name}`);
      await tx.put(entities, { ...entity, inline });
    });
    return {};
  };

  const get = async (kind: EntityKind, name = '', policyName = '', { accountId }: Caller) => {
    const { inline } = await parts.store.read((tx) => entityOf(tx, accountId, kind, name));
    const found = inline.find((each) => each.name === policyName);
    if (found === undefined) return fail('NoSuchEntity', `The ${kind} policy with name ${policyName} cannot be found.`);
    return { PolicyName: policyName, PolicyDocument: percentEncode(found.document) };
  };

  const remove = async (kind: EntityKind, name = '', policyName = '', { accountId }: Caller): Promise<object> => {
    await parts.store.write(async (tx) => {
      const entity = await entityOf(tx, accountId, kind, name);
      const inline = entity.inline.filter((each) => each.name !== policyName);
      if (inline.length === entity.inline.length)
        fail('NoSuchEntity', `The ${kind} policy with name ${policyName} cannot be found.`);
      await tx.put(entities, { ...entity, inline });
    });
    return {};
  };

  const list = async (kind: EntityKind, name = '', page: PageInput, { accountId }: Caller) => {
    const { inline } = await parts.store.read((tx) => entityOf(tx, accountId, kind, name));
    const { items, end } = listPage(inline, (each) => each.name, page);
    return { PolicyNames: items.map((each) => each.name), ...end };
  };

  return {
    PutUserPolicy: ({ UserName, PolicyName, PolicyDocument }, caller) =>
      put('user', UserName, PolicyName, PolicyDocument, caller),
    PutGroupPolicy: ({ GroupName, PolicyName, PolicyDocument }, caller) =>
      put('group', GroupName, PolicyName, PolicyDocument, caller),
    PutRolePolicy: ({ RoleName, PolicyName, PolicyDocument }, caller) =>
      put('role', RoleName, PolicyName, PolicyDocument, caller),
    GetUserPolicy: async ({ UserName, PolicyName }, caller) => ({
      UserName,
      ...(await get('user', UserName, PolicyName, caller)),
    }),
    GetGroupPolicy: async ({ GroupName, PolicyName }, caller) => ({
      GroupName,
      ...(await get('group', GroupName, PolicyName, caller)),
    }),
    GetRolePolicy: async ({ RoleName, PolicyName }, caller) => ({
      RoleName,
      ...(await get('role', RoleName, PolicyName, caller)),
    }),
    DeleteUserPolicy: ({ UserName, PolicyName }, caller) => remove('user', UserName, PolicyName, caller),
    DeleteGroupPolicy: ({ GroupName, PolicyName }, caller) => remove('group', GroupName, PolicyName, caller),
    DeleteRolePolicy: ({ RoleName, PolicyName }, caller) => remove('role', RoleName, PolicyName, caller),
    ListUserPolicies: ({ UserName, ...page }, caller) => list('user', UserName, page, caller),
    ListGroupPolicies: ({ GroupName, ...page }, caller) => list('group', GroupName, page, caller),
    ListRolePolicies: ({ RoleName, ...page }, caller) => list('role', RoleName, page, caller),
  };
};
