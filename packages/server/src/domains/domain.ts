/** Domain configurations, as core takes them. */
import type { DomainEntry } from '../domain.ts';
import type { Logger } from '../runtime/log.ts';
import { domainCreationOperations } from './domain-creation.operations.ts';
import { type DomainOptions, domainOperations } from './domain-configurations.operations.ts';
import type { DomainServing } from './serving.ts';
import { taggableDomains } from './taggable-domains.ts';
import { domainConfigurations, issuedCertificates } from './store.ts';

export interface DomainConfigurationDeps extends Omit<DomainOptions, 'store'> {
  readonly serving: Pick<DomainServing, 'load' | 'renewIfDue'>;
  readonly log: Pick<Logger, 'info'>;
}

const MINUTE = 60_000;

export const domainConfigurationDomain: DomainEntry<DomainConfigurationDeps> = {
  collections: [domainConfigurations, issuedCertificates],
  open: ({ serving, log, ...deps }) => ({
    name: 'domain-configurations',
    taggable: taggableDomains,
    operations: ({ store }) => ({
      iot: { ...domainCreationOperations({ ...deps, store }), ...domainOperations({ ...deps, store }) },
    }),
    tasks: [
      {
        name: 'domain-certificates',
        every: MINUTE,
        run: async () => {
          if (await serving.renewIfDue())
            log.info({ event: 'server-certificates-renewed' }, 'domain configurations have new certificates');
        },
      },
    ],
    load: () => serving.load(),
  }),
};
