/**
 * The publisher of registry events: a durable subscriber of the registry's changes, so that none is lost by a crash (developer
 * guide, page iot-events: at least once). What no account wants is not even stored.
 */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { Messaging } from '../broker/messaging.ts';
import { memberships, thingGroups } from '../registry/groups/store.ts';
import { things, thingTypes } from '../registry/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { asRefusal, isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import type { Change, ChangeSubscriber, DurableSubscription } from '../store/changes.ts';
import type { EnabledEvents } from './enabled-events.ts';
import { EVENTS_OF, registryEvents } from './registry-events.ts';

export const registryEventSubscription: DurableSubscription = {
  name: 'registry-events',
  of: [memberships, thingGroups, things, thingTypes],
};

/** Changes whose events are published before others have their turn. */
const MAX_TURN = 50;
/** Lines of the log about events of an account that were not stored. */
const REPORTED = { max: 1, perMs: 60_000 };

export interface RegistryPublisherOptions {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly messaging: Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'>;
  readonly enabled: Pick<EnabledEvents, 'of'>;
}

export function registryPublisher({ clock, log, messaging, enabled }: RegistryPublisherOptions): ChangeSubscriber {
  const limiter = new RepeatLimiter(clock, REPORTED);

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

  /**
   * What a message that was not stored means: where the disk can't be written, the changes are to be handed on again. Any other
   * reason is the account's own, as a queue that is full: its event is dropped, so that others' come.
   */
  const failureOf = (error: unknown, place: Place): unknown => {
    if (isDiskRefusal(asRefusal(error))) return error;
    const leftOut = limiter.admit(placeKey(place));
    if (leftOut !== undefined)
      log.warn({ err: error, event: 'registry-event-dropped', ...place, leftOut }, 'a registry event could not be stored');
    return undefined;
  };

  return {
    name: registryEventSubscription.name,
    wants: ({ kind, place }) => {
      const kinds = enabled.of(place);
      return kinds.size > 0 && (EVENTS_OF.get(kind) ?? []).some((each) => kinds.has(each));
    },
    async take(changes) {
      let failure: unknown;
      for (let i = 0; i < changes.length; i += MAX_TURN) {
        const told = await Promise.allSettled(changes.slice(i, i + MAX_TURN).map(async (change) => Promise.all(publish(change))));
        for (const [j, result] of told.entries())
          if (result.status === 'rejected') failure ??= failureOf(result.reason, (changes[i + j] as Change<object>).place);
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (failure !== undefined) throw failure;
    },
  };
}
