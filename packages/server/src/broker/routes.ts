/** Subscriptions of one account as a tree of topic levels: which clients a topic's messages go to. */
import type { Client } from './client.ts';

export interface Subscription {
  readonly filter: string;
  /** As granted: 0 or 1. */
  readonly qos: number;
  readonly noLocal: boolean;
}

/** A client that gets a topic's messages, once however many of its filters match [MQTT-3.3.5-1]. */
export interface Target {
  readonly client: Client;
  readonly qos: number;
  readonly noLocal: boolean;
}

interface Level {
  readonly next: Map<string, Level>;
  /** Clients whose filter ends here. */
  readonly here: Map<Client, Subscription>;
  /** Clients whose filter ends here with `#`. */
  readonly below: Map<Client, Subscription>;
}

const level = (): Level => ({ next: new Map(), here: new Map(), below: new Map() });
const isEmpty = (at: Level): boolean => at.next.size === 0 && at.here.size === 0 && at.below.size === 0;

export class Routes {
  readonly #root = level();

  add(client: Client, subscription: Subscription): void {
    const { levels, map } = this.#place(subscription.filter);
    let at = this.#root;
    for (const name of levels) {
      let next = at.next.get(name);
      if (next === undefined) {
        next = level();
        at.next.set(name, next);
      }
      at = next;
    }
    at[map].set(client, subscription);
  }

  remove(client: Client, filter: string): void {
    const { levels, map } = this.#place(filter);
    const path = [this.#root];
    for (const name of levels) {
      const next = path.at(-1)?.next.get(name);
      if (next === undefined) return;
      path.push(next);
    }
    path.at(-1)?.[map].delete(client);
    // Branches that nobody needs go, so that filters that come and go leave nothing behind.
    for (let depth = path.length - 1; depth > 0 && isEmpty(path[depth] as Level); depth -= 1)
      path[depth - 1]?.next.delete(levels[depth - 1] as string);
  }

  /** Subscribers of a topic, each once with its highest QoS. */
  resolve(topic: string): Target[] {
    const found = new Map<Client, Target>();
    this.#walk(this.#root, topic.split('/'), 0, topic.startsWith('$'), found);
    return [...found.values()];
  }

  #place(filter: string): { levels: string[]; map: 'here' | 'below' } {
    const levels = filter.split('/');
    if (levels.at(-1) !== '#') return { levels, map: 'here' };
    levels.pop();
    return { levels, map: 'below' };
  }

  #walk(at: Level, levels: readonly string[], depth: number, reserved: boolean, found: Map<Client, Target>): void {
    // A wildcard in the first place covers no topic that begins with `$` [MQTT-4.7.2-1].
    const wild = depth > 0 || !reserved;
    if (depth === levels.length) {
      // `sensor/#` does not cover `sensor` itself: AWS IoT differs from MQTT here (developer guide, page topics).
      this.#collect(at.here, found);
      return;
    }
    if (wild) this.#collect(at.below, found);
    const exact = at.next.get(levels[depth] as string);
    if (exact !== undefined) this.#walk(exact, levels, depth + 1, reserved, found);
    const any = wild ? at.next.get('+') : undefined;
    if (any !== undefined) this.#walk(any, levels, depth + 1, reserved, found);
  }

  #collect(from: ReadonlyMap<Client, Subscription>, found: Map<Client, Target>): void {
    for (const [client, { qos, noLocal }] of from) {
      const known = found.get(client);
      if (known === undefined) found.set(client, { client, qos, noLocal });
      else found.set(client, { client, qos: Math.max(known.qos, qos), noLocal: known.noLocal && noLocal });
    }
  }
}
