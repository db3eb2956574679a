/** Configurations of events, as core takes them. */
import type { DomainEntry } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import { eventOperations } from './event-configurations.operations.ts';
import { eventConfigurations } from './store.ts';

export const eventsDomain: DomainEntry<{ readonly clock: Clock }> = {
  collections: [eventConfigurations],
  open: ({ clock }) => ({
    name: 'events',
    operations: ({ store }) => ({ iot: eventOperations({ store, clock }) }),
  }),
};
