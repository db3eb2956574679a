/**
 * Lifecycle events: messages of QoS 1 on `$aws/events/...` when a client connects, disconnects, is refused, subscribes or
 * unsubscribes (developer guide, page life-cycle-events). They are always on.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { topicFault } from '@thingkeep/wire/topics.ts';
import type { BrokerListener } from '../broker/connection/listener.ts';
import type { Client } from '../broker/connection/client.ts';
import type { LostConnection } from '../broker/connection/connection-record.ts';
import type { ConnectRefusal, DisconnectReason } from '../broker/contract.ts';
import type { Clock } from '../runtime/clock.ts';

export interface LifecycleOptions {
  readonly clock: Clock;
  /** Publishes a message of the server's own, QoS 1. */
  readonly publish: (place: Place, topic: string, payload: Buffer) => void;
  /** Whether a topic has receivers: without them no event is made. */
  readonly hasReceivers: (place: Place, topic: string) => boolean;
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

export class Lifecycle implements BrokerListener {
  readonly #options: LifecycleOptions;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  connected(client: Client): void {
    this.#tell(client, 'presence/connected', () => ({
      ...this.#about(client, 'connected'),
      ipAddress: client.identity.peer.sourceIp,
      versionNumber: client.identity.version,
    }));
  }

  disconnected(client: Client, why: DisconnectReason): void {
    this.#tell(client, 'presence/disconnected', () => ({
      ...this.#about(client, 'disconnected'),
      clientInitiatedDisconnect: why === 'CLIENT_INITIATED_DISCONNECT',
      disconnectReason: why,
      versionNumber: client.identity.version,
    }));
  }

  /** A connection that the end of the process has ended; AWS has no reason for that, so it is CONNECTION_LOST. */
  connectionLost({ region, accountId, clientId, version, connection }: LostConnection): void {
    const { sessionIdentifier, principalId, thingName } = connection;
    this.#publish({ accountId, region }, 'presence/disconnected', clientId, () => ({
      clientId,
      thingName,
      timestamp: this.#options.clock.now(),
      eventType: 'disconnected',
      sessionIdentifier,
      principalIdentifier: principalId,
      clientInitiatedDisconnect: false,
      disconnectReason: 'CONNECTION_LOST',
      versionNumber: version,
    }));
  }

  /** A refused CONNECT; it has an event only where the account is known. */
  connectFailed(client: Client, { accountId, region, principal = '', certificateId }: ConnectRefusal): void {
    if (accountId === undefined || region === undefined) return;
    this.#publish({ accountId, region }, 'presence/connect_failed', client.clientId, () => ({
      clientId: client.clientId,
      timestamp: this.#options.clock.now(),
      eventType: 'connect_failed',
      sessionIdentifier: client.identity.sessionIdentifier,
      principalIdentifier: certificateId ?? principal,
      ipAddress: client.identity.peer.sourceIp,
      connectFailureReason: 'AUTHORIZATION_FAILED',
    }));
  }

  subscribed(client: Client, filters: readonly string[]): void {
    this.#tell(client, 'subscriptions/subscribed', () => ({ ...this.#about(client, 'subscribed'), topics: filters }));
  }

  unsubscribed(client: Client, filters: readonly string[]): void {
    this.#tell(client, 'subscriptions/unsubscribed', () => ({ ...this.#about(client, 'unsubscribed'), topics: filters }));
  }

  #about(client: Client, eventType: string): About {
    const { clientId, admission, principal, sessionIdentifier } = client.identity;
    return {
      clientId,
      thingName: admission?.thingName,
      timestamp: this.#options.clock.now(),
      eventType,
      sessionIdentifier,
      principalIdentifier: admission?.principalId ?? principal,
    };
  }

  #tell(client: Client, kind: string, event: () => Event): void {
    if (client.account !== undefined) this.#publish(client.account.place, kind, client.clientId, event);
  }

  /** Publishes an event; a client id that is no topic level has none (page life-cycle-events). */
  #publish(place: Place, kind: string, clientId: string, event: () => Event): void {
    const topic = `$aws/events/${kind}/${clientId}`;
    const { publish, hasReceivers } = this.#options;
    if (topicFault(topic) === undefined && hasReceivers(place, topic))
      publish(place, topic, Buffer.from(JSON.stringify(event())));
  }
}
