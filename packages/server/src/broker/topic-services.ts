/**
 * Requests on reserved topics and their answers. A service is found when a topic is first seen, as an interceptor is, so that
 * a message that is no request costs nothing. How a request is served is in docs/flows/topic-request.md.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { filtersOverlap } from '@thingkeep/wire/topics.ts';
import { Cursor, ownCopy } from '../mqtt/cursor.ts';
import { readProperties } from '../mqtt/properties.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { zeroCounters } from '../runtime/zero-counters.ts';
import { TurnBudget } from '../runtime/turn-budget.ts';
import type { BrokerCounters } from './connection/counters.ts';
import { TOPIC_REQUEST_RESULTS, type TopicRequestResult } from './contract.ts';
import {
  type MessageBatch,
  type MessageInterceptor,
  NOTHING_PENDING,
  type Origin,
  PendingStorage,
  type Publisher,
  type TopicAnswer,
  type TopicInterceptor,
  type TopicRequest,
  type TopicService,
} from './messaging.ts';
import { TooManyRequests } from './message/too-many-requests.ts';
import { RequestQueue } from './request-queue.ts';
import { TopicPattern } from './topic-pattern.ts';

export interface TopicServicesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly counters: Pick<BrokerCounters, 'throttled' | 'topicRequests'>;
  /** Publishes an answer; resolves once what must be stored of it is, undefined when there is nothing to wait for. */
  readonly answer: (request: TopicRequest, answer: TopicAnswer, requester: Publisher | undefined) => Promise<void> | undefined;
  /** Waits for room at the requesting connection; false where it has gone, or takes nothing for too long. */
  readonly hasRoom: (request: TopicRequest, requester: Publisher) => boolean | Promise<boolean>;
}

/** Two services could get the same topic, or a service is on topics that no client may publish on. */
export class TopicServiceFault extends Error {
  override readonly name = 'TopicServiceFault';
}

/** Work that one request means at once, in visits of receivers. */
const WEIGHT = 20;
/** Answers that are made one by one in a turn of the event loop, for all accounts, and bytes of one that count as another. */
const ANSWERS_PER_TURN = 64;
const BYTES_PER_ANSWER = 4096;
/** Milliseconds between two recorded refusals of one account. */
const RECORD_EVERY = 10_000;
/** Bytes of memory that a request takes beside its payload. */
const OVERHEAD = 1024;

/** A failure of the call as one of its promise. */
function attempt(call: () => Promise<void> | undefined): Promise<void> | undefined {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}

type Mutable<T, K extends keyof T> = Omit<T, K> & { -readonly [P in K]: T[P] };

interface ServiceRow {
  readonly pattern: TopicPattern;
  readonly service: TopicService;
  readonly counts: Record<TopicRequestResult, number>;
}

/** Whether an answer says no: the topics of all services that reject have the level. */
const isRejection = ({ topic }: TopicAnswer): boolean => /\/rejected(\/|$)/.test(topic);

export class TopicServices implements MessageInterceptor {
  readonly #options: TopicServicesOptions;
  readonly #rows: ServiceRow[] = [];
  readonly #turns = new TurnBudget(ANSWERS_PER_TURN);
  /** By region and account. */
  readonly #queues = new Map<string, RequestQueue>();

  constructor(options: TopicServicesOptions) {
    this.#options = options;
  }

  add(services: readonly TopicService[]): void {
    for (const service of services) {
      const pattern = new TopicPattern(service.pattern);
      const twin = this.#rows.find((row) => row.pattern.overlaps(pattern));
      if (twin !== undefined)
        throw new TopicServiceFault(`two services could get a topic of ${pattern.text} and ${twin.pattern.text}`);
      if (!pattern.isForRequests)
        throw new TopicServiceFault(
          `clients may not publish on ${pattern.text}: RESERVED_TOPICS of packages/wire/src/topics.ts has no row for requests on it`,
        );
      const counts = zeroCounters(TOPIC_REQUEST_RESULTS);
      this.#options.counters.topicRequests.set(pattern.filter, counts);
      this.#rows.push({ pattern, service, counts });
    }
  }

  /** Whether any service gets topics of these filters. */
  serves(filters: readonly string[]): boolean {
    return this.#rows.some(({ pattern }) => filters.some((filter) => filtersOverlap(pattern.filter, filter)));
  }

