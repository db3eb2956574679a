/** Configurations of events, the events of the registry and of certificates that age, as core takes them. */
import type { Messaging } from '../broker/messaging.ts';
import type { DomainEntry } from '../domain.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { certificateExpiry } from './certificate-expiry.ts';
import { EnabledEvents, type EnabledEventsOptions } from './enabled-events.ts';
import { eventOperations } from './event-configurations.operations.ts';
import { registryEventSubscription, registryPublisher } from './registry-publisher.ts';
import { eventConfigurations } from './store.ts';

export interface EventDeps extends EnabledEventsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly broker: { readonly messaging: Messaging };
}

export const eventsDomain: DomainEntry<EventDeps> = {
  collections: [eventConfigurations],
  subscriptions: [registryEventSubscription],
  open: ({ clock, log, broker: { messaging }, ...configured }) => {
    const enabled = new EnabledEvents(configured);
    return {
      name: 'events',
      operations: ({ store }) => ({ iot: eventOperations({ store, clock }) }),
      tasks: [certificateExpiry({ clock, messaging, ...configured })],
      subscribers: [registryPublisher({ clock, log, messaging, enabled })],
      load: () => enabled.load(),
      close: () => enabled.close(),
    };
  },
};
