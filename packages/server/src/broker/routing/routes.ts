/** Subscriptions of one account as a tree of topic levels: which sessions a topic's messages go to. */
import { sharedFilter } from '@thingkeep/wire/topics.ts';
import type { Delivery } from '../session/delivery.ts';
import type { Session } from '../session/session.ts';
import { SharedGroup } from '../session/shared-group.ts';
import type { Subscription } from '../session/subscription.ts';

/** A session that gets a topic's messages, once however many of its filters match [MQTT-3.3.5-1]. */
export interface SessionTarget {
  readonly session: Session;
  readonly delivery: Delivery;
  readonly qos: number;
  readonly noLocal: boolean;
}

/**
 * Receivers of a topic's messages on this node: each of the sessions, and one member of each shared group. With the nodes
 * that want it ({@link Peers}) these are all kinds of targets; each kind is a list, so that a loop sees one form of object.
 */
export interface Receivers {
  readonly sessions: readonly SessionTarget[];
  readonly groups: readonly SharedGroup[];
}

interface End {
  readonly sessions: Map<Session, Subscription>;
  /** By the whole filter. */
  shares: Map<string, SharedGroup> | undefined;
}

interface Level {
  readonly next: Map<string, Level>;
  /** Filters that end here. */
  readonly here: End;
  /** Filters that end here with `#`. */
  readonly below: End;
}

const end = (): End => ({ sessions: new Map(), shares: undefined });
const level = (): Level => ({ next: new Map(), here: end(), below: end() });
const nobody = ({ sessions, shares }: End): boolean => sessions.size === 0 && (shares?.size ?? 0) === 0;
const isEmpty = (at: Level): boolean => at.next.size === 0 && nobody(at.here) && nobody(at.below);

export class Routes {
  readonly #root = level();
  readonly #shares = new Map<string, SharedGroup>();

  /** Groups of shared subscriptions. */
  get shares(): ReadonlyMap<string, SharedGroup> {
    return this.#shares;
  }

  share(filter: string): SharedGroup | undefined {
    return this.#shares.get(filter);
  }

  add(session: Session, subscription: Subscription): void {
    const { filter } = subscription;
    const shared = sharedFilter(filter);
    const { levels, place } = split(shared?.filter ?? filter);
    let at = this.#root;
    for (const name of levels) {
      let next = at.next.get(name);
      if (next === undefined) {
        next = level();
        at.next.set(name, next);
      }
      at = next;
    }
    const ending = at[place];
    if (shared === undefined) {
      ending.sessions.set(session, subscription);
      return;
    }
    let share = this.#shares.get(filter);
    if (share === undefined) {
      share = new SharedGroup(filter);
      this.#shares.set(filter, share);
      ending.shares ??= new Map();
      ending.shares.set(filter, share);
    }
    share.add(session, subscription);
  }

  remove(session: Session, filter: string): void {
    const shared = sharedFilter(filter);
    const { levels, place } = split(shared?.filter ?? filter);
    const path = [this.#root];
    for (const name of levels) {
      const next = path.at(-1)?.next.get(name);
      if (next === undefined) return;
      path.push(next);
    }
    const ending = path.at(-1)?.[place];
    if (shared === undefined) ending?.sessions.delete(session);
    else {
      const share = this.#shares.get(filter);
      share?.delete(session);
      if (share?.size === 0) {
        this.#shares.delete(filter);
        ending?.shares?.delete(filter);
      }
    }
    // Empty branches are removed, so that filters that come and go leave nothing behind.
    for (let depth = path.length - 1; depth > 0 && isEmpty(path[depth] as Level); depth -= 1)
      path[depth - 1]?.next.delete(levels[depth - 1] as string);
  }

  /** Subscribers of a topic, each once with its highest QoS, and the shares that match. */
  resolve(topic: string): Receivers {
    const found = new Map<Session, SessionTarget>();
    const shares: SharedGroup[] = [];
    this.#walk(this.#root, topic.split('/'), 0, topic.startsWith('$'), found, shares);
    return { sessions: [...found.values()], groups: shares };
  }

  #walk(
    at: Level,
    levels: readonly string[],
    depth: number,
    reserved: boolean,
    found: Map<Session, SessionTarget>,
    shares: SharedGroup[],
  ): void {
    // A wildcard in the first place covers no topic that begins with `$` [MQTT-4.7.2-1].
    const wild = depth > 0 || !reserved;
    if (depth === levels.length) {
      // `sensor/#` does not cover `sensor` itself: AWS IoT differs from MQTT here (developer guide, page topics).
      collect(at.here, found, shares);
      return;
    }
    if (wild) collect(at.below, found, shares);
    const exact = at.next.get(levels[depth] as string);
    if (exact !== undefined) this.#walk(exact, levels, depth + 1, reserved, found, shares);
    const any = wild ? at.next.get('+') : undefined;
    if (any !== undefined) this.#walk(any, levels, depth + 1, reserved, found, shares);
  }
}

function split(filter: string): { levels: string[]; place: 'here' | 'below' } {
  const levels = filter.split('/');
  if (levels.at(-1) !== '#') return { levels, place: 'here' };
  levels.pop();
  return { levels, place: 'below' };
}

function collect({ sessions, shares }: End, found: Map<Session, SessionTarget>, matching: SharedGroup[]): void {
  for (const [session, { qos, noLocal }] of sessions) {
    const known = found.get(session);
    const { delivery } = session;
    if (known === undefined) found.set(session, { session, delivery, qos, noLocal });
    else found.set(session, { session, delivery, qos: Math.max(known.qos, qos), noLocal: known.noLocal && noLocal });
  }
  if (shares !== undefined) matching.push(...shares.values());
}
