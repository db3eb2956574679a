/** The part of AWS Certificate Manager that imports certificates, as core takes it. */
import type { DomainEntry } from '../domain.ts';
import { acmListingOperations } from './server-certificate-listings.operations.ts';
import { type AcmOptions, acmOperations } from './server-certificates.operations.ts';
import { serverCertificates, serverKeys } from './store.ts';

export const acmDomain: DomainEntry<Omit<AcmOptions, 'store'>> = {
  collections: [serverCertificates, serverKeys],
  open: (deps) => ({
    name: 'server-certificates',
    json: {
      acm: ({ store }) => ({
        target: 'CertificateManager',
        operations: { ...acmOperations({ ...deps, store }), ...acmListingOperations({ ...deps, store }) },
      }),
    },
  }),
};
