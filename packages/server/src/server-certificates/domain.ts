/** The part of AWS Certificate Manager that imports certificates, as core takes it. */
import type { Domain } from '../domain.ts';
import { acmListingOperations } from './server-certificate-listings.operations.ts';
import { type AcmOptions, acmOperations } from './server-certificates.operations.ts';

export const acmDomain = (deps: Omit<AcmOptions, 'store'>): Domain => ({
  name: 'server-certificates',
  json: {
    acm: ({ store }) => ({
      target: 'CertificateManager',
      operations: { ...acmOperations({ store, ...deps }), ...acmListingOperations({ store, ...deps }) },
    }),
  },
});
