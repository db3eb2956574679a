/**
 * A session: what a client id has subscribed to and what waits for it. A clean one lives as long as its connection; a
 * persistent one is in the data file, outlives connections and the process, and ends some time after its client has left
 * (developer guide, page mqtt, "MQTT persistent sessions").
 */
import { defined } from '@thingkeep/wire/defined.ts';
import type { ProtocolLevel } from '@thingkeep/wire/mqtt/packets.ts';
import { collection } from '../store/contract.ts';
import type { AccountSpace } from './account.ts';
import type { Client } from './client.ts';
import type { DisconnectReason } from './contract.ts';
import type { Delivery } from './delivery.ts';
import type { Subscription } from './routes.ts';

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

export class Session {
  readonly account: AccountSpace;
  readonly clientId: string;
  readonly level: ProtocolLevel;
  /** Owner of its rows in the data file; 0 for a clean session, which has none. */
  readonly id: number;
  readonly delivery: Delivery;
  readonly subscriptions = new Map<string, Subscription>();
  client: Client | undefined;
  principal = '';
  certificateId: string | undefined;
  /** Seconds that it lives after its client has left. */
  expiry = 0;
  /** When its client left: milliseconds since the epoch; 0 while it is there. */
  leftAt = 0;
  leftWhy: DisconnectReason | undefined;
  /** Monotonic milliseconds when it ends; 0 while its client is there. */
  endsAt = 0;
  ended = false;

  constructor(account: AccountSpace, clientId: string, level: ProtocolLevel, delivery: Delivery, id: number) {
    this.account = account;
    this.clientId = clientId;
    this.level = level;
    this.delivery = delivery;
    this.id = id;
  }

  get persistent(): boolean {
    return this.id !== 0;
  }

  get record(): SessionRecord {
    const { account, clientId, id, level, expiry, principal, certificateId, leftAt, leftWhy } = this;
    return {
      ...account.place,
      clientId,
      id,
      level,
      expiry,
      principal,
      ...defined({ certificateId }),
      subscriptions: [...this.subscriptions.values()],
      ...defined({ leftAt: leftAt === 0 ? undefined : leftAt }),
      ...defined({ leftWhy: leftAt === 0 || leftWhy === undefined ? undefined : leftWhy }),
    };
  }
}
