/** Things, thing types, certificates, CA certificates and tags, as core takes them. */
import type { Clock } from '../runtime/clock.ts';
import type { Authority } from '../authority/authority.ts';
import type { DomainEntry } from '../domain.ts';
import { caCertificateOperations } from './ca-certificates.operations.ts';
import { caCertificateRegistrationOperations } from './ca-certificate-registration.operations.ts';
import { certificateIssuanceOperations } from './certificate-issuance.operations.ts';
import { certificateOperations } from './certificates.operations.ts';
import { certificateRegistrationOperations } from './certificate-registration.operations.ts';
import { endpointOperations } from './endpoint.operations.ts';
import { taggableRegistry, tagOperations } from './tags.operations.ts';
import { thingOperations } from './things.operations.ts';
import { thingPrincipalOperations } from './thing-principals.operations.ts';
import { thingTypeOperations } from './thing-types.operations.ts';
import { caCertificates, certificates, registrationCodes, tags, thingPrincipals, things, thingTypes } from './store.ts';

export interface RegistryDeps {
  readonly clock: Clock;
  readonly issuer: Authority;
  /** Host name of the server. */
  readonly endpoint: string;
}

export const registryDomain: DomainEntry<RegistryDeps> = {
  collections: [caCertificates, certificates, registrationCodes, tags, thingPrincipals, things, thingTypes],
  open: ({ clock, issuer, endpoint }) => ({
    name: 'registry',
    taggable: taggableRegistry,
    operations: ({ store, taggable }) => ({
      iot: {
        ...endpointOperations({ endpoint }),
        ...certificateIssuanceOperations({ store, clock, issuer }),
        ...certificateRegistrationOperations({ store, clock }),
        ...certificateOperations({ store, clock }),
        ...caCertificateRegistrationOperations({ store, clock }),
        ...caCertificateOperations({ store, clock }),
        ...thingOperations({ store, clock }),
        ...thingTypeOperations({ store, clock }),
        ...thingPrincipalOperations({ store }),
        ...tagOperations({ store, taggable }),
      },
    }),
  }),
};
