/** IAM, as core takes it: its operations are of the query protocol, and have a table of their own. */
import type { DomainEntry } from '../domain.ts';
import type { KeyUses } from './key-uses.ts';
import { accessKeys, entities, managedPolicies } from './store.ts';

const MINUTE = 60_000;

export const iamDomain: DomainEntry<{ readonly uses: KeyUses }> = {
  collections: [accessKeys, entities, managedPolicies],
  open: ({ uses }) => ({
    name: 'iam',
    timers: [{ every: MINUTE, failure: 'uses of access keys could not be written', run: () => uses.tick() }],
  }),
};
