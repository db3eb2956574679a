/**
 * The message broker: clients, sessions, delivery, wills. It knows no sockets (a channel is handed in), no certificates and
 * no policies (a judge is handed in), and no clock but the one it is given.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Disk } from '../runtime/disk-room.ts';
import type { Clock } from '../runtime/clock.ts';
import { Standstill } from '../runtime/standstill.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import type { AccountSpace } from './routing/account.ts';
import { AccountSpaces, type AccountOptions } from './routing/account-spaces.ts';
import { Client } from './connection/client.ts';
import type { LostConnection } from './connection/connection-record.ts';
import { ConnectionRegister } from './connection/connection-register.ts';
import type { Channel, ConnectRefusal, DisconnectReason, Judge, Peer } from './contract.ts';
import type { BrokerCounters } from './connection/counters.ts';
import { PacketDecoder } from './connection/packet-decoder.ts';
import { Journal } from './session/journal.ts';
import type { BrokerListener } from './connection/listener.ts';
import { type Message, batchOfOne } from './message/message.ts';
import { Flusher } from './connection/output.ts';
import { RateLimitQueue } from './session/rate-limit-queue.ts';
import { type Retained, retainedMessage } from './routing/retained.ts';
import { Router } from './routing/router.ts';
import type { PublishBatch } from './message/publish-batch.ts';
import type { Reading } from './connection/reading.ts';
import type { ClientState, Session } from './session/session.ts';
import { Sessions } from './routing/sessions.ts';
import type { Origin } from './message/origin.ts';
import type { Congestible, Publisher } from './message/publisher.ts';
import { combineInterceptors, type MessageInterceptor, type TopicInterceptor } from './message/interceptor.ts';
import type { RoutedTopic } from './routing/routed-topic.ts';
import { LoopBudget } from './routing/loop-budget.ts';
import type { BrokerServices } from './connection/services.ts';
import { Wills, type WillServices } from './connection/wills.ts';

export interface BrokerOptions extends AccountOptions {
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly retained: Retained;
  /** Where sessions and their messages are kept. */
  readonly store: Store;
  /** Whether the disk has room for more of them; it always has when absent. */
  readonly disk?: Disk;
}

const decoderOf = (client: Client): PacketDecoder => new PacketDecoder(client);

/** Seconds that a peer has for its CONNECT. */
const CONNECT_DEADLINE = 10;

export class Broker implements BrokerServices<Client>, WillServices {
  readonly clock: Clock;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly flusher = new Flusher();
  readonly budget: LoopBudget;
  readonly rateLimited = new RateLimitQueue();
  readonly counters: BrokerCounters = { received: 0, sent: 0, dropped: 0, connects: 0, throttled: 0 };
  readonly journal: Journal;
  readonly sessions: Sessions;
  readonly register: ConnectionRegister;
  readonly wills: Wills;
  readonly retained: Retained;
  readonly disk: Disk;
  readonly standstill: Standstill;
  /** Monotonic ms, as of the last tick: exact enough for deadlines of seconds, and free on the hot path. */
  now: number;
  readonly #accounts: AccountSpaces;
  readonly #router: Router;
  readonly #clients = new Set<Client>();
  readonly #byCertificate = new Map<string, Set<Client>>();
  readonly #watched = new Set<Congestible>();
  #paused: Reading[] = [];
  readonly #listeners = new Set<BrokerListener>();
  readonly #interceptors: MessageInterceptor[] = [];
  #closing = false;

