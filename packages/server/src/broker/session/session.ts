/**
 * A session: what a client id has subscribed to and what waits for it. A clean one lives as long as its connection; a
 * persistent one is in the data file, outlives connections and the process, and ends some time after its client has left
 * (developer guide, page mqtt, "MQTT persistent sessions").
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import type { Refusal } from '../../refusals/refusals.ts';
import type { Clock } from '../../runtime/clock.ts';
import { collection } from '../../store/contract.ts';
import type { DisconnectReason } from '../contract.ts';
import type { Delivery } from './delivery.ts';
import { SessionLifetime } from './session-lifetime.ts';
import type { Subscription } from './subscription.ts';
import type { Publisher } from '../messaging.ts';
import type { ReceivePermissions } from './transmitter.ts';

export interface SessionRecord {
  readonly region: string;
  readonly accountId: string;
  readonly clientId: string;
  /** Owner of its rows. */
  readonly id: number;
  readonly level: ProtocolLevel;
  /** Seconds that it lives after its client has left. */
  readonly expiry: number;
  readonly principal: string;
  readonly certificateId?: string;
  readonly subscriptions: readonly Subscription[];
  /** Milliseconds since the epoch when its client left; absent while it is there. */
  readonly leftAt?: number;
  readonly leftWhy?: DisconnectReason;
}

export const sessionRecords = collection<SessionRecord>('sessions', (s) => [s.region, s.accountId, s.clientId]);

export type ClientState = 'awaiting-connect' | 'admitting' | 'connected' | 'closed';

/** A connection as its session and those who deliver to it know it. */
export interface Subscriber {
  readonly clientId: string;
  readonly state: ClientState;
  readonly permissions: ReceivePermissions;
  /** The same connection as publisher of messages. */
  readonly publisher: Publisher;
  /** Records why something was refused to it. */
  refuse(refusal: Omit<Refusal, 'protocol' | 'sourceIp'>): void;
  close(why: DisconnectReason, reason?: number): void;
}

/** The owner of a session, and the seconds for which it outlives the connection. */
export type SessionOwner = Pick<SessionRecord, 'expiry' | 'principal' | 'certificateId'>;

export class Session {
  readonly place: Place;
  readonly clientId: string;
  readonly level: ProtocolLevel;
  /** Owner of its rows in the data file; 0 for a clean session, which has none. */
  readonly id: number;
  readonly delivery: Delivery;
  /** Its connection; undefined while there is none. */
  client: Subscriber | undefined;
  readonly lifetime = new SessionLifetime();
  readonly #subscriptions = new Map<string, Subscription>();
  #principal = '';
  #certificateId: string | undefined;
  #ended = false;

  constructor(place: Place, clientId: string, level: ProtocolLevel, delivery: Delivery, id: number) {
    this.place = place;
    this.clientId = clientId;
    this.level = level;
    this.delivery = delivery;
    this.id = id;
  }

  get persistent(): boolean {
    return this.id !== 0;
  }

  /** By filter. */
  get subscriptions(): ReadonlyMap<string, Subscription> {
    return this.#subscriptions;
  }

  /** Who has opened it last. */
  get principal(): string {
    return this.#principal;
  }

  get certificateId(): string | undefined {
    return this.#certificateId;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get record(): SessionRecord {
    const { place, clientId, id, level } = this;
    const certificateId = this.#certificateId;
    const { expiry, leftAt, leftWhy } = this.lifetime;
    return {
      ...place,
      clientId,
      id,
      level,
      expiry,
      principal: this.#principal,
      ...defined({ certificateId }),
      subscriptions: [...this.#subscriptions.values()],
      ...defined({ leftAt }),
      ...defined({ leftWhy: leftAt === undefined ? undefined : leftWhy }),
    };
  }

  /** Takes over what its record says. */
  restore(record: SessionRecord, clock: Clock): void {
    const { leftAt, leftWhy = 'CONNECTION_LOST', expiry, subscriptions } = record;
    this.#own(record);
    this.lifetime.restore(expiry, leftAt, leftWhy, clock);
    for (const subscription of subscriptions) this.#subscriptions.set(subscription.filter, subscription);
  }

  /** Belongs to a connection from now on. */
  attach(client: Subscriber, owner: SessionOwner): void {
    this.client = client;
    this.#own(owner);
    this.lifetime.stop(owner.expiry);
  }

  /** Its connection has ended: nothing is delivered. */
  detach(why: DisconnectReason): void {
    this.client = undefined;
    this.lifetime.clientLeft(why);
    this.delivery.detach();
  }

  subscribe(subscription: Subscription): void {
    this.#subscriptions.set(subscription.filter, subscription);
  }

  /** Says whether there was such a subscription. */
  unsubscribe(filter: string): boolean {
    return this.#subscriptions.delete(filter);
  }

  /** Ends for good: it has no subscriptions, and is not resumed. */
  end(): void {
    this.#ended = true;
    this.#subscriptions.clear();
  }

  #own({ principal, certificateId }: SessionOwner): void {
    this.#principal = principal;
    this.#certificateId = certificateId;
  }
}
