/** Things, thing types, groups, certificates, CA certificates and tags, as core takes them. */
import type { Clock } from '../runtime/clock.ts';
import type { Authority } from '../authority/authority.ts';
import type { DomainEntry } from '../domain.ts';
import type { Store } from '../store/contract.ts';
import { caCertificateOperations } from './ca-certificates.operations.ts';
import { caCertificateRegistrationOperations } from './ca-certificate-registration.operations.ts';
import { certificateIssuanceOperations } from './certificate-issuance.operations.ts';
import { certificateTransferOperations } from './certificate-transfers.operations.ts';
import { certificateOperations } from './certificates.operations.ts';
import { certificateRegistrationOperations } from './certificate-registration.operations.ts';
import { endpointOperations } from './endpoint.operations.ts';
import { billingGroupOperations } from './groups/billing-groups.operations.ts';
import { groupDeletions } from './groups/deletion.ts';
import { billingGroups, memberships, thingGroups } from './groups/store.ts';
import { membershipOperations } from './groups/thing-group-memberships.operations.ts';
import { thingGroupOperations } from './groups/thing-groups.operations.ts';
import { taggableRegistry, tagOperations } from './tags.operations.ts';
import { thingOperations } from './things.operations.ts';
import { thingPrincipalOperations } from './thing-principals.operations.ts';
import { thingTypeOperations } from './thing-types.operations.ts';
import {
  caCertificates,
  certificates,
  registrationCodes,
  tags,
  thingPrincipals,
  things,
  thingTypes,
  transferCounts,
} from './store.ts';

export interface RegistryDeps {
  readonly clock: Clock;
  readonly issuer: Authority;
  /** Host name of the server. */
  readonly endpoint: string;
  /** The part of the store of a region. */
  readonly inRegion: (region: string) => Store;
}

export const registryDomain: DomainEntry<RegistryDeps> = {
  collections: [
    ...[caCertificates, certificates, registrationCodes, tags, thingPrincipals, things, thingTypes, transferCounts],
    ...[billingGroups, memberships, thingGroups],
  ],
  open: ({ clock, issuer, endpoint, inRegion }) => ({
    name: 'registry',
    taggable: taggableRegistry,
    dueWork: groupDeletions({ inRegion, clock }),
    operations: ({ store, taggable }) => ({
      iot: {
        ...endpointOperations({ endpoint }),
        ...certificateIssuanceOperations({ store, clock, issuer }),
        ...certificateRegistrationOperations({ store, clock }),
        ...certificateOperations({ store, clock }),
        ...certificateTransferOperations({ store, clock }),
        ...caCertificateRegistrationOperations({ store, clock }),
        ...caCertificateOperations({ store, clock }),
        ...thingOperations({ store, clock }),
        ...thingTypeOperations({ store, clock }),
        ...thingPrincipalOperations({ store }),
        ...thingGroupOperations({ store, clock }),
        ...membershipOperations({ store, clock }),
        ...billingGroupOperations({ store, clock }),
        ...tagOperations({ store, taggable }),
      },
    }),
  }),
};