  on(place: Place, topic: string): TopicInterceptor | undefined {
    if (this.#rows.length === 0 || !topic.startsWith('$')) return undefined;
    const levels = topic.split('/');
    for (const row of this.#rows) {
      const parts = row.pattern.match(levels);
      if (parts === undefined) continue;
      const asked = { place, topic, parts };
      return { weight: WEIGHT, take: (batch, origin, waiter) => this.#take(row, asked, batch, origin, waiter) };
    }
    return undefined;
  }

  #take(
    row: ServiceRow,
    asked: Pick<TopicRequest, 'place' | 'topic' | 'parts'>,
    batch: MessageBatch,
    origin: Origin | undefined,
    waiter: Publisher | undefined,
  ): PendingStorage {
    // A will on a reserved topic reaches subscribers and rules and is no request (page device-shadow-comms-app, of shadows; for
    // other services AWS does not say).
    if (origin?.isWill === true) return NOTHING_PENDING;
    // The publisher of a message that a rule makes is the rule: no answer goes to the client that has set it off.
    const requester = waiter !== undefined && waiter.origin === origin ? waiter : undefined;
    const served: Promise<void>[] = [];
    for (let i = 0; i < batch.count; i += 1) {
      const properties = batch.propertiesOf(i);
      const request: Mutable<TopicRequest, 'payload'> = {
        ...asked,
        payload: Buffer.from(batch.bytes.subarray(batch.payloadAt(i), batch.at[i + 1])),
        qos: batch.qos,
        properties:
          properties === undefined ? undefined : readProperties(new Cursor(properties, 0, properties.length), 'PUBLISH'),
        requester: origin ?? {},
      };
      const done = this.#accept(row, request, requester, waiter);
      // A failure has been logged or recorded; a publisher of QoS 0 does not wait to hear of it.
      done.catch(() => undefined);
      served.push(done);
    }
    return batch.qos === 0 ? NOTHING_PENDING : new PendingStorage(false, served);
  }

  #accept(
    row: ServiceRow,
    request: Mutable<TopicRequest, 'payload'>,
    requester: Publisher | undefined,
    waiter: Publisher | undefined,
  ): Promise<void> {
    const work = (): Promise<void> => this.#serve(row, request, requester);
    // A request that waits keeps nothing alive but its own bytes.
    const keep = (): void => {
      request.payload = ownCopy(request.payload);
    };
    const size = request.payload.length + OVERHEAD;
    return this.#queueOf(request.place).run({ publisher: waiter, size, work, keep }) ?? this.#refuse(row, request, waiter);
  }

  /** Of one account, one refusal in ten seconds is recorded; beside those of clients that are disconnected for it. */
  async #refuse(
    { counts }: ServiceRow,
    { place, qos, requester: { clientId, principal, sourceIp = '' } }: TopicRequest,
    waiter: Publisher | undefined,
  ) {
    const { counters, clock, refuse } = this.#options;
    counters.throttled += 1;
    counts.refused += 1;
    const reason = 'too many requests on reserved topics wait in the account';
    const queue = this.#queueOf(place);
    const now = clock.monotonic();
    const isDisconnected = qos === 1 && waiter !== undefined;
    if (!isDisconnected && (queue.refusedAt === undefined || now - queue.refusedAt >= RECORD_EVERY)) {
      queue.refusedAt = now;
      const protocol = clientId === undefined ? 'https' : 'mqtt';
      refuse({ check: 'limit', reason, protocol, sourceIp, ...place, clientId, principal });
    }
    return Promise.reject<void>(new TooManyRequests(reason));
  }

  /** The answers are published after the service has stored what it stores. */
  async #serve({ service, counts }: ServiceRow, request: TopicRequest, requester: Publisher | undefined): Promise<void> {
    const { log, answer } = this.#options;
    let result: TopicRequestResult = 'accepted';
    try {
      const published: Promise<void>[] = [];
      const publish = (each: TopicAnswer): void => {
        if (isRejection(each)) result = 'rejected';
        const stored = attempt(() => answer(request, each, requester));
        if (stored === undefined) return;
        // A failure is met below, unless the service itself fails.
        stored.catch(() => undefined);
        published.push(stored);
      };
      const answers = await service.serve(request, publish);
      if (Symbol.asyncIterator in answers) result = await this.#answerInTurn(answers, request, requester);
      else for (const each of answers) publish(each);
      if (published.length > 0) await Promise.all(published);
    } catch (error) {
      result = 'failed';
      const { topic, requester: by } = request;
      log.error({ err: error, topic, clientId: by.clientId }, 'a request on a reserved topic could not be served');
      throw error;
    } finally {
      counts[result] += 1;
    }
  }

  /** A requester without a connection gets nothing that is answered so. */
  async #answerInTurn(
    answers: AsyncIterable<TopicAnswer>,
    request: TopicRequest,
    requester: Publisher | undefined,
  ): Promise<TopicRequestResult> {
    const { answer, hasRoom } = this.#options;
    if (requester === undefined) return 'accepted';
    let result: TopicRequestResult = 'accepted';
    for await (const each of answers) {
      if (isRejection(each)) result = 'rejected';
      await this.#turns.take(1 + each.payload.length / BYTES_PER_ANSWER);
      if (!(await hasRoom(request, requester))) break;
      await answer(request, each, requester);
    }
    return result;
  }

  #queueOf({ region, accountId }: Place): RequestQueue {
    const key = `${region}/${accountId}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new RequestQueue();
      this.#queues.set(key, queue);
    }
    return queue;
  }
}
