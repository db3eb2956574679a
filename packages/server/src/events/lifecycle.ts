/**
 * Lifecycle events: messages of QoS 1 on `$aws/events/...` when a client connects, disconnects, is refused, subscribes or
 * unsubscribes (developer guide, page life-cycle-events). They are always on.
 */
import { topicFault } from '@thingkeep/wire/topics.ts';
import type { ConnectionInfo, ConnectionListener, Messaging } from '../broker/messaging.ts';
import type { Clock } from '../runtime/clock.ts';

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly messaging: Pick<Messaging, 'publish' | 'hasReceivers'>;
}

/** The members that all events of a connection have; those without a value are left out. */
type About = {
  readonly clientId: string;
  readonly thingName?: string | undefined;
  readonly timestamp: number;
  readonly eventType: string;
  readonly sessionIdentifier: string;
  readonly principalIdentifier: string;
};

/** The payload of an event, before it is JSON. */
type Event = Readonly<Record<string, unknown>>;

export class Lifecycle implements ConnectionListener {
  readonly #options: LifecycleOptions;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  connected(connection: ConnectionInfo): void {
    this.#publish(connection, 'presence/connected', () => ({
      ...this.#about(connection, 'connected'),
      ipAddress: connection.sourceIp,
      versionNumber: connection.version,
    }));
  }

  /** The guide calls a Close frame the client's own end as well, but AWS's events have been seen to say false for one. */
  disconnected(connection: ConnectionInfo, why: string, byPacket: boolean): void {
    this.#publish(connection, 'presence/disconnected', () => ({
      ...this.#about(connection, 'disconnected'),
      clientInitiatedDisconnect: byPacket,
      disconnectReason: why,
      versionNumber: connection.version,
    }));
  }

  connectFailed(connection: ConnectionInfo): void {
    this.#publish(connection, 'presence/connect_failed', () => ({
      ...this.#about(connection, 'connect_failed'),
      ipAddress: connection.sourceIp,
      connectFailureReason: 'AUTHORIZATION_FAILED',
    }));
  }

  subscribed(connection: ConnectionInfo, filters: readonly string[]): void {
    this.#publish(connection, 'subscriptions/subscribed', () => ({ ...this.#about(connection, 'subscribed'), topics: filters }));
  }

  unsubscribed(connection: ConnectionInfo, filters: readonly string[]): void {
    this.#publish(connection, 'subscriptions/unsubscribed', () => ({
      ...this.#about(connection, 'unsubscribed'),
      topics: filters,
    }));
  }

  #about({ clientId, thingName, sessionIdentifier, principalId }: ConnectionInfo, eventType: string): About {
    return {
      clientId,
      thingName,
      timestamp: this.#options.clock.now(),
      eventType,
      sessionIdentifier,
      principalIdentifier: principalId,
    };
  }

  /** Publishes an event; a client id that is no topic level has none (page life-cycle-events). */
  #publish({ place, clientId }: ConnectionInfo, kind: string, event: () => Event): void {
    const topic = `$aws/events/${kind}/${clientId}`;
    const { messaging } = this.#options;
    if (topicFault(topic) === undefined && messaging.hasReceivers(place, topic))
      messaging.publish(place, topic, Buffer.from(JSON.stringify(event())), 1);
  }
}
