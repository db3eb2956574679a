/** CreatePolicyVersion, GetPolicyVersion, ListPolicyVersions, SetDefaultPolicyVersion, DeletePolicyVersion. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { percentEncode } from '@thingkeep/wire/api/percent.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { checkManagedPolicy, ownPolicy, policyOf } from './managed-policies.operations.ts';
import type { IamParts } from './users.operations.ts';
import { listPage } from './pages.ts';
import { QUOTAS } from './quotas.ts';
import { type ManagedPolicyRecord, managedPolicies, type PolicyVersion } from './store.ts';

type Operations = Pick<
  IamOperations,
  'CreatePolicyVersion' | 'GetPolicyVersion' | 'ListPolicyVersions' | 'SetDefaultPolicyVersion' | 'DeletePolicyVersion'
>;

const versionOf = ({ versions }: ManagedPolicyRecord, versionId: string | undefined): PolicyVersion =>
  versions.find((version) => version.versionId === versionId) ??
  fail('NoSuchEntity', `Policy version ${versionId} does not exist.`);

const describe = ({ defaultVersionId }: ManagedPolicyRecord, { versionId, createdAt }: PolicyVersion) => ({
  VersionId: versionId,
  IsDefaultVersion: versionId === defaultVersionId,
  CreateDate: new Date(createdAt),
});

export const managedPolicyVersionOperations = (parts: IamParts): Handlers<Operations> => ({
  async CreatePolicyVersion({ PolicyArn, PolicyDocument = '', SetAsDefault = false }, { accountId }) {
    const document = checkManagedPolicy(PolicyDocument);
    return parts.store.write(async (tx) => {
      const policy = await ownPolicy(tx, accountId, PolicyArn);
      const most = QUOTAS.versionsPerPolicy;
      if (policy.versions.length >= most)
        fail(
          'LimitExceeded',
          `A managed policy can have up to ${most} versions. Before you create a new version, you must delete an existing version.`,
        );
      const updatedAt = parts.clock.now();
      const version = { versionId: `v${policy.nextVersion}`, document, createdAt: updatedAt };
      const changed: ManagedPolicyRecord = {
        ...policy,
        updatedAt,
        versions: [...policy.versions, version],
        nextVersion: policy.nextVersion + 1,
        defaultVersionId: SetAsDefault ? version.versionId : policy.defaultVersionId,
      };
      await tx.put(managedPolicies, changed);
      return { PolicyVersion: describe(changed, version) };
    });
  },

  async GetPolicyVersion({ PolicyArn, VersionId }, { accountId }) {
    const policy = await parts.store.read((tx) => policyOf(tx, accountId, PolicyArn));
    const version = versionOf(policy, VersionId);
    return { PolicyVersion: { ...describe(policy, version), Document: percentEncode(version.document) } };
  },

  async ListPolicyVersions({ PolicyArn, ...page }, { accountId }) {
    const policy = await parts.store.read((tx) => policyOf(tx, accountId, PolicyArn));
    const { items, end } = listPage(policy.versions.toReversed(), ({ versionId }) => versionId, page);
    return { Versions: items.map((version) => describe(policy, version)), ...end };
  },

  async SetDefaultPolicyVersion({ PolicyArn, VersionId }, { accountId }) {
    await parts.store.write(async (tx) => {
      const policy = await ownPolicy(tx, accountId, PolicyArn);
      const { versionId } = versionOf(policy, VersionId);
      await tx.put(managedPolicies, { ...policy, defaultVersionId: versionId, updatedAt: parts.clock.now() });
    });
    return {};
  },

  async DeletePolicyVersion({ PolicyArn, VersionId }, { accountId }) {
    await parts.store.write(async (tx) => {
      const policy = await ownPolicy(tx, accountId, PolicyArn);
      const { versionId } = versionOf(policy, VersionId);
      if (versionId === policy.defaultVersionId) fail('DeleteConflict', 'Cannot delete the default version of a policy.');
      const versions = policy.versions.filter((version) => version.versionId !== versionId);
      await tx.put(managedPolicies, { ...policy, versions, updatedAt: parts.clock.now() });
    });
    return {};
  },
});