  constructor(options: BrokerOptions) {
    const { clock, log, refuse, retained, store } = options;
    this.#accounts = new AccountSpaces(options);
    this.clock = clock;
    this.log = log;
    this.refuse = refuse;
    this.retained = retained;
    this.disk = options.disk ?? { low: false };
    this.standstill = new Standstill(clock);
    this.now = clock.monotonic();
    this.budget = new LoopBudget(clock);
    this.journal = new Journal(store, log);
    this.register = new ConnectionRegister({ store, journal: this.journal, clock });
    this.wills = new Wills(this);
    this.sessions = new Sessions({
      store,
      journal: this.journal,
      clock,
      log,
      counters: this.counters,
      account: (accountId, inRegion) => this.account(accountId, inRegion),
      onEnd: (session, account) => {
        this.#router.sessionEnded(account, session);
        this.wills.sessionEnded(session);
      },
    });
    this.#router = new Router({
      journal: this.journal,
      sessions: this.sessions,
      counters: this.counters,
      budget: this.budget,
      clock,
      log,
      watch: this.watch.bind(this),
      disk: this.disk,
    });
  }

  get connections(): number {
    return this.#clients.size;
  }

  /** Finds persistent sessions and lost connections again; to be awaited before the first connection. */
  async load(): Promise<void> {
    await this.sessions.load();
    await this.register.load();
  }

  /** A connection that was there when an earlier run of the server died has ended. */
  connectionLost(connection: LostConnection): void {
    for (const listener of this.#listeners) listener.connectionLost?.(connection);
  }

  /** A peer has come, with the judge of its CONNECT; the gateway hands its bytes to the client from now on. */
  accept(channel: Channel, peer: Peer, judge: Judge): Client {
    const client = new Client(this, channel, peer, judge, decoderOf);
    this.#clients.add(client);
    if (this.#closing) client.close('SERVER_INITIATED_DISCONNECT');
    return client;
  }

  /** The topics and clients of an account in a region. */
  account(accountId: string, region?: string): AccountSpace {
    return this.#accounts.of(accountId, region);
  }

  /** The connection of a client id: admitted, or connected. */
  clientOf(account: AccountSpace, clientId: string): Client | undefined {
    const client = account.clients.get(clientId);
    return client instanceof Client ? client : undefined;
  }

  /** A client was admitted; a connection of the same client id makes way for it [MQTT-3.1.4-2]. */
  takeOver(client: Client, account: AccountSpace): void {
    account.clients.get(client.clientId)?.close('DUPLICATE_CLIENTID', REASON.SESSION_TAKEN_OVER);
    account.clients.set(client.clientId, client);
  }

  /** A client has its session, and its CONNACK is on the way. */
  connected(client: Client, session: Session): void {
    const { certificateId } = client.identity.peer;
    if (certificateId !== undefined) {
      const known = this.#byCertificate.get(certificateId);
      if (known === undefined) this.#byCertificate.set(certificateId, new Set([client]));
      else known.add(client);
    }
    this.counters.connects += 1;
    this.wills.cancel(session);
    if (client.account !== undefined) this.#router.memberCame(client.account, session);
    for (const listener of this.#listeners) listener.connected?.(client);
  }

  /** A CONNECT was refused for what its sender may do. */
  connectFailed(client: Client, refusal: ConnectRefusal): void {
    for (const listener of this.#listeners) listener.connectFailed?.(client, refusal);
  }

  closed(client: Client, was: ClientState, why: DisconnectReason): void {
    this.#clients.delete(client);
    const { account, session } = client;
    if (account?.clients.get(client.clientId) === client) account.clients.delete(client.clientId);
    if (session !== undefined) this.sessions.leave(session, client, why);
    if (account !== undefined) this.register.leave(client, account.place);
    if (was !== 'connected' || account === undefined) return;
    const { certificateId = '' } = client.identity.peer;
    const same = this.#byCertificate.get(certificateId);
    same?.delete(client);
    if (same?.size === 0) this.#byCertificate.delete(certificateId);
    this.storeBeforeSending(() => {
      if (why !== 'CLIENT_INITIATED_DISCONNECT') this.wills.onUngracefulClose(client);
      for (const listener of this.#listeners) listener.disconnected?.(client, why);
    });
  }

  /**
   * What `work` publishes goes to clients with a queue on disk only once it is there: a message that they had before, and the
   * disk never, would come again after a death of the process.
   */
  storeBeforeSending(work: () => void): void {
    this.#router.storeBeforeSending(work);
  }

  /** Certificates of live connections, of wills that are still to come, and of sessions whose client is away. */
  get certificates(): Set<string> {
    return new Set([...this.#byCertificate.keys(), ...this.wills.certificates(), ...this.sessions.certificates]);
  }

  /** Live connections of a certificate, and those that have ended but whose will is still to come. */
  clientsOf(certificateId: string): Iterable<Client> {
    return [...(this.#byCertificate.get(certificateId) ?? []), ...this.wills.clientsOf(certificateId)];
  }

  /** The client's subscriptions were changed by one packet. */
  subscribed(client: Client, filters: readonly string[]): void {
    const { account, session } = client;
    if (account !== undefined && session !== undefined) this.#router.memberCame(account, session);
    for (const listener of this.#listeners) listener.subscribed?.(client, filters);
  }

  unsubscribed(client: Client, filters: readonly string[]): void {
    for (const listener of this.#listeners) listener.unsubscribed?.(client, filters);
  }

  /** Sends the messages of a batch to all who may have them. Says whether some have to reach the disk before they are acknowledged. */
  deliver(account: AccountSpace, batch: PublishBatch<RoutedTopic>, source: Publisher | undefined): boolean {
    const stored = this.#router.deliver(account, batch, source);
    const interceptor = this.#interceptorOf(account, batch.topic);
    if (interceptor === undefined) return stored;
    return this.#tell(interceptor, batch, source?.origin, source) || stored;
  }

  /**
   * Publishes what a rule makes of a message. The publisher of that message waits when receivers can't take more; No
   * Local does not apply to it.
   */
  deliverFromRule(
    account: AccountSpace,
    batch: PublishBatch<RoutedTopic>,
    origin: Origin,
    waiter: Publisher | undefined,
  ): boolean {
    const stored = this.#router.deliver(account, batch, undefined, waiter);
    const interceptor = this.#interceptorOf(account, batch.topic);
    if (interceptor === undefined) return stored;
    return this.#tell(interceptor, batch, origin, waiter) || stored;
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
    const batch = batchOfOne(message, this.clock.now());
    const stored =
      origin === undefined ? this.deliver(account, batch, source) : this.deliverFromRule(account, batch, origin, source);
    if (!message.retain) return stored ? this.journal.committed() : undefined;
    const retained = this.retained.keep(account.place, message, this.clock.now());
    return stored ? Promise.all([this.journal.committed(), retained]).then(() => undefined) : retained;
  }

  /** Whether a message on the topic would go to anybody, or be seen by a rule. */
  hasReceivers({ accountId, region }: Place, topic: string): boolean {
    const account = this.account(accountId, region);
    const { targets, shares } = account.routes.resolve(topic);
    return targets.length > 0 || shares.length > 0 || this.#interceptors.some((each) => each.on(account.place, topic));
  }

  /** Whether a message of QoS 1 on the topic has to be stored: for a persistent session, a share, or, if asked, a rule. */
  mustStore(account: AccountSpace, topic: RoutedTopic, rules: boolean): boolean {
    return this.#router.mustStore(account, topic) || (rules && this.#interceptorOf(account, topic) !== undefined);
  }

  /** Publishes a message of the server's own. */
  publishEvent({ accountId, region }: Place, topic: string, payload: Buffer, qos: 0 | 1 = 0): void {
    const account = this.account(accountId, region);
    // Lifecycle events have a topic for each client: remembered, they would push out those that messages come on.
    const entry = qos === 1 ? account.transientTopic(topic) : account.topic(topic);
    this.deliver(account, batchOfOne({ topic: entry, payload, qos, retain: false }, 0), undefined);
  }

  /** Sends the retained message of a topic to a client that has just subscribed to exactly it. */
  sendRetained(client: Client, filter: string): void {
    const { account } = client;
    if (account === undefined || filter.includes('+') || filter.includes('#') || filter.startsWith('$share/')) return;
    void this.retained.get(account.place, filter).then(
      (record) => {
        const { session } = client;
        const subscription = session?.subscriptions.get(filter);
        if (record === undefined || session === undefined || subscription === undefined || client.state !== 'connected') return;
        const topic = account.topic(filter);
        if (!client.permissions.mayReceive(topic)) return;
        const message = retainedMessage(record, topic, this.clock.now());
        if (message === undefined) return;
        const qos = record.qos & subscription.qos;
        this.#router.sendRetained(session, batchOfOne({ ...message, qos }, this.clock.now()), qos);
      },
      (error: unknown) => this.log.error({ err: error }, 'a retained message could not be read'),
    );
  }

  /** From now on `interceptor` too is asked who sees the messages of a topic. */
  addInterceptor(interceptor: MessageInterceptor): void {
    this.#interceptors.push(interceptor);
    this.#accounts.interceptorsChanged();
  }

  /** Interceptors of an account's topics have changed. */
  interceptorsChanged({ accountId, region }: Place): void {
    this.account(accountId, region).interceptorsChanged();
  }

  /** Begins to tell of connections and subscriptions. */
  listen(listener: BrokerListener): void {
    this.#listeners.add(listener);
  }

  /** Publishers wait for this receiver: it is checked at the next ticks. */
  watch(receiver: Congestible): void {
    this.#watched.add(receiver);
  }

  /** A client is not read from before the next tick. */
  pauseUntilNextTick(reading: Reading): void {
    this.#paused.push(reading);
  }

  /** Keeps time: called a few times a second. */
  tick(): void {
    this.now = this.clock.monotonic();
    const paused = this.#paused;
    this.#paused = [];
    for (const reading of paused) reading.resumeAfterRefusals();
    this.rateLimited.tick();
    if (!this.standstill.mayJudge()) return;
    for (const receiver of this.#watched) if (receiver.check(this.now) === 'done') this.#watched.delete(receiver);
  }

  /**
   * Closes clients that have been silent for too long, ends what has expired: called about once a second. After a standstill what
   * waits in the sockets is read first; rights are judged whenever it is their time.
   */
  sweep(): void {
    this.now = this.clock.monotonic();
    const judges = this.standstill.mayJudge();
    for (const client of this.#clients) {
      if (client.state === 'connected') this.#look(client, judges);
      else if (judges && client.state === 'awaiting-connect' && this.now - client.reading.since > CONNECT_DEADLINE * 1000) {
        client.refuse({ check: 'protocol', reason: `no CONNECT within ${CONNECT_DEADLINE} seconds` });
        client.close('CONNECTION_LOST');
      }
    }
    this.register.sweep();
    if (!judges) return;
    this.wills.sweep(this.now);
    this.sessions.sweep(this.now);
  }

  /** Disconnects all clients; new connections are refused. Resolves once what has to be stored is on disk. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const client of [...this.#clients]) client.close('SERVER_INITIATED_DISCONNECT', REASON.SERVER_SHUTTING_DOWN);
    await this.wills.publishAll();
    await this.journal.committed().catch(() => undefined);
  }

  #interceptorOf(account: AccountSpace, topic: RoutedTopic): TopicInterceptor | undefined {
    if (topic.interceptorGeneration !== account.interceptorGeneration) {
      topic.interceptor = combineInterceptors(this.#interceptors.flatMap((each) => each.on(account.place, topic.name) ?? []));
      topic.interceptorGeneration = account.interceptorGeneration;
    }
    return topic.interceptor;
  }

  #tell(interceptor: TopicInterceptor, batch: PublishBatch, origin: Origin | undefined, waiter: Publisher | undefined): boolean {
    this.budget.add(batch.count * interceptor.weight);
    return interceptor.take(batch, origin, waiter);
  }

  #look(client: Client, judges: boolean): void {
    client.permissions.refresh();
    if (judges) client.session?.delivery.redeliver(this.now);
    if (judges && client.reading.isSilent(this.now)) client.close('MQTT_KEEP_ALIVE_TIMEOUT', REASON.KEEP_ALIVE_TIMEOUT);
    else client.permissions.check(this.now);
  }
}
