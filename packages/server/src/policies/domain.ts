/** Policies, their versions and attachments, as core takes them. */
import type { DomainEntry, TaggableResources } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import { policyAttachmentOperations } from './policy-attachments.operations.ts';
import { authorizationOperations } from './authorization-tests.operations.ts';
import { policyListingOperations } from './policy-listings.operations.ts';
import { policyVersionOperations } from './policy-versions.operations.ts';
import { policyOperations } from './policies.operations.ts';
import type { PolicyTags, PolicyTargets, PrincipalFacts } from './principals.ts';
import { policies, policyAttachments } from './store.ts';

export interface PolicyDeps {
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly targets: PolicyTargets;
  readonly facts: PrincipalFacts;
}

const taggable: TaggableResources = {
  policy: async (tx, accountId, name) => (await tx.get(policies, [accountId, name])) !== undefined,
};

export const policyDomain: DomainEntry<PolicyDeps> = {
  collections: [policies, policyAttachments],
  open: (deps) => ({
    name: 'policies',
    taggable,
    operations: ({ store }) => ({
      iot: {
        ...policyOperations({ ...deps, store }),
        ...policyVersionOperations({ ...deps, store }),
        ...policyAttachmentOperations({ ...deps, store }),
        ...policyListingOperations({ ...deps, store }),
        ...authorizationOperations({ ...deps, store }),
      },
    }),
  }),
};
