/** Things, thing types, certificates, CA certificates and tags, as core takes them. */
import type { Clock } from '../runtime/clock.ts';
import type { Authority } from '../authority/authority.ts';
import type { Domain } from '../domain.ts';
import { caCertificateOperations } from './ca-certificate-operations.ts';
import { caCertificateRegisteringOperations } from './ca-certificate-registering.ts';
import { certificateIssuingOperations } from './certificate-issuing.ts';
import { certificateOperations } from './certificate-operations.ts';
import { certificateRegisteringOperations } from './certificate-registering.ts';
import { endpointOperations } from './describe-endpoint.ts';
import { taggableRegistry, tagOperations } from './tag-operations.ts';
import { thingOperations } from './thing-operations.ts';
import { thingPrincipalOperations } from './thing-principal-operations.ts';
import { thingTypeOperations } from './thing-type-operations.ts';

export interface RegistryDeps {
  readonly clock: Clock;
  readonly issuer: Authority;
  /** Host name of the server. */
  readonly endpoint: string;
}

export const registryDomain = ({ clock, issuer, endpoint }: RegistryDeps): Domain => ({
  name: 'registry',
  taggable: taggableRegistry,
  operations: ({ store, taggable }) => ({
    iot: {
      ...endpointOperations({ endpoint }),
      ...certificateIssuingOperations({ store, clock, issuer }),
      ...certificateRegisteringOperations({ store, clock }),
      ...certificateOperations({ store, clock }),
      ...caCertificateRegisteringOperations({ store, clock }),
      ...caCertificateOperations({ store, clock }),
      ...thingOperations({ store, clock }),
      ...thingTypeOperations({ store, clock }),
      ...thingPrincipalOperations({ store }),
      ...tagOperations({ store, taggable }),
    },
  }),
});
