/** GetAccountSummary and ListAccountAliases, and empty lists of what users have on AWS only: tools ask before they delete. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { IamParts } from './users.operations.ts';
import { QUOTAS } from './quotas.ts';
import { givenUser } from './records.ts';
import { entities, managedPolicies } from './store.ts';

type Operations = Pick<
  IamOperations,
  | 'GetAccountSummary'
  | 'ListAccountAliases'
  | 'ListMFADevices'
  | 'ListVirtualMFADevices'
  | 'ListSSHPublicKeys'
  | 'ListSigningCertificates'
  | 'ListServiceSpecificCredentials'
>;

export const accountOperations = ({ store }: IamParts): Handlers<Operations> => ({
  async GetAccountSummary(_, { accountId }) {
    return store.read(async (tx) => {
      const count = async (kind: string): Promise<number> =>
        (await tx.scan(entities, { skipDamaged: true, prefix: [accountId, kind] })).items.length;
      const policies = (await tx.scan(managedPolicies, { skipDamaged: true, prefix: [accountId] })).items;
      return {
        SummaryMap: {
          Users: await count('user'),
          UsersQuota: QUOTAS.users,
          Groups: await count('group'),
          GroupsQuota: QUOTAS.groups,
          Roles: await count('role'),
          RolesQuota: QUOTAS.roles,
          Policies: policies.length,
          PoliciesQuota: QUOTAS.policies,
          PolicySizeQuota: QUOTAS.policySize,
          PolicyVersionsInUse: policies.reduce((sum, { versions }) => sum + versions.length, 0),
          AccessKeysPerUserQuota: QUOTAS.accessKeysPerUser,
          GroupsPerUserQuota: QUOTAS.groupsPerUser,
          AttachedPoliciesPerUserQuota: QUOTAS.attachedPerUser,
          AttachedPoliciesPerGroupQuota: QUOTAS.attachedPerGroup,
          AttachedPoliciesPerRoleQuota: QUOTAS.attachedPerRole,
          VersionsPerPolicyQuota: QUOTAS.versionsPerPolicy,
          UserPolicySizeQuota: QUOTAS.inlineOfUser,
          GroupPolicySizeQuota: QUOTAS.inlineOfGroup,
          RolePolicySizeQuota: QUOTAS.inlineOfRole,
          AssumeRolePolicySizeQuota: QUOTAS.trustPolicy,
        },
      };
    });
  },

  async ListAccountAliases() {
    return { AccountAliases: [], IsTruncated: false };
  },

  async ListMFADevices({ UserName }, caller) {
    if (UserName !== undefined) await store.read((tx) => givenUser(tx, caller, UserName));
    return { MFADevices: [], IsTruncated: false };
  },

  async ListVirtualMFADevices() {
    return { VirtualMFADevices: [], IsTruncated: false };
  },

  async ListSSHPublicKeys({ UserName }, caller) {
    await store.read((tx) => givenUser(tx, caller, UserName));
    return { SSHPublicKeys: [], IsTruncated: false };
  },

  async ListSigningCertificates({ UserName }, caller) {
    await store.read((tx) => givenUser(tx, caller, UserName));
    return { Certificates: [], IsTruncated: false };
  },

  async ListServiceSpecificCredentials({ UserName }, caller) {
    if (UserName !== undefined) await store.read((tx) => givenUser(tx, caller, UserName));
    return { ServiceSpecificCredentials: [] };
  },
});
