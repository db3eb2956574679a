/** Listeners hear of connections and subscriptions. */
import type { Client } from './client.ts';
import type { LostConnection } from './connection-record.ts';
import type { ConnectRefusal, DisconnectReason } from '../contract.ts';

export interface BrokerListener {
  connected?(client: Client): void;
  disconnected?(client: Client, why: DisconnectReason): void;
  /** The end of a connection of an earlier run of the server, which died with it. */
  connectionLost?(connection: LostConnection): void;
  connectFailed?(client: Client, refusal: ConnectRefusal): void;
  subscribed?(client: Client, filters: readonly string[]): void;
  unsubscribed?(client: Client, filters: readonly string[]): void;
}
