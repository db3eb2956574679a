/**
 * The group behind one shared subscription: each message goes to one of its members that is there. While none is, messages of
 * QoS 1 wait in a queue of the group's own if a persistent session belongs to it (developer guide, page mqtt, "Shared
 * subscriptions").
 */
import { collection } from '../../store/contract.ts';
import type { Backlog } from './backlog.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

/** A group whose queue has been used: the number that its rows have. */
export interface SharedGroupRecord {
  readonly region: string;
  readonly accountId: string;
  readonly filter: string;
  readonly id: number;
}

export const sharedGroupRecords = collection<SharedGroupRecord>('shares', (s) => [s.region, s.accountId, s.filter]);

export class SharedGroup {
  /** Whole filter, `$share/{name}/` included. */
  readonly filter: string;
  readonly #members = new Map<Session, Subscription>();
  /** The same, as a list to pick from. */
  #list: readonly Session[] = [];
  #backlog: Backlog | undefined;

  constructor(filter: string) {
    this.filter = filter;
  }

  /** Messages that wait for a member; made when there is one to keep. */
  get backlog(): Backlog | undefined {
    return this.#backlog;
  }

  /** Keeps messages in this queue, or in none, from now on. */
  keepIn(backlog: Backlog | undefined): void {
    this.#backlog = backlog;
  }

  get size(): number {
    return this.#members.size;
  }

  add(session: Session, subscription: Subscription): void {
    this.#members.set(session, subscription);
    this.#list = [...this.#members.keys()];
  }

  delete(session: Session): void {
    this.#members.delete(session);
    this.#list = [...this.#members.keys()];
  }

  /** QoS that the member was granted. */
  qosOf(session: Session): number {
    return this.#members.get(session)?.qos ?? 0;
  }

  /** Whether messages are kept while no member is connected: one has a persistent session and QoS 1. */
  get hasPersistentQos1Member(): boolean {
    for (const [session, { qos }] of this.#members) if (session.persistent && qos === 1) return true;
    return false;
  }

  /** Whether a member, connected or not, was granted QoS 1. */
  get hasQos1Member(): boolean {
    for (const { qos } of this.#members.values()) if (qos === 1) return true;
    return false;
  }

  /** A member that is there and suits: the next one from a random place in the list. */
  pick(suits: (session: Session) => boolean): Session | undefined {
    const list = this.#list;
    const from = Math.floor(Math.random() * list.length);
    for (let i = 0; i < list.length; i += 1) {
      const session = list[(from + i) % list.length] as Session;
      if (session.client?.state === 'connected' && suits(session)) return session;
    }
    return undefined;
  }
}
