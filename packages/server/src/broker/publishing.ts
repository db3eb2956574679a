/** Publishing: a message goes to its receivers and to the interceptors of its topic, and is retained where it asks for that. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { encodeProperties, type Properties } from '../mqtt/properties.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Client } from './connection/client.ts';
import { combineInterceptors } from './message/interceptor.ts';
import { batchOfOne, type Message } from './message/message.ts';
import type { PublishBatch } from './message/publish-batch.ts';
import {
  type MessageInterceptor,
  NOTHING_PENDING,
  type Origin,
  type PendingStorage,
  type Publisher,
  type TopicAnswer,
  type TopicInterceptor,
  type TopicRequest,
} from './messaging.ts';
import type { AccountSpace } from './routing/account.ts';
import type { AccountSpaces } from './routing/account-spaces.ts';
import type { LoopBudget } from './routing/loop-budget.ts';
import { type Retained, retainedMessage } from './routing/retained.ts';
import type { RoutedTopic } from './routing/routed-topic.ts';
import type { Router } from './routing/router.ts';
import type { Journal } from '../store/journal.ts';

export interface BrokerPublishingOptions {
  readonly accounts: AccountSpaces;
  readonly router: Router;
  readonly journal: Journal;
  readonly retained: Retained;
  readonly budget: LoopBudget;
  readonly clock: Clock;
  readonly log: Logger;
}

export class BrokerPublishing {
  readonly #accounts: AccountSpaces;
  readonly #router: Router;
  readonly #journal: Journal;
  readonly #retained: Retained;
  readonly #budget: LoopBudget;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #interceptors: MessageInterceptor[] = [];

  constructor({ accounts, router, journal, retained, budget, clock, log }: BrokerPublishingOptions) {
    this.#accounts = accounts;
    this.#router = router;
    this.#journal = journal;
    this.#retained = retained;
    this.#budget = budget;
    this.#clock = clock;
    this.#log = log;
  }

  /** Sends the messages of a batch to all who may have them. Gives what has to be stored before they are acknowledged. */
  deliver(account: AccountSpace, batch: PublishBatch<RoutedTopic>, source: Publisher | undefined): PendingStorage {
    const pending = this.#router.deliver(account, batch, source);
    const interceptor = this.#interceptorOf(account, batch.topic);
    if (interceptor === undefined) return pending;
    return pending.and(this.#offer(interceptor, batch, source?.origin, source));
  }

  /**
   * Publishes a message that another one has caused: by a rule, or by a service that answers it. `waiter`, the publisher of
   * the cause, waits while receivers are full; No Local does not apply to it.
   */
  deliverDerived(
    account: AccountSpace,
    batch: PublishBatch<RoutedTopic>,
    origin: Origin,
    waiter: Publisher | undefined,
  ): PendingStorage {
    const pending = this.#router.deliver(account, batch, undefined, waiter);
    const interceptor = this.#interceptorOf(account, batch.topic);
    if (interceptor === undefined) return pending;
    return pending.and(this.#offer(interceptor, batch, origin, waiter));
  }

  /**
   * Publishes one message whose publisher has been authorized. Resolves once it is stored, when it must be; undefined
   * when there is nothing to wait for.
   */
  publishMessage(
    account: AccountSpace,
    message: Message<RoutedTopic>,
    source?: Publisher,
    origin?: Origin,
  ): Promise<void> | undefined {
    const batch = batchOfOne(message, this.#clock.now());
    const pending =
      origin === undefined ? this.deliver(account, batch, source) : this.deliverDerived(account, batch, origin, source);
    const stored = this.stored(pending);
    if (!message.retain) return stored;
    const retained = this.#retained.keep(account.place, message, this.#clock.now());
    return stored === undefined ? retained : Promise.all([stored, retained]).then(() => undefined);
  }

  /** Resolves once what is pending is stored, rejects when it can't be; undefined where nothing is pending. */
  stored(pending: PendingStorage): Promise<void> | undefined {
    if (pending === NOTHING_PENDING) return undefined;
    const { journal, others } = pending;
    return Promise.all(journal ? [this.#journal.committed(), ...others] : others).then(() => undefined);
  }

  /** Publishes a message of the server's own. Gives what has to be stored of it. */
  publishEvent(
    { accountId, region }: Place,
    topic: string,
    payload: Buffer,
    qos: 0 | 1 = 0,
    properties?: Properties,
  ): PendingStorage {
    const account = this.#accounts.of(accountId, region);
    // Lifecycle events have a topic for each client: remembered, they would push out those that messages come on.
    const entry = qos === 1 ? account.transientTopic(topic) : account.topic(topic);
    const message = { topic: entry, payload, qos, retain: false };
    if (properties === undefined) return this.deliver(account, batchOfOne(message, 0), undefined);
    const { messageExpiryInterval: expiry } = properties;
    const batch = batchOfOne({ ...message, properties: encodeProperties(properties), expiry }, this.#clock.now());
    return this.deliver(account, batch, undefined);
  }

  /**
   * Publishes an answer to a request of the account. `requester` is the connection that has sent it. Resolves once the
   * answer is stored, when it must be; undefined when there is nothing to wait for.
   */
  answer(
    { place, qos: asked, requester: { chain } }: TopicRequest,
    { topic: name, payload, to, qos: given, properties }: TopicAnswer,
    requester: Publisher | undefined,
  ): Promise<void> | undefined {
    const account = this.#accounts.of(place.accountId, place.region);
    const topic = account.recentTopic(name);
    const encoded = properties && encodeProperties(properties);
    const expiry = properties?.messageExpiryInterval;
    const message = { topic, payload, qos: given ?? asked, retain: false, properties: encoded, expiry };
    const batch = batchOfOne(message, this.#clock.now());
    if (requester !== undefined && (to === 'requester' || (to === 'both' && !this.#router.reaches(account, topic, requester))))
      this.#router.sendToPublisher(account, requester, batch);
    if (to === 'requester') return undefined;
    // Rules that answers set off again and again come to an end as those of any other chain.
    return this.stored(this.deliverDerived(account, batch, chain === undefined ? {} : { chain }, undefined));
  }

  /** Waits for room at the connection that has sent a request; false where it has gone, or takes nothing for too long. */
  hasRoom({ place }: TopicRequest, requester: Publisher): boolean | Promise<boolean> {
    return this.#router.hasRoom(this.#accounts.of(place.accountId, place.region), requester);
  }

  /** Whether a message on the topic would go to anybody, or be seen by an interceptor. */
  hasReceivers({ accountId, region }: Place, topic: string): boolean {
    const account = this.#accounts.of(accountId, region);
    const entry = account.recentTopic(topic);
    return this.#router.hasReceivers(account, entry) || this.#interceptorOf(account, entry) !== undefined;
  }

  /** Whether a message of QoS 1 on the topic has to be stored: for a persistent session, a share, or, if asked, a rule. */
  mustStore(account: AccountSpace, topic: RoutedTopic, rules: boolean): boolean {
    return this.#router.mustStore(account, topic) || (rules && this.#interceptorOf(account, topic) !== undefined);
  }

  /**
   * What `work` publishes goes to clients with a queue on disk only once it is there: a message that they had before, and the
   * disk never, would come again after a death of the process.
   */
  storeBeforeSending(work: () => void): void {
    this.#router.storeBeforeSending(work);
  }

  /** Sends the retained message of a topic to a client that has just subscribed to exactly it. */
  sendRetained(client: Client, filter: string): void {
    const { account } = client;
    if (account === undefined || filter.includes('+') || filter.includes('#') || filter.startsWith('$share/')) return;
    void this.#retained.get(account.place, filter).then(
      (record) => {
        const { session } = client;
        const subscription = session?.subscriptions.get(filter);
        if (record === undefined || session === undefined || subscription === undefined || client.state !== 'connected') return;
        const topic = account.topic(filter);
        if (!client.permissions.mayReceive(topic)) return;
        const message = retainedMessage(record, topic, this.#clock.now());
        if (message === undefined) return;
        const qos = record.qos & subscription.qos;
        this.#router.sendRetained(session, batchOfOne({ ...message, qos }, this.#clock.now()), qos);
      },
      (error: unknown) => this.#log.error({ err: error }, 'a retained message could not be read'),
    );
  }

  /** From now on `interceptor` too is asked who sees the messages of a topic. */
  addInterceptor(interceptor: MessageInterceptor): void {
    this.#interceptors.push(interceptor);
    this.#accounts.interceptorsChanged();
  }

  #interceptorOf(account: AccountSpace, topic: RoutedTopic): TopicInterceptor | undefined {
    if (topic.interceptorGeneration !== account.interceptorGeneration) {
      topic.interceptor = combineInterceptors(this.#interceptors.flatMap((each) => each.on(account.place, topic.name) ?? []));
      topic.interceptorGeneration = account.interceptorGeneration;
    }
    return topic.interceptor;
  }

  #offer(
    interceptor: TopicInterceptor,
    batch: PublishBatch,
    origin: Origin | undefined,
    waiter: Publisher | undefined,
  ): PendingStorage {
    this.#budget.add(batch.count * interceptor.weight);
    return interceptor.take(batch, origin, waiter);
  }
}
