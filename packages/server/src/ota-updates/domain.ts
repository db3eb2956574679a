/** OTA updates, as core takes them. */
import type { DomainEntry, TaggableResources } from '../domain.ts';
import type { PolicyTags } from '../policies/principals.ts';
import { type CreationDeps, otaUpdateCreations } from './creation.ts';
import { otaUpdateOperations } from './ota-updates.operations.ts';
import { otaUpdates } from './store.ts';

export interface OtaUpdateDeps extends CreationDeps {
  readonly tags: PolicyTags;
}

const taggable: TaggableResources = {
  otaupdate: async (tx, accountId, name) => (await tx.get(otaUpdates, [accountId, name])) !== undefined,
};

export const otaUpdateDomain: DomainEntry<OtaUpdateDeps> = {
  collections: [otaUpdates],
  open: (deps) => ({
    name: 'ota-updates',
    taggable,
    dueWork: [otaUpdateCreations(deps)],
    operations: ({ store }) => ({ iot: otaUpdateOperations({ ...deps, store }) }),
  }),
};
