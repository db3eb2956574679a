/** What a connection and the handlers of its packets use of the broker, and of the decoder of its bytes. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { ReservedService } from '@thingkeep/wire/reserved-services.ts';
import type { Will } from '../../mqtt/connect.ts';
import type { Refusal } from '../../refusals/refusals.ts';
import type { RepeatLimiter } from '../../runtime/repeat-limiter.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Disk } from '../../runtime/disk-room.ts';
import type { Logger } from '../../runtime/log.ts';
import type { AccountSpace } from '../routing/account.ts';
import type { ConnectRefusal, DisconnectReason } from '../contract.ts';
import type { BrokerCounters } from './counters.ts';
import type { Journal } from '../../store/journal.ts';
import type { Message } from '../message/message.ts';
import type { Flusher } from './output.ts';
import type { Reading } from './reading.ts';
import type { RateLimitQueue } from '../session/rate-limit-queue.ts';
import type { Congestible, PendingStorage, Publisher } from '../messaging.ts';
import type { RoutedTopic } from '../routing/routed-topic.ts';
import type { PublishBatch } from '../message/publish-batch.ts';
import type { ClientState, Session } from '../session/session.ts';
import type { Sessions } from '../routing/sessions.ts';
import type { LoopBudget } from '../routing/loop-budget.ts';

export interface ClientRepeats {
  /** Take-overs, by client id. */
  readonly takeOver: RepeatLimiter;
  /** Topics of services that are not there, by client and service. */
  readonly unserved: RepeatLimiter;
}

/** Takes the bytes of a connection, and handles the packets in them. */
export interface PacketSink {
  receive(chunk: Buffer): void;
  /** CONNECT was accepted: goes on with what came behind it. */
  resume(): void;
  /** Handles what was put off for another turn of the event loop. */
  readDeferred(): void;
}

/** The parameter is the class of connections, which stands on this interface. */
export interface BrokerServices<Connection> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly flusher: Flusher;
  readonly budget: LoopBudget;
  readonly rateLimited: RateLimitQueue;
  readonly counters: BrokerCounters;
  readonly journal: Journal;
  readonly sessions: Sessions;
  readonly disk: Disk;
  /** Monotonic ms, as of the last tick. */
  readonly now: number;
  readonly register: { enter(client: Connection, place: Place): void };
  readonly claims: { claim(client: Connection, account: AccountSpace): Promise<void> | undefined };
  readonly wills: { fits(will: Will | undefined): boolean };
  /** Why bytes that begin no CONNECT are refused. */
  firstPacketFault(bytes: Buffer): string;
  /** Refusals that a client would leave again and again. */
  readonly repeats: ClientRepeats;
  refuse(refusal: Refusal): void;
  account(accountId: string, region?: string): AccountSpace;
  /** Whether requests on the topics of a service of AWS IoT are answered. */
  isServed(service: ReservedService): boolean;

  /** What becomes of a connection, step by step. */
  connected(client: Connection, session: Session): void;
  connectFailed(client: Connection, refusal: ConnectRefusal): void;
  subscribed(client: Connection, filters: readonly string[]): void;
  unsubscribed(client: Connection, filters: readonly string[]): void;
  closed(client: Connection, was: ClientState, why: DisconnectReason): void;

  /** Delays of what it sends. */
  pauseUntilNextTick(reading: Reading): void;
  watch(receiver: Congestible): void;

  /** Messages. */
  deliver(account: AccountSpace, batch: PublishBatch<RoutedTopic>, source: Publisher | undefined): PendingStorage;
  publishMessage(account: AccountSpace, message: Message<RoutedTopic>, source?: Publisher): Promise<void> | undefined;
  mustStore(account: AccountSpace, topic: RoutedTopic, rules: boolean): boolean;
  sendRetained(client: Connection, filter: string): void;
}
