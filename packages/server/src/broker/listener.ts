/** The broker's counters, and its listeners: they hear of connections and subscriptions. */
import type { Refusal } from '../refusals/refusals.ts';
import type { Client } from './client.ts';
import type { LostConnection } from './connection-record.ts';
import type { DisconnectReason } from './contract.ts';

export interface BrokerCounters {
  received: number;
  sent: number;
  dropped: number;
  connects: number;
  /** Messages, connections, subscriptions and requests that a rate refused or held up. */
  throttled: number;
}

/** Why a CONNECT was refused, with what is known of its sender. */
export type ConnectRefusal = Omit<Refusal, 'protocol' | 'sourceIp'>;

/** Hears of connections and subscriptions. */
export interface BrokerListener {
  connected?(client: Client): void;
  disconnected?(client: Client, why: DisconnectReason): void;
  /** The end of a connection of an earlier run of the server, which died with it. */
  connectionLost?(connection: LostConnection): void;
  connectFailed?(client: Client, refusal: ConnectRefusal): void;
  subscribed?(client: Client, filters: readonly string[]): void;
  unsubscribed?(client: Client, filters: readonly string[]): void;
}
