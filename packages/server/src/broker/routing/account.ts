/** The topic space of one account. Topics of two accounts never meet. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { type AccountLimits, DEFAULT_LIMITS } from './account-limits.ts';
import { AccountClients } from './account-clients.ts';
import { QueueTotals } from '../session/queue-totals.ts';
import { RecentTopics } from './recent-topics.ts';
import { Routes } from './routes.ts';
import { RoutedTopic } from './routed-topic.ts';
import type { Session } from '../session/session.ts';
import type { AccountThrottle } from './account-throttle.ts';

/** Topics remembered at most: beyond, all are forgotten and learnt again as they come. */
const MAX_TOPICS = 100_000;

export class AccountSpace {
  readonly place: Place;
  readonly routes = new Routes();
  readonly limits: AccountLimits;
  /** What the account's sessions and shares keep on disk, in all regions. */
  readonly queues: QueueTotals;
  /** Undefined where the account has no rates. */
  readonly throttle: AccountThrottle | undefined;
  /** By client id: connections, and sessions whether or not their client is there. */
  readonly clients = new AccountClients();
  readonly sessions = new Map<string, Session>();
  /** Rises with every change of subscriptions or permissions ({@link routesChanged}). */
  generation = 0;
  /** Rises when the rules change ({@link interceptorsChanged}); a topic's own count begins below it. */
  interceptorGeneration = 1;
  #topics = new Map<string, RoutedTopic>();
  readonly #recent = new RecentTopics();

  constructor(
    place: Place,
    limits: AccountLimits = DEFAULT_LIMITS,
    throttle?: AccountThrottle,
    queues: QueueTotals = new QueueTotals(limits),
  ) {
    this.place = place;
    this.limits = limits;
    this.queues = queues;
    this.throttle = throttle;
  }

  /** Subscriptions or permissions have changed: routes that topics remember are stale. */
  routesChanged(): void {
    this.generation += 1;
  }

  /** Rules have changed: what topics remember of who sees their messages is stale. */
  interceptorsChanged(): void {
    this.interceptorGeneration += 1;
  }

  get topicsKnown(): number {
    return this.#topics.size;
  }

  /** A topic that is not likely to come again: it is not remembered. */
  transientTopic(name: string): RoutedTopic {
    return this.#topics.get(name) ?? this.#make(name);
  }

  /** A topic that the server publishes on for one client or thing: it is remembered for a while. */
  recentTopic(name: string): RoutedTopic {
    return this.#topics.get(name) ?? this.#recent.get(name, this.#makeRecent);
  }

  topic(name: string): RoutedTopic {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const entry = this.#make(name);
    // What is no topic may be 64 KB long, and nothing is ever published on it.
    if (entry.fault !== undefined) return entry;
    if (this.#topics.size >= MAX_TOPICS) this.#topics = new Map();
    this.#topics.set(name, entry);
    return entry;
  }

  readonly #makeRecent = (name: string): RoutedTopic => {
    const topic = this.#make(name);
    topic.keepsMany = false;
    return topic;
  };

  readonly #make = (name: string): RoutedTopic => new RoutedTopic(name, iotArn(this.place, 'topic', name));
}
