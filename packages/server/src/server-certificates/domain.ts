/** The part of AWS Certificate Manager that imports certificates, as core takes it. */
import type { Domain } from '../domain.ts';
import { acmListingOperations } from './operations-listings.ts';
import { type AcmOptions, acmOperations } from './operations.ts';

export const acmDomain = (deps: Omit<AcmOptions, 'store'>): Domain => ({
  name: 'server-certificates',
  json: {
    acm: ({ store }) => ({
      target: 'CertificateManager',
      operations: { ...acmOperations({ store, ...deps }), ...acmListingOperations({ store, ...deps }) },
    }),
  },
});
