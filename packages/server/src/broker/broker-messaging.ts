/** The contract of messaging, served by the parts of the broker. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { ReservedService } from '@thingkeep/wire/reserved-services.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Properties } from '../mqtt/properties.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Client } from './connection/client.ts';
import type { BrokerCounters } from './connection/counters.ts';
import type { Connections } from './connections.ts';
import { MessageBuffer } from './message-buffer.ts';
import type {
  ConnectionInfo,
  ConnectionListener,
  MessageInterceptor,
  MessageJournal,
  Messaging,
  OutgoingMessages,
  PendingStorage,
  TopicService,
} from './messaging.ts';
import type { BrokerPublishing } from './publishing.ts';
import type { AccountSpaces } from './routing/account-spaces.ts';
import { TopicServices } from './topic-services.ts';

export interface BrokerMessagingOptions {
  readonly accounts: AccountSpaces;
  readonly publishing: BrokerPublishing;
  readonly connections: Connections;
  readonly journal: MessageJournal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly counters: BrokerCounters;
}

export class BrokerMessaging implements Messaging {
  readonly journal: MessageJournal;
  readonly #options: BrokerMessagingOptions;
  readonly #services: TopicServices;

  constructor(options: BrokerMessagingOptions) {
    this.journal = options.journal;
    this.#options = options;
    const { publishing, clock, log, refuse, counters } = options;
    const [answer, hasRoom] = [publishing.answer.bind(publishing), publishing.hasRoom.bind(publishing)];
    this.#services = new TopicServices({ clock, log, refuse, counters, answer, hasRoom });
    publishing.addInterceptor(this.#services);
  }

  publish(place: Place, topic: string, payload: Buffer, qos: 0 | 1 = 0, properties?: Properties): PendingStorage {
    return this.#options.publishing.publishEvent(place, topic, payload, qos, properties);
  }

  stored(pending: PendingStorage): Promise<void> | undefined {
    return this.#options.publishing.stored(pending);
  }

  hasReceivers(place: Place, topic: string): boolean {
    return this.#options.publishing.hasReceivers(place, topic);
  }

  outgoing({ accountId, region }: Place): OutgoingMessages {
    const { publishing, accounts, clock } = this.#options;
    return new MessageBuffer(publishing, accounts.of(accountId, region), clock);
  }

  addInterceptor(interceptor: MessageInterceptor): void {
    this.#options.publishing.addInterceptor(interceptor);
  }

  interceptorsChanged({ accountId, region }: Place): void {
    this.#options.accounts.of(accountId, region).interceptorsChanged();
  }

  serve(services: readonly TopicService[]): void {
    this.#services.add(services);
    this.#options.accounts.interceptorsChanged();
  }

  /** Whether requests on the topics of a service of AWS IoT are answered. */
  isServed(service: ReservedService): boolean {
    return this.#services.serves(service.filters);
  }

  onConnections(listener: ConnectionListener): void {
    const about = (client: Client, tell: (connection: ConnectionInfo) => void): void => {
      if (client.account !== undefined) tell(infoOf(client, client.account.place));
    };
    this.#options.connections.listen({
      connected: (client) => about(client, (connection) => listener.connected(connection)),
      disconnected: (client, why) =>
        about(client, (connection) => listener.disconnected(connection, why, hasSentDisconnect(client))),
      subscribed: (client, filters) => about(client, (connection) => listener.subscribed(connection, filters)),
      unsubscribed: (client, filters) => about(client, (connection) => listener.unsubscribed(connection, filters)),
      connectFailed: (client, { accountId, region, principal = '', certificateId }) => {
        if (accountId === undefined || region === undefined) return;
        listener.connectFailed({ ...infoOf(client, { accountId, region }), principalId: certificateId ?? principal });
      },
      // The end of the process has ended it; AWS has no reason for that.
      connectionLost: ({ region, accountId, clientId, version, connection: { sessionIdentifier, principalId, thingName } }) =>
        listener.disconnected(
          { place: { accountId, region }, clientId, sessionIdentifier, principalId, thingName, sourceIp: undefined, version },
          'CONNECTION_LOST',
          false,
        ),
    });
  }
}

const hasSentDisconnect = ({ identity: { end } }: Client): boolean => end === 'disconnect' || end === 'disconnect-with-will';

const infoOf = ({ identity }: Client, place: Place): ConnectionInfo => {
  const { clientId, sessionIdentifier, admission, principal, peer, claim } = identity;
  return {
    place,
    clientId,
    sessionIdentifier,
    principalId: admission?.principalId ?? principal,
    thingName: admission?.thingName,
    sourceIp: peer.sourceIp,
    version: claim?.version,
    isGuest: admission?.isGuest,
  };
};
