/** CreatePolicy, GetPolicy, ListPolicies, DeletePolicy, ListEntitiesForPolicy, and tags of policies. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { policySize } from '@thingkeep/wire/documents/policy.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { describePolicy } from './descriptions.ts';
import { checkIdentityPolicy } from './documents.ts';
import { AWS_MANAGED, findPolicy, policyArnOf } from './managed-policies.ts';
import { newId } from './names.ts';
import type { IamParts } from './users.operations.ts';
import { listPage } from './pages.ts';
import { QUOTAS } from './quotas.ts';
import { checkPath, withoutTags, withTags } from './records.ts';
import { type EntityRecord, entities, type ManagedPolicyRecord, managedPolicies, nameKey } from './store.ts';

type Operations = Pick<
  IamOperations,
  | 'CreatePolicy'
  | 'GetPolicy'
  | 'ListPolicies'
  | 'DeletePolicy'
  | 'ListEntitiesForPolicy'
  | 'TagPolicy'
  | 'UntagPolicy'
  | 'ListPolicyTags'
>;

export async function policyOf(tx: ReadTransaction, accountId: string, arn: string | undefined): Promise<ManagedPolicyRecord> {
  const policy = await findPolicy(tx, accountId, arn ?? '');
  return policy ?? fail('NoSuchEntity', `Policy ${arn ?? ''} was not found.`);
}

/** A policy that may be changed: one of the account's own, since AWS's can't be changed. */
export async function ownPolicy(tx: ReadTransaction, accountId: string, arn: string | undefined): Promise<ManagedPolicyRecord> {
  const policy = await policyOf(tx, accountId, arn);
  if (policy.accountId !== accountId) fail('AccessDeniedException', `The policy ${arn} is AWS's own and can't be changed.`);
  return policy;
}

export function checkManagedPolicy(document: string): string {
  if (policySize(document) > QUOTAS.policySize) fail('LimitExceeded', `Cannot exceed quota for PolicySize: ${QUOTAS.policySize}`);
  checkIdentityPolicy(document);
  return document;
}

type Usage = 'byPolicy' | 'byBoundary';

/** Users, groups and roles that have the policy attached, or as their boundary. */
const holders = async (tx: ReadTransaction, accountId: string, index: Usage, arn: string): Promise<EntityRecord[]> =>
  (await tx.scan(entities, { index, prefix: [accountId, arn] })).items;

async function countsOf(tx: ReadTransaction, accountId: string, policy: ManagedPolicyRecord) {
  const arn = policyArnOf(policy);
  return {
    attached: (await holders(tx, accountId, 'byPolicy', arn)).length,
    bounding: (await holders(tx, accountId, 'byBoundary', arn)).length,
  };
}

const extras = ({ description, tags }: ManagedPolicyRecord) => ({
  Description: description,
  Tags: tags.length === 0 ? undefined : [...tags],
});

async function allPolicies(tx: ReadTransaction, accountId: string, scope: string): Promise<ManagedPolicyRecord[]> {
  const own = scope === 'AWS' ? [] : (await tx.scan(managedPolicies, { skipDamaged: true, prefix: [accountId] })).items;
  return scope === 'Local' ? own : [...own, ...AWS_MANAGED.values()];
}

