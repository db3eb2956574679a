/** CreatePolicyVersion, GetPolicyVersion, ListPolicyVersions, DeletePolicyVersion, SetDefaultPolicyVersion. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { checkNewPolicy } from '@thingkeep/wire/documents/policy.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { given } from './policies.operations.ts';
import { getPolicyRecord, policyArn } from './policy-records.ts';
import { type PolicyRecord, type PolicyVersionRecord, policies } from './store.ts';

/** API reference CreatePolicyVersion: "A managed policy can have up to five versions." */
const MAX_VERSIONS = 5;

type Operations = Pick<
  IotOperations,
  'CreatePolicyVersion' | 'GetPolicyVersion' | 'ListPolicyVersions' | 'DeletePolicyVersion' | 'SetDefaultPolicyVersion'
>;

interface PolicyVersionDeps {
  readonly store: Store;
  readonly clock: Clock;
}

const versionOf = (policy: PolicyRecord, versionId: string | undefined): PolicyVersionRecord =>
  policy.versions.find((version) => version.versionId === versionId) ??
  fail('ResourceNotFoundException', `Version ${versionId} of policy ${policy.policyName} does not exist.`);

export const policyVersionOperations = ({ store, clock }: PolicyVersionDeps): Handlers<Operations> => {
  const change = (tx: WriteTransaction, policy: PolicyRecord): Promise<void> =>
    tx.put(policies, { ...policy, generation: policy.generation + 1, lastModifiedAt: clock.now() });

  return {
    async CreatePolicyVersion(input, caller) {
      const { accountId } = caller;
      const policyName = given(input.policyName, 'policyName');
      const document = given(input.policyDocument, 'policyDocument');
      const isDefault = input.setAsDefault === true;
      const versionId = await store.write(async (tx) => {
        const policy = await getPolicyRecord(tx, accountId, policyName);
        checkNewPolicy(document);
        if (policy.versions.length >= MAX_VERSIONS) {
          fail(
            'VersionsLimitExceededException',
            `The policy ${policyName} already has the maximum number of versions (${MAX_VERSIONS})`,
          );
        }
        const versionId = String(policy.nextVersion);
        const changed = {
          ...policy,
          nextVersion: policy.nextVersion + 1,
          defaultVersionId: isDefault ? versionId : policy.defaultVersionId,
          versions: [...policy.versions, { versionId, document, createdAt: clock.now() }],
        };
        await change(tx, changed);
        return versionId;
      });
      return {
        policyArn: policyArn(caller, policyName),
        policyDocument: document,
        policyVersionId: versionId,
        isDefaultVersion: isDefault,
      };
    },

    async GetPolicyVersion(input, caller) {
      const policyName = given(input.policyName, 'policyName');
      const policy = await store.read((tx) => getPolicyRecord(tx, caller.accountId, policyName));
      const version = versionOf(policy, input.policyVersionId);
      return {
        policyArn: policyArn(caller, policyName),
        policyName,
        policyDocument: version.document,
        policyVersionId: version.versionId,
        isDefaultVersion: version.versionId === policy.defaultVersionId,
        creationDate: new Date(version.createdAt),
        lastModifiedDate: new Date(version.createdAt),
        generationId: String(policy.generation),
      };
    },

    async ListPolicyVersions(input, caller) {
      const policy = await store.read((tx) => getPolicyRecord(tx, caller.accountId, given(input.policyName, 'policyName')));
      return {
        policyVersions: policy.versions.toReversed().map((version) => ({
          versionId: version.versionId,
          isDefaultVersion: version.versionId === policy.defaultVersionId,
          createDate: new Date(version.createdAt),
        })),
      };
    },

    async DeletePolicyVersion(input, caller) {
      await store.write(async (tx) => {
        const policy = await getPolicyRecord(tx, caller.accountId, given(input.policyName, 'policyName'));
        const { versionId } = versionOf(policy, input.policyVersionId);
        // API reference DeletePolicyVersion: "You cannot delete the default version of a policy using this action."
        if (versionId === policy.defaultVersionId) {
          fail('DeleteConflictException', 'Cannot delete the default version of a policy');
        }
        await change(tx, { ...policy, versions: policy.versions.filter((version) => version.versionId !== versionId) });
      });
      return {};
    },

    async SetDefaultPolicyVersion(input, caller) {
      const { accountId } = caller;
      const policyName = given(input.policyName, 'policyName');
      await store.write(async (tx) => {
        const policy = await getPolicyRecord(tx, accountId, policyName);
        const { versionId } = versionOf(policy, input.policyVersionId);
        if (versionId !== policy.defaultVersionId) await change(tx, { ...policy, defaultVersionId: versionId });
      });
      return {};
    },
  };
};
