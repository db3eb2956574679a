/** Configurations of events, as core takes them. */
import type { Domain } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import { eventOperations } from './event-configurations.operations.ts';

export const eventsDomain = (deps: { readonly clock: Clock }): Domain => ({
  name: 'events',
  operations: ({ store }) => ({ iot: eventOperations({ store, ...deps }) }),
});
