/** Policies, their versions and attachments, as core takes them. */
import type { Domain, TaggableResources } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import { policyAttachmentOperations } from './policy-attachments.operations.ts';
import { authorizationOperations } from './authorization-tests.operations.ts';
import { policyListingOperations } from './policy-listings.operations.ts';
import { policyVersionOperations } from './policy-versions.operations.ts';
import { policyOperations } from './policies.operations.ts';
import type { PolicyTags, PolicyTargets, PrincipalFacts } from './principals.ts';
import { policies } from './store.ts';

export interface PolicyDeps {
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly targets: PolicyTargets;
  readonly facts: PrincipalFacts;
}

const taggable: TaggableResources = {
  policy: async (tx, accountId, name) => (await tx.get(policies, [accountId, name])) !== undefined,
};

export const policyDomain = (deps: PolicyDeps): Domain => ({
  name: 'policies',
  taggable,
  operations: ({ store }) => ({
    iot: {
      ...policyOperations({ store, ...deps }),
      ...policyVersionOperations({ store, ...deps }),
      ...policyAttachmentOperations({ store, ...deps }),
      ...policyListingOperations({ store, ...deps }),
      ...authorizationOperations({ store, ...deps }),
    },
  }),
});
