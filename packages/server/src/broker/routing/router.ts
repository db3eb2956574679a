/** From a batch of messages to the sessions that get them: who they are, in which form, and what has to reach the disk first. */
import type { Clock } from '../../runtime/clock.ts';
import type { Disk } from '../../runtime/disk-room.ts';
import type { Logger } from '../../runtime/log.ts';
import type { AccountSpace } from './account.ts';
import type { Backlog } from '../session/backlog.ts';
import type { QueuedMessages } from '../session/queued-messages.ts';
import type { Reclaimed } from '../session/shared-in-flight.ts';
import { type Congestible, JOURNAL_PENDING, NOTHING_PENDING, PendingStorage, type Publisher } from '../messaging.ts';
import { isOwn, waitForRoom } from './own-session.ts';
import { NO_RECEIVERS, NO_TOPIC, type RoutedTopic } from './routed-topic.ts';
import { NO_PEERS, type PeerNode, type Peers } from './peers.ts';
import type { Receivers, SessionTarget } from './routes.ts';
import { EncodingCache } from '../message/encoding-cache.ts';
import { PublishBatch } from '../message/publish-batch.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from './sessions.ts';
import type { SharedGroup } from '../session/shared-group.ts';
import { IN_MEMORY, type StoragePlace } from '../session/storage-place.ts';
import { decodeStored, encodeStored } from '../message/stored-message.ts';
import type { TopicEntry } from '../message/topic-entry.ts';
import type { DeliveryCounters } from '../session/delivery-counters.ts';
import type { LoopBudget } from './loop-budget.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';

/** Receivers that every topic may remember. */
const FEW_RECEIVERS = 8;

export interface RouterOptions {
  readonly sessions: Sessions;
  readonly counters: DeliveryCounters;
  readonly log: Logger;
  readonly budget: LoopBudget;
  readonly clock: Clock;
  /** Checks on each tick how long publishers have waited for a receiver. */
  readonly watch: (receiver: Pick<Congestible, 'check'>) => void;
  readonly disk: Disk;
  /** Other nodes; none when absent. */
  readonly peers?: Peers;
}

/** Placeholder batch of the pooled encoding cache. */
const NO_BATCH = new PublishBatch(0, NO_TOPIC);

/** Queues, on disk, that a batch of QoS 1 goes to. */
interface QueueTarget {
  readonly backlog: Backlog;
  readonly session: Session | undefined;
}

export class Router {
  readonly #messages: QueuedMessages;
  readonly #sessions: Sessions;
  readonly #counters: DeliveryCounters;
  readonly #log: Logger;
  readonly #budget: LoopBudget;
  readonly #clock: Clock;
  #pooledCache: EncodingCache | undefined;
  readonly #watch: RouterOptions['watch'];
  readonly #disk: Disk;
  /** Shared groups whose queue is being handed out. */
  readonly #draining = new WeakSet<SharedGroup>();
  readonly #peers: Peers;
  #storesBeforeSending = false;

  constructor({ sessions, counters, log, budget, clock, watch, disk, peers = NO_PEERS }: RouterOptions) {
    this.#peers = peers;
    this.#disk = disk;
    this.#clock = clock;
    this.#watch = watch;
    this.#budget = budget;
    this.#messages = sessions.messages;
    this.#sessions = sessions;
    this.#counters = counters;
    this.#log = log;
  }

  /** What `work` delivers goes to a client that has a queue on disk once it is there, and not before. */
  storeBeforeSending(work: () => void): void {
    const before = this.#storesBeforeSending;
    this.#storesBeforeSending = true;
    try {
      work();
    } finally {
      this.#storesBeforeSending = before;
    }
  }

