/** CreateRole, GetRole, ListRoles, UpdateRole, UpdateAssumeRolePolicy, DeleteRole, and tags of roles. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { policySize } from '@thingkeep/wire/documents/policy.ts';
import { describeRole, roleSummary } from './descriptions.ts';
import { newId } from './names.ts';
import { boundaryOf, type IamParts } from './users.operations.ts';
import { listPage, scanPage } from './pages.ts';
import { QUOTAS } from './quotas.ts';
import { checkPath, entityOf, mustBeNew, withoutTags, withTags } from './records.ts';
import { entities, entityKey, type RoleRecord } from './store.ts';
import { trustedIds } from './trust.ts';

type Operations = Pick<
  IamOperations,
  | 'CreateRole'
  | 'GetRole'
  | 'ListRoles'
  | 'UpdateRole'
  | 'UpdateRoleDescription'
  | 'UpdateAssumeRolePolicy'
  | 'DeleteRole'
  | 'TagRole'
  | 'UntagRole'
  | 'ListRoleTags'
  | 'ListInstanceProfilesForRole'
>;

/** API reference CreateRole: "If you do not specify a value for this setting, the default value of one hour is applied." */
const DEFAULT_SESSION = 3600;

function checkTrustSize(document: string): string {
  if (policySize(document) > QUOTAS.trustPolicy)
    fail('LimitExceeded', `Cannot exceed quota for ACLSizePerRole: ${QUOTAS.trustPolicy}`);
  return document;
}

export const roleOperations = (parts: IamParts): Handlers<Operations> => {
  const update = (accountId: string, name: string | undefined, to: (role: RoleRecord) => RoleRecord): Promise<RoleRecord> =>
    parts.store.write(async (tx) => {
      const role = to(await entityOf(tx, accountId, 'role', name ?? ''));
      await tx.put(entities, role);
      return role;
    });

  return {
    async CreateRole(input, { accountId }) {
      const {
        RoleName = '',
        Path = '/',
        AssumeRolePolicyDocument = '',
        Description,
        MaxSessionDuration = DEFAULT_SESSION,
      } = input;
      const trust = checkTrustSize(AssumeRolePolicyDocument);
      const role = await parts.store.write(async (tx) => {
        const trusted = await trustedIds(tx, trust);
        await mustBeNew(tx, accountId, 'role', RoleName);
        const made: RoleRecord = {
          kind: 'role',
          accountId,
          name: RoleName,
          path: checkPath(Path),
          id: newId('AROA'),
          createdAt: parts.clock.now(),
          tags: withTags([], input.Tags),
          attached: [],
          inline: [],
          trust,
          trusted,
          maxSessionDuration: MaxSessionDuration,
          description: Description,
          ...(await boundaryOf(tx, accountId, input.PermissionsBoundary)),
        };
        await tx.put(entities, made);
        return made;
      });
      return { Role: describeRole(role) };
    },

    async GetRole({ RoleName = '' }, { accountId }) {
      return { Role: describeRole(await parts.store.read((tx) => entityOf(tx, accountId, 'role', RoleName))) };
    },

    async ListRoles({ PathPrefix = '/', ...page }, { accountId }) {
      const { items, end } = await parts.store.read((tx) =>
        scanPage(tx, entities, { prefix: [accountId, 'role'] }, page, ({ path }) => path.startsWith(PathPrefix)),
      );
      return { Roles: items.map((role) => roleSummary(role as RoleRecord)), ...end };
    },

    async UpdateRole({ RoleName, Description, MaxSessionDuration }, { accountId }) {
      await update(accountId, RoleName, (role) => ({
        ...role,
        ...defined({ description: Description }),
        maxSessionDuration: MaxSessionDuration ?? role.maxSessionDuration,
      }));
      return {};
    },

    async UpdateRoleDescription({ RoleName, Description = '' }, { accountId }) {
      return { Role: describeRole(await update(accountId, RoleName, (role) => ({ ...role, description: Description }))) };
    },

    async UpdateAssumeRolePolicy({ RoleName = '', PolicyDocument = '' }, { accountId }) {
      const trust = checkTrustSize(PolicyDocument);
      await parts.store.write(async (tx) => {
        const role = await entityOf(tx, accountId, 'role', RoleName);
        await tx.put(entities, { ...role, trust, trusted: await trustedIds(tx, trust) });
      });
      return {};
    },

    async DeleteRole({ RoleName = '' }, { accountId }) {
      await parts.store.write(async (tx) => {
        const { attached, inline } = await entityOf(tx, accountId, 'role', RoleName);
        if (attached.length > 0) fail('DeleteConflict', 'Cannot delete entity, must detach all policies first.');
        if (inline.length > 0) fail('DeleteConflict', 'Cannot delete entity, must delete policies first.');
        await tx.delete(entities, entityKey(accountId, 'role', RoleName));
      });
      return {};
    },

    async TagRole({ RoleName, Tags }, { accountId }) {
      await update(accountId, RoleName, (role) => ({ ...role, tags: withTags(role.tags, Tags) }));
      return {};
    },

    async UntagRole({ RoleName, TagKeys }, { accountId }) {
      await update(accountId, RoleName, (role) => ({ ...role, tags: withoutTags(role.tags, TagKeys) }));
      return {};
    },

    async ListRoleTags({ RoleName = '', ...page }, { accountId }) {
      const { tags } = await parts.store.read((tx) => entityOf(tx, accountId, 'role', RoleName));
      const { items, end } = listPage(tags, ({ Key }) => Key, page);
      return { Tags: [...items], ...end };
    },

    /** Instance profiles are of EC2, and can't be made here: no role has one. Terraform asks before it deletes a role. */
    async ListInstanceProfilesForRole({ RoleName = '' }, { accountId }) {
      await parts.store.read((tx) => entityOf(tx, accountId, 'role', RoleName));
      return { InstanceProfiles: [], IsTruncated: false };
    },
  };
};
