/** Domain configurations, as core takes them. */
import type { Domain } from '../domain.ts';
import { domainCreation } from './creating.ts';
import { type DomainOptions, domainOperations } from './operations.ts';
import type { DomainServing } from './serving.ts';
import { taggableDomains } from './tagging.ts';

export interface DomainConfigurationDeps extends Omit<DomainOptions, 'store'> {
  readonly serving: Pick<DomainServing, 'load'>;
}

export const domainConfigurationDomain = ({ serving, ...deps }: DomainConfigurationDeps): Domain => ({
  name: 'domain-configurations',
  taggable: taggableDomains,
  operations: ({ store }) => ({ iot: { ...domainCreation({ store, ...deps }), ...domainOperations({ store, ...deps }) } }),
  load: () => serving.load(),
});
