/** Configurations of events, and the events of the registry, as core takes them. */
import type { Messaging } from '../broker/messaging.ts';
import type { DomainEntry } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import { EnabledEvents, type EnabledEventsOptions } from './enabled-events.ts';
import { eventOperations } from './event-configurations.operations.ts';
import { registryEventSubscription, registryPublisher } from './registry-publisher.ts';
import { eventConfigurations } from './store.ts';

export interface EventDeps extends EnabledEventsOptions {
  readonly clock: Clock;
  readonly broker: { readonly messaging: Messaging };
}

export const eventsDomain: DomainEntry<EventDeps> = {
  collections: [eventConfigurations],
  subscriptions: [registryEventSubscription],
  open: ({ clock, broker: { messaging }, ...configured }) => {
    const enabled = new EnabledEvents(configured);
    return {
      name: 'events',
      operations: ({ store }) => ({ iot: eventOperations({ store, clock }) }),
      subscribers: [registryPublisher({ clock, messaging, enabled })],
      load: () => enabled.load(),
      close: () => enabled.close(),
    };
  },
};
