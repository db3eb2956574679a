/** Provisioning: templates, RegisterThing, and what devices with a claim ask for, as core takes them. */
import type { Authority } from '../authority/authority.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import type { DomainEntry, TaggableResources } from '../domain.ts';
import type { RoleObjects } from '../objects/contract.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { certificateProviderOperations } from './certificate-providers.operations.ts';
import { endedClaims } from './claims.ts';
import { claimOperations } from './claims.operations.ts';
import { FleetProvisioning } from './fleet-provisioning.ts';
import { fleetProvisioningTopics } from './fleet-provisioning.topics.ts';
import { untakenCertificates } from './ownership.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { bulkRegistration } from './bulk-registration.ts';
import { registrationExpiry } from './registration-expiry.ts';
import type { RegistrationReports } from './registration-reports.ts';
import { registrationTasks } from './registration-tasks.ts';
import { thingRegistrationTaskOperations } from './thing-registration-tasks.operations.ts';
import { certificateProviders, ownershipCounts, ownerships, provisioningClaims, provisioningTemplates } from './store.ts';
import { thingRegistrationOperations } from './thing-registration.operations.ts';
import { templateVersionOperations } from './template-versions.operations.ts';
import { templateOperations } from './templates.operations.ts';

export interface ProvisioningDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly issuer: Authority;
  readonly tags: PolicyTags;
  readonly isFunctionName: (name: string) => boolean;
  readonly findRole: FindRole;
  readonly functions: FunctionInvoker;
  readonly inRegion: (region: string) => Store;
  readonly disk: { readonly low: boolean };
  readonly roleObjects: RoleObjects;
  readonly reports: RegistrationReports;
  readonly refuse: (refusal: Refusal) => void;
}

const taggable: TaggableResources = {
  certificateprovider: async (tx, accountId, name) => (await tx.get(certificateProviders, [accountId, name])) !== undefined,
  provisioningtemplate: async (tx, accountId, name) => (await tx.get(provisioningTemplates, [accountId, name])) !== undefined,
};

export const provisioningDomain: DomainEntry<ProvisioningDeps> = {
  collections: [
    ...[certificateProviders, ownershipCounts, ownerships, provisioningClaims, provisioningTemplates],
    registrationTasks,
  ],
  open: (deps) => ({
    name: 'provisioning',
    taggable,
    topics: fleetProvisioningTopics({ ...deps, fleet: new FleetProvisioning(deps) }),
    dueWork: [
      ...[untakenCertificates(deps.inRegion), endedClaims(deps.inRegion)],
      ...[bulkRegistration(deps), registrationExpiry(deps.inRegion)],
    ],
    operations: ({ store }) => ({
      iot: {
        ...templateOperations({ ...deps, store }),
        ...certificateProviderOperations({ ...deps, store }),
        ...claimOperations({ ...deps, store }),
        ...templateVersionOperations({ ...deps, store }),
        ...thingRegistrationOperations({ ...deps, store }),
        ...thingRegistrationTaskOperations({ ...deps, store }),
      },
    }),
  }),
};
