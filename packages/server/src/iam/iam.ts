/** The parts of IAM, put together: operations, access keys with their permissions, and credentials of roles. */
import type { SessionTokens } from '../credentials/session-tokens.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { IdentityKeys } from './access-keys.ts';
import { IamChanges } from './changes.ts';
import { Documents } from './documents.ts';
import { Identities } from './identities.ts';
import { KeyUses } from './key-uses.ts';
import { accessKeyOperations } from './access-keys.operations.ts';
import { accountOperations } from './account.operations.ts';
import { identityPolicyOperations } from './policy-attachments.operations.ts';
import { groupOperations } from './groups.operations.ts';
import { inlinePolicyOperations } from './inline-policies.operations.ts';
import { loginProfileOperations } from './login-profiles.operations.ts';
import { managedPolicyOperations } from './managed-policies.operations.ts';
import { managedPolicyVersionOperations } from './policy-versions.operations.ts';
import { roleOperations } from './roles.operations.ts';
import { simulateOperations } from './policy-simulation.operations.ts';
import { userOperations } from './users.operations.ts';
import { IamResources } from './resources.ts';
import { entityTagKeys } from './resource-tags.ts';
import { roleCredentials } from './role-credentials.ts';
import { rolePermissions } from './role-permissions.ts';
import { stsNeeds, stsOperations } from './sts.operations.ts';

export interface IamOptions {
  /** That of the whole server: IAM knows no regions. */
  readonly store: Store;
  readonly changes: Changes;
  readonly clock: Clock;
  readonly tokens: SessionTokens;
  /** Account of a root's key; undefined when there is none of this id. */
  readonly rootAccountOf: (accessKeyId: string) => string | undefined;
}

export function openIam({ store, changes: feed, clock, tokens, rootAccountOf }: IamOptions) {
  const changes = new IamChanges(feed);
  const identities = new Identities(store, changes, new Documents());
  const uses = new KeyUses(store, clock);
  const isRootKey = (accessKeyId: string, accountId: string): boolean => rootAccountOf(accessKeyId) === accountId;
  const parts = { store, clock, identities, uses };
  const resources = new IamResources(store);
  return {
    changes,
    uses,
    keys: new IdentityKeys({ identities, uses, clock, isRootKey }),
    roleCredentials: roleCredentials({ identities, tokens, clock }),
    rolePermissions: rolePermissions({ identities, clock }),
    resourceKeys: entityTagKeys(store),
    knowsRole: async (roleArn: string): Promise<boolean> => (await identities.role(roleArn)) !== undefined,
    services: {
      iam: {
        operations: {
          ...userOperations(parts),
          ...groupOperations(parts),
          ...roleOperations(parts),
          ...accessKeyOperations(parts),
          ...loginProfileOperations(parts),
          ...managedPolicyOperations(parts),
          ...managedPolicyVersionOperations(parts),
          ...identityPolicyOperations(parts),
          ...inlinePolicyOperations(parts),
          ...accountOperations(parts),
          ...simulateOperations(parts),
        },
        needed: resources.needed.bind(resources),
      },
      sts: { operations: stsOperations({ identities, tokens, clock, rootAccountOf }), needed: stsNeeds },
    },
  };
}
