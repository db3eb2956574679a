/**
 * The publisher of registry events: a durable subscriber of the registry's changes, so that none is lost by a crash (developer guide,
 * page iot-events: at least once). What no account wants is not even stored.
 */
import type { Messaging } from '../broker/messaging.ts';
import { memberships, thingGroups } from '../registry/groups/store.ts';
import { things, thingTypes } from '../registry/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Change, ChangeSubscriber, DurableSubscription } from '../store/changes.ts';
import type { EnabledEvents } from './enabled-events.ts';
import { EVENTS_OF, registryEvents } from './registry-events.ts';

export const registryEventSubscription: DurableSubscription = {
  name: 'registry-events',
  of: [memberships, thingGroups, things, thingTypes],
};

/** Changes whose events are published before others have their turn. */
const MAX_TURN = 50;

export interface RegistryPublisherOptions {
  readonly clock: Clock;
  readonly messaging: Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'>;
  readonly enabled: Pick<EnabledEvents, 'of'>;
}

export function registryPublisher({ clock, messaging, enabled }: RegistryPublisherOptions): ChangeSubscriber {
  /** Publishes the events of a change. Gives what has to be stored of them. */
  const publish = (change: Change<object>): Promise<void>[] => {
    const { place } = change;
    const stored: Promise<void>[] = [];
    for (const { topic, payload } of registryEvents(change, enabled.of(place), clock.now())) {
      if (!messaging.hasReceivers(place, topic)) continue;
      const pending = messaging.stored(messaging.publish(place, topic, Buffer.from(payload), 1));
      if (pending !== undefined) stored.push(pending);
    }
    return stored;
  };

  return {
    name: registryEventSubscription.name,
    wants: ({ kind, place }) => {
      const kinds = enabled.of(place);
      return kinds.size > 0 && (EVENTS_OF.get(kind) ?? []).some((each) => kinds.has(each));
    },
    async take(changes) {
      for (let i = 0; i < changes.length; i += MAX_TURN) {
        await Promise.all(changes.slice(i, i + MAX_TURN).flatMap(publish));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