export const managedPolicyOperations = (parts: IamParts): Handlers<Operations> => ({
  async CreatePolicy({ PolicyName = '', Path = '/', PolicyDocument = '', Description, Tags }, { accountId }) {
    const document = checkManagedPolicy(PolicyDocument);
    const now = parts.clock.now();
    const policy = await parts.store.write(async (tx) => {
      if ((await tx.get(managedPolicies, [accountId, nameKey(PolicyName)])) !== undefined)
        fail('EntityAlreadyExists', `A policy called ${PolicyName} already exists. Duplicate names are not allowed.`);
      const { items } = await tx.scan(managedPolicies, { skipDamaged: true, prefix: [accountId], limit: QUOTAS.policies });
      if (items.length >= QUOTAS.policies)
        fail('LimitExceeded', `Cannot exceed quota for PoliciesPerAccount: ${QUOTAS.policies}`);
      const made: ManagedPolicyRecord = {
        accountId,
        name: PolicyName,
        path: checkPath(Path),
        id: newId('ANPA'),
        createdAt: now,
        updatedAt: now,
        description: Description,
        tags: withTags([], Tags),
        defaultVersionId: 'v1',
        nextVersion: 2,
        versions: [{ versionId: 'v1', document, createdAt: now }],
      };
      await tx.put(managedPolicies, made);
      return made;
    });
    const { tags } = policy;
    return {
      Policy: {
        ...describePolicy(policy, { attached: 0, bounding: 0 }),
        ...defined({ Tags: tags.length === 0 ? undefined : [...tags] }),
      },
    };
  },

  async GetPolicy({ PolicyArn }, { accountId }) {
    return parts.store.read(async (tx) => {
      const policy = await policyOf(tx, accountId, PolicyArn);
      return { Policy: { ...describePolicy(policy, await countsOf(tx, accountId, policy)), ...extras(policy) } };
    });
  },

  async ListPolicies({ Scope = 'All', OnlyAttached, PathPrefix = '/', PolicyUsageFilter, ...page }, { accountId }) {
    return parts.store.read(async (tx) => {
      const fitting: ReturnType<typeof describePolicy>[] = [];
      for (const policy of await allPolicies(tx, accountId, Scope)) {
        if (!policy.path.startsWith(PathPrefix)) continue;
        const counts = await countsOf(tx, accountId, policy);
        if (OnlyAttached === true && counts.attached === 0) continue;
        if (PolicyUsageFilter === 'PermissionsBoundary' && counts.bounding === 0) continue;
        fitting.push(describePolicy(policy, counts));
      }
      const { items, end } = listPage(fitting, ({ Arn = '' }) => Arn, page);
      return { Policies: [...items], ...end };
    });
  },

  async DeletePolicy({ PolicyArn }, { accountId }) {
    await parts.store.write(async (tx) => {
      const policy = await ownPolicy(tx, accountId, PolicyArn);
      const { attached, bounding } = await countsOf(tx, accountId, policy);
      if (attached + bounding > 0) fail('DeleteConflict', 'Cannot delete a policy attached to entities.');
      if (policy.versions.length > 1)
        fail(
          'DeleteConflict',
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
      await tx.delete(managedPolicies, [accountId, nameKey(policy.name)]);
    });
    return {};
  },

  async ListEntitiesForPolicy(input, { accountId }) {
    const { PolicyArn = '', EntityFilter, PathPrefix = '/', PolicyUsageFilter } = input;
    const index: Usage = PolicyUsageFilter === 'PermissionsBoundary' ? 'byBoundary' : 'byPolicy';
    const found = await parts.store.read(async (tx) => {
      await policyOf(tx, accountId, PolicyArn);
      return holders(tx, accountId, index, PolicyArn);
    });
    const kinds: Readonly<Record<string, string>> = { User: 'user', Role: 'role', Group: 'group' };
    const wanted = EntityFilter === undefined ? undefined : (kinds[EntityFilter] ?? 'none');
    const fitting = found.filter(({ kind, path }) => (wanted ?? kind) === kind && path.startsWith(PathPrefix));
    const { items, end } = listPage(fitting, ({ kind, name }) => `${kind} ${name}`, input);
    const of = (kind: EntityRecord['kind']): EntityRecord[] => items.filter((each) => each.kind === kind);
    return {
      PolicyGroups: of('group').map(({ name, id }) => ({ GroupName: name, GroupId: id })),
      PolicyUsers: of('user').map(({ name, id }) => ({ UserName: name, UserId: id })),
      PolicyRoles: of('role').map(({ name, id }) => ({ RoleName: name, RoleId: id })),
      ...end,
    };
  },

  async TagPolicy({ PolicyArn, Tags }, { accountId }) {
    await parts.store.write(async (tx) => {
      const policy = await ownPolicy(tx, accountId, PolicyArn);
      await tx.put(managedPolicies, { ...policy, tags: withTags(policy.tags, Tags) });
    });
    return {};
  },

  async UntagPolicy({ PolicyArn, TagKeys }, { accountId }) {
    await parts.store.write(async (tx) => {
      const policy = await ownPolicy(tx, accountId, PolicyArn);
      await tx.put(managedPolicies, { ...policy, tags: withoutTags(policy.tags, TagKeys) });
    });
    return {};
  },

  async ListPolicyTags({ PolicyArn, ...page }, { accountId }) {
    const { tags } = await parts.store.read((tx) => policyOf(tx, accountId, PolicyArn));
    const { items, end } = listPage(tags, ({ Key }) => Key, page);
    return { Tags: [...items], ...end };
  },
});