  /**
   * Gives what has to be stored before it is acknowledged. `source` is who published it; `waiter` waits
   * when receivers can't take more: the source, or who made a rule publish it.
   */
  deliver(
    account: AccountSpace,
    batch: PublishBatch<RoutedTopic>,
    source: Publisher | undefined,
    waiter = source,
  ): PendingStorage {
    const { sessions, groups } = this.#receivers(account, batch.topic);
    const nodes = this.#nodes(account, batch.topic);
    const count = sessions.length + groups.length + nodes.length;
    if (count === 0) return NOTHING_PENDING;
    this.#budget.add(count, batch.size);
    // One for all batches that are not delivered in the middle of another one: it would be garbage of every message.
    const encodings = this.#pooledCache?.use(batch) ?? new EncodingCache(batch);
    this.#pooledCache = undefined;
    let queues: QueueTarget[] | undefined;
    for (const { session, delivery, qos: granted, noLocal } of sessions) {
      if (noLocal && isOwn(session, source)) continue;
      const qos = batch.qos & granted;
      if (qos === 0) delivery.sendQos0(encodings.encode(session.level, 0), batch.topic);
      else if (delivery.backlog !== undefined) {
        queues ??= [];
        queues.push({ backlog: delivery.backlog, session });
      } else this.#sendInMemory(session, encodings, batch, IN_MEMORY);
      if (waiter !== undefined && delivery.isCongested) waiter.waitFor(delivery);
    }
    for (const share of groups) {
      const queue = this.#toShare(account, share, batch, encodings, waiter);
      if (queue !== undefined) {
        queues ??= [];
        queues.push(queue);
      }
    }
    const stored = queues !== undefined && this.#enqueue(queues, batch, encodings, waiter);
    this.#pooledCache = encodings.use(NO_BATCH);
    const pending = stored ? JOURNAL_PENDING : NOTHING_PENDING;
    return nodes.length === 0 ? pending : pending.and(this.#sendToNodes(nodes, account, batch, waiter));
  }

  /** Whether a message on the topic would go to anybody, here or on another node. */
  hasReceivers(account: AccountSpace, topic: RoutedTopic): boolean {
    const { sessions, groups } = this.#receivers(account, topic);
    return sessions.length + groups.length > 0 || this.#nodes(account, topic).length > 0;
  }

  /** Whether a message of QoS 1 on the topic has to be stored on this node. */
  mustStore(account: AccountSpace, topic: RoutedTopic): boolean {
    const { sessions, groups } = this.#receivers(account, topic);
    return (
      sessions.some(({ delivery, qos }) => qos === 1 && delivery.backlog !== undefined) ||
      groups.some((share) => share.hasPersistentQos1Member)
    );
  }

  /** A retained message goes to one client, with RETAIN set [MQTT-3.3.1-8]. */
  sendRetained({ delivery, level }: Session, batch: PublishBatch, qos: number): void {
    const encoded = batch.encode(level, qos);
    encoded.bytes[0] = (encoded.bytes[0] as number) | 1;
    if (qos === 0) delivery.sendQos0(encoded, batch.topic);
    else delivery.sendQos1(encoded, batch, IN_MEMORY, false);
  }

  /** Whether the publisher's own session gets messages of the topic by a subscription that is not shared. */
  reaches(account: AccountSpace, topic: RoutedTopic, publisher: Publisher): boolean {
    return this.#receivers(account, topic).sessions.some(({ session }) => isOwn(session, publisher));
  }

  /**
   * Sends messages to the publisher itself, subscribed or not, if it is still connected and may receive them. Where it has
   * subscribed, the QoS is that of the subscription at most [MQTT-3.8.4-8].
   */
  sendToPublisher(account: AccountSpace, publisher: Publisher, batch: PublishBatch<RoutedTopic>): void {
    const session = account.sessions.get(publisher.origin.clientId ?? '');
    if (session === undefined || !isOwn(session, publisher)) return;
    if (session.client?.permissions.mayReceive(batch.topic) !== true) return;
    const own = this.#receivers(account, batch.topic).sessions.find((target) => target.session === session);
    if ((batch.qos & (own?.qos ?? 1)) === 0) session.delivery.sendQos0(batch.encode(session.level, 0), batch.topic);
    else this.#sendInMemory(session, new EncodingCache(batch), batch, IN_MEMORY);
  }

  /** Waits until the publisher's own client takes more; false where it has gone, or takes nothing for too long. */
  hasRoom(account: AccountSpace, publisher: Publisher): boolean | Promise<boolean> {
    const session = account.sessions.get(publisher.origin.clientId ?? '');
    if (session === undefined || !isOwn(session, publisher)) return false;
    return session.delivery.hasCapacity || waitForRoom(session, publisher, this.#clock, this.#watch);
  }

  /** A session's client is there: what waits in its shares goes on. */
  memberCame(account: AccountSpace, session: Session): void {
    for (const filter of session.subscriptions.keys()) {
      if (!filter.startsWith('$share/')) continue;
      const share = account.routes.share(filter);
      if (share?.backlog?.behind) void this.#drain(account, share);
    }
  }

  /** A session has ended: what it has got of shares and not acknowledged goes to another member, or waits for one. */
  sessionEnded(account: AccountSpace, { delivery }: Session): void {
    for (const reclaimed of delivery.reclaim((name) => account.topic(name))) this.#reassign(account, reclaimed);
  }

  /** Subscribers of a topic: looked up anew only after subscriptions or permissions have changed. */
  #receivers(account: AccountSpace, topic: RoutedTopic): Receivers {
    if (topic.routeGeneration !== account.generation) {
      const { sessions, groups } = topic.clientMayReceive ? account.routes.resolve(topic.name) : NO_RECEIVERS;
      const allowed = sessions.filter((target) => mayReceive(target, topic));
      const count = allowed.length + groups.length;
      const receivers = count === 0 ? NO_RECEIVERS : { sessions: allowed, groups };
      if (count > FEW_RECEIVERS && !topic.keepsMany) return receivers;
      topic.receivers = receivers;
      topic.routeGeneration = account.generation;
    }
    return topic.receivers;
  }

  /** Other nodes that want the topic: asked for anew only after that may have changed. */
  #nodes({ place }: AccountSpace, topic: RoutedTopic): readonly PeerNode[] {
    const { generation } = this.#peers;
    if (topic.nodeGeneration !== generation) {
      topic.nodes = this.#peers.wanting(place, topic.name);
      topic.nodeGeneration = generation;
    }
    return topic.nodes;
  }

