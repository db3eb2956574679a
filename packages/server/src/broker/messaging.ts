/**
 * The contract by which the rest of the server uses messaging: a domain publishes, sees messages beside their subscribers
 * and hears of connections by it, and imports no other file of the broker.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { TopicFault } from '@thingkeep/wire/topics.ts';
import type { Properties } from '../mqtt/properties.ts';
import type { Row, RowKey, Rows } from '../store/contract.ts';

/** Where a message came from, as far as it is known. */
export interface Origin {
  /** Absent unless it came over MQTT. */
  readonly clientId?: string;
  /** As rules name it: a certificate's id, or what another identity has. */
  readonly principal?: string;
  readonly sourceIp?: string;
  /** Set for a will: what rules do with it is on disk with the end of its connection, whatever its QoS. */
  readonly isWill?: boolean;
  /** Set when a rule sent it: how many rules are behind it, and how many messages they may still make of the first one. */
  readonly chain?: { readonly depth: number; readonly budget: { left: number } };
}

/** Goes on when what it waited for has room again. */
export interface Waiter {
  resumeReading(): void;
}

/** A receiver that publishers may have to wait for. */
export interface Congestible {
  /** Calls `resumeReading` of the waiter once there is room, or once it has been waited for long enough. */
  wait(waiter: Waiter, now: number): void;
  /** Gives up waiting when it stays full: called with each tick, in monotonic milliseconds, until no publisher waits any more. */
  check(now: number): 'waiting' | 'done';
}

/** A publisher as routing and rules know it: it is made to wait when it sends more than receivers take. */
export interface Publisher extends Waiter {
  /** What rules may know of where its messages come from. */
  readonly origin: Origin;
  /** Stops reading until the receiver has room. */
  waitFor(receiver: Congestible): void;
  /** Stops reading until what was sent is on disk. */
  waitForDisk(): void;
  /** Stops reading until as many calls of `resumeReading` have come. */
  pauseReading(): void;
}

/**
 * What has to be stored before messages are acknowledged: what the journal commits next, and what others store, each with
 * a promise. Where such a promise is made its rejection is caught, so that a publisher who waits for nothing may drop it.
 */
export class PendingStorage {
  readonly journal: boolean;
  readonly others: readonly Promise<void>[];

  constructor(journal: boolean, others: readonly Promise<void>[]) {
    this.journal = journal;
    this.others = others;
  }

  /** What this and another have pending together. */
  and(more: PendingStorage): PendingStorage {
    if (more === this || more === NOTHING_PENDING) return this;
    if (this === NOTHING_PENDING) return more;
    return new PendingStorage(this.journal || more.journal, [...this.others, ...more.others]);
  }
}

/** Nothing has to be stored: the messages may be acknowledged at once. */
export const NOTHING_PENDING = new PendingStorage(false, []);
/** The journal's next commit has to be on disk. */
export const JOURNAL_PENDING = new PendingStorage(true, []);

/** Messages of one topic as an interceptor sees them: in a buffer that is the publisher's own again afterwards. */
export interface MessageBatch {
  readonly bytes: Buffer;
  readonly count: number;
  readonly qos: number;
  /** Where each message begins in `bytes`; one more entry tells where the last one ends. */
  readonly at: Int32Array;
  /** Where the payload of a message begins. */
  payloadAt(i: number): number;
  /** The MQTT 5 properties of a message with their length; undefined for one of MQTT 3. */
  propertiesOf(i: number): Buffer | undefined;
}

/** An interceptor of the messages of one topic. */
export interface TopicInterceptor {
  /** Work that one message means, in visits of receivers (see `LoopBudget`). */
  readonly weight: number;
  /**
   * Sees the messages of a batch, whose bytes are the caller's again when it returns. Gives what has to be stored before the
   * messages are acknowledged. `waiter` is made to wait when receivers of what it publishes can't take more.
   */
  take(batch: MessageBatch, origin: Origin | undefined, waiter: Publisher | undefined): PendingStorage;
}

/** A part that sees messages beside the subscribers, topic by topic: the rules of an account. */
export interface MessageInterceptor {
  /** The interceptor of a topic; undefined for most. Asked for once per topic, until the account's interceptors change. */
  on(place: Place, topic: string): TopicInterceptor | undefined;
}

/** One topic of an account, as a part that publishes on it has to know it. */
export interface TopicFacts {
  readonly name: string;
  readonly arn: string;
  /** Undefined when it is a valid topic. */
  readonly fault: TopicFault | undefined;
  /** Whether any client may publish on it, whatever its policy says. */
  readonly clientMayPublish: boolean;
}

/** Messages that are gathered and then published together: messages on one topic leave as one batch. */
export interface OutgoingMessages {
  topic(name: string): TopicFacts;
  put(topic: TopicFacts, qos: number, payload: Buffer, properties?: Properties): void;
  /**
   * Publishes all of them. Gives what has to be stored before what caused them is acknowledged. `waiter`, the publisher of
   * what caused them, waits when receivers can't take more; No Local does not apply to it.
   */
  send(origin: Origin, waiter: Publisher | undefined): PendingStorage;
}

/** A connection as its events show it. */
export interface ConnectionInfo {
  readonly place: Place;
  readonly clientId: string;
  readonly sessionIdentifier: string;
  /** As presence events name the principal. */
  readonly principalId: string;
  readonly thingName: string | undefined;
  /** Unknown for a connection of an earlier run of the server. */
  readonly sourceIp: string | undefined;
  /** Number of its presence events; undefined for one that was not let in. */
  readonly version: number | undefined;
  /** Set for a client that is let in for a while, under a client id that says nothing of what it is. */
  readonly isGuest?: true | undefined;
}

