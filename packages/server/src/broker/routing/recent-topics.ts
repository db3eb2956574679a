/**
 * Topics that the server itself publishes on for one client or one thing: answers, and what changes of a shadow tell. They
 * are as many as there are devices, so they are remembered apart from those that messages come on, and for a while only:
 * those that are not asked for again while as many others are, are forgotten.
 */
import type { RoutedTopic } from './routed-topic.ts';

/** Topics after which those are forgotten that have not been asked for since as many were new before. */
const MAX_NEW = 10_000;

export class RecentTopics {
  #newer = new Map<string, RoutedTopic>();
  #older = new Map<string, RoutedTopic>();

  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  get(name: string, make: (name: string) => RoutedTopic): RoutedTopic {
    const known = this.#newer.get(name);
    if (known !== undefined) return known;
    const topic = this.#older.get(name) ?? make(name);
    if (this.#newer.size >= MAX_NEW) [this.#newer, this.#older] = [new Map(), this.#newer];
    this.#newer.set(name, topic);
    return topic;
  }
}