  /** Sends a batch to other nodes. Gives what these have to store before it is acknowledged. */
  #sendToNodes(
    nodes: readonly PeerNode[],
    { place }: AccountSpace,
    batch: PublishBatch,
    waiter: Publisher | undefined,
  ): PendingStorage {
    const others: Promise<void>[] = [];
    for (const node of nodes) {
      const stored = node.send(place, batch);
      stored?.catch(() => undefined);
      if (stored !== undefined) others.push(stored);
      if (waiter !== undefined && node.isCongested) waiter.waitFor(node);
    }
    return others.length === 0 ? NOTHING_PENDING : new PendingStorage(false, others);
  }

  #sendInMemory(session: Session, encodings: EncodingCache, batch: PublishBatch, place: StoragePlace): void {
    if (session.delivery.sendQos1(encodings.encode(session.level, 1), batch, place, false)) return;
    const { client } = session;
    client?.refuse({ check: 'overload', reason: 'the client does not take its QoS 1 messages and its queue is full' });
    client?.close('THROTTLED', REASON.QUOTA_EXCEEDED);
  }

  /** One member gets it. Gives the queue that it has to be stored in, if one. */
  #toShare(
    account: AccountSpace,
    share: SharedGroup,
    batch: PublishBatch,
    encodings: EncodingCache,
    waiter: Publisher | undefined,
  ): QueueTarget | undefined {
    const { topic } = batch;
    const may = ({ client }: Session): boolean => client?.permissions.mayReceive(topic) ?? false;
    const session = share.pick((member) => member.delivery.hasCapacity && may(member)) ?? share.pick(may);
    if (session === undefined) {
      if (batch.qos === 1 && share.hasPersistentQos1Member) return this.#inQueueOf(account, share);
      this.#counters.dropped['no-receiver'] += batch.count;
      return undefined;
    }
    const { delivery } = session;
    const queue = this.#toMember(share, session, batch, encodings);
    if (waiter !== undefined && delivery.isCongested) waiter.waitFor(delivery);
    return queue;
  }

  #toMember(share: SharedGroup, session: Session, batch: PublishBatch, encodings: EncodingCache): QueueTarget | undefined {
    const { delivery } = session;
    const qos = batch.qos & share.qosOf(session);
    if (qos === 0) delivery.sendQos0(encodings.encode(session.level, 0), batch.topic);
    else if (delivery.backlog !== undefined) return { backlog: delivery.backlog, session };
    else this.#sendInMemory(session, encodings, batch, delivery.assign(share.filter, batch));
    return undefined;
  }

  #inQueueOf(account: AccountSpace, share: SharedGroup): QueueTarget {
    return { backlog: this.#sessions.backlogOf(account, share), session: undefined };
  }

  /** Stores a batch for the queues of persistent sessions and shares, and sends it to those whose client is there. */
  #enqueue(
    queues: readonly QueueTarget[],
    batch: PublishBatch,
    encodings: EncodingCache,
    waiter: Publisher | undefined,
  ): boolean {
    const open = this.#disk.low ? [] : queues.filter(({ backlog }) => !backlog.full);
    if (open.length < queues.length)
      this.#counters.dropped[this.#disk.low ? 'disk-low' : 'queue-full'] += (queues.length - open.length) * batch.count;
    if (open.length === 0) return false;
    const messages = this.#messages;
    const at = messages.next();
    const value = encodeStored(batch);
    const shared = open.length > 1;
    if (shared) messages.putBody(at, value, open.length);
    for (const { backlog, session } of open) {
      if (shared) messages.putShared(backlog.id, at);
      else messages.put(backlog.id, at, value);
      if (session === undefined) backlog.put(at, batch.count, value.length);
      else if (this.#storesBeforeSending) session.delivery.sendStored(batch.count, value.length, at);
      else session.delivery.sendQos1(encodings.encode(session.level, 1), batch, at, shared);
    }
    if (waiter !== undefined && messages.full) waiter.waitForDisk();
    return true;
  }

  /** Sends what waits for a share to connected members with capacity, page by page, until there is no such member or no more. */
  async #drain(account: AccountSpace, share: SharedGroup): Promise<void> {
    if (this.#draining.has(share)) return;
    this.#draining.add(share);
    try {
      for (;;) {
        const { backlog } = share;
        if (backlog === undefined || !backlog.behind) return;
        const page = await backlog.read();
        for (const { at, value, shared } of page) {
          const batch = decodeStored(value, (name) => account.topic(name));
          if (batch !== undefined && !this.#isOver(batch) && !this.#handOver(account, share, batch)) return;
          backlog.discard(at, batch?.count ?? 1, value.length, shared);
        }
      }
    } catch (error) {
      this.#log.error({ err: error, filter: share.filter }, 'the messages of a shared subscription could not be read');
    } finally {
      this.#draining.delete(share);
    }
  }

  /** A batch of the share's own queue goes to a member. False when none is there, or none may have it or has room. */
  #handOver(account: AccountSpace, share: SharedGroup, batch: PublishBatch): boolean {
    const session = this.#memberWithCapacity(share, batch);
    if (session === undefined) {
      this.#drainLater(account, share);
      return false;
    }
    const encodings = new EncodingCache(batch);
    const queue = this.#toMember(share, session, batch, encodings);
    if (queue !== undefined) this.#enqueue([queue], batch, encodings, undefined);
    return true;
  }

  /**
   * A batch that a member has not acknowledged goes to another one. Where none has room it waits on disk: it must not push out
   * a second member after the first.
   */
  #reassign(account: AccountSpace, { filter, batch }: Reclaimed): void {
    const share = account.routes.share(filter);
    if (share === undefined || !share.hasQos1Member) this.#counters.dropped['no-receiver'] += batch.count;
    else if (!this.#isOver(batch)) {
      const session = share.backlog?.behind === true ? undefined : this.#memberWithCapacity(share, batch);
      const encodings = new EncodingCache(batch);
      const queue = session === undefined ? this.#inQueueOf(account, share) : this.#toMember(share, session, batch, encodings);
      if (queue !== undefined) this.#enqueue([queue], batch, encodings, undefined);
      if (session === undefined) void this.#drain(account, share);
    }
  }

  #memberWithCapacity(share: SharedGroup, batch: PublishBatch): Session | undefined {
    return share.pick(({ client, delivery }) => delivery.hasCapacity && client?.permissions.mayReceive(batch.topic) === true);
  }

  /** Goes on with the share's queue once a member that is there has taken some of what it has. */
  #drainLater(account: AccountSpace, share: SharedGroup): void {
    const delivery = share.pick((member) => !member.delivery.hasCapacity)?.delivery;
    if (delivery === undefined) return;
    delivery.wait({ resumeReading: () => void this.#drain(account, share) }, this.#clock.monotonic());
    this.#watch(delivery);
  }

  /** Whether the messages of a batch that has waited have expired. */
  #isOver({ expiresAt, count }: PublishBatch): boolean {
    if (expiresAt === undefined || expiresAt > this.#clock.now()) return false;
    this.#counters.dropped.expired += count;
    return true;
  }
}

/** Whether a client that is there may have the topic; who is away is asked when it comes back. */
const mayReceive = ({ session }: SessionTarget, topic: TopicEntry): boolean =>
  session.client?.permissions.mayReceive(topic) ?? true;