/** A listener of connections and subscriptions. */
export interface ConnectionListener {
  connected(connection: ConnectionInfo): void;
  /** `why` is AWS's word for the end of a connection; `byPacket` says whether the client has sent DISCONNECT. */
  disconnected(connection: ConnectionInfo, why: string, byPacket: boolean): void;
  /** A CONNECT was refused for what its sender may do. */
  connectFailed(connection: ConnectionInfo): void;
  subscribed(connection: ConnectionInfo, filters: readonly string[]): void;
  unsubscribed(connection: ConnectionInfo, filters: readonly string[]): void;
}

/** Names of the parts of a pattern: `thingName` of `$aws/things/{thingName}/shadow/get`. */
export type PartNames<Pattern extends string> = Pattern extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PartNames<Rest>
  : never;

/** A message on a reserved topic that a service serves. */
export interface TopicRequest<Parts extends string = string> {
  /** Account and region of the requester: what is asked is asked of this place alone. */
  readonly place: Place;
  readonly topic: string;
  /** The topic's named parts. */
  readonly parts: Readonly<Record<Parts, string>>;
  readonly payload: Buffer;
  readonly qos: number;
  /** MQTT 5 properties; undefined of a message of MQTT 3. */
  readonly properties: Properties | undefined;
  /** Who has sent it: a client, a caller of the API, or a rule. */
  readonly requester: Origin;
}

/**
 * One answer to a request. To `subscribers` it is a message as any other, which rules see too: shadows (page
 * device-shadow-mqtt). To the `requester` it goes on the requesting connection alone, subscribed or not: jobs, streams,
 * commands (page reserved-topics), and fleet provisioning, whose answers have private keys in them (page fleet-provision-api).
 * To `both` it goes to the subscribers, and once to the requester in any case. The requester must be allowed to receive it; a
 * connection that has ended gets nothing, nor does a requester that had none.
 */
export interface TopicAnswer {
  readonly topic: string;
  readonly payload: Buffer;
  readonly to: 'requester' | 'subscribers' | 'both';
  /** That of the request when absent: AWS does not say. */
  readonly qos?: 0 | 1;
  readonly properties?: Properties;
}

/** Publishes an answer at once, for a service whose answers have an order; the request is acknowledged once it is stored. */
export type PublishAnswer = (answer: TopicAnswer) => void;

type Serve<Parts extends string = string> = (
  request: TopicRequest<Parts>,
  publish: PublishAnswer,
) => TopicAnswers | Promise<TopicAnswers>;

/**
 * A service on reserved topics, as a row. Which topics clients may publish requests on is in the table of reserved topics
 * of wire; a client needs `iot:Publish` on the request's topic and no other permission (pages device-shadow-mqtt,
 * jobs-mqtt-api), so a row has neither direction nor action.
 */
export interface TopicService {
  /** The request's topic, with named parts in braces. */
  readonly pattern: string;
  /**
   * Answers, refusals of its own among them, once what the request changes is stored. A request of QoS 1 is acknowledged
   * after that. When it fails instead, nothing is answered, and a client that waits for a PUBACK is disconnected without
   * one: it sends the request again. What the service waits for has a deadline of its own.
   */
  readonly serve: Serve;
}

/**
 * Answers to one request. Many or large ones are made one by one: each is asked for once the requesting connection takes more,
 * and the rest is left out where it does not for a while.
 */
export type TopicAnswers = readonly TopicAnswer[] | AsyncIterable<TopicAnswer>;

/** A service whose requests have the parts of its pattern by name. */
export const topicService = <Pattern extends string>(pattern: Pattern, serve: Serve<PartNames<Pattern>>): TopicService => ({
  pattern,
  serve,
});

/** Rows of other domains that are stored in the commit of the messages of this turn. */
export interface MessageJournal {
  putRow(of: Rows, row: Row): void;
  deleteRow(of: Rows, key: RowKey): void;
  /** Resolves once all that came before is on disk; rejects when it could not be put there. */
  committed(): Promise<void>;
}

export interface Messaging {
  readonly journal: MessageJournal;
  /** Publishes a message of the server's own, QoS 0 when not said. Gives what has to be stored of it. */
  publish(place: Place, topic: string, payload: Buffer, qos?: 0 | 1, properties?: Properties): PendingStorage;
  /** Resolves once what is pending is stored, rejects when it can't be; undefined where nothing is pending. */
  stored(pending: PendingStorage): Promise<void> | undefined;
  /** Whether a message on the topic would go to anybody, or be seen by an interceptor. */
  hasReceivers(place: Place, topic: string): boolean;
  /** Begins to gather messages in an account. */
  outgoing(place: Place): OutgoingMessages;
  /** From now on `interceptor` too is asked who sees the messages of a topic. */
  addInterceptor(interceptor: MessageInterceptor): void;
  /** Interceptors of an account's topics have changed. */
  interceptorsChanged(place: Place): void;
  /** Serves requests on reserved topics from now on. Two services that could get the same topic are a fault. */
  serve(services: readonly TopicService[]): void;
  /** Begins to tell of connections and subscriptions. */
  onConnections(listener: ConnectionListener): void;
}
