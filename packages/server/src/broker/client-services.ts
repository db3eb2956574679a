/** What each client has of the broker, gathered from its parts in one object. */
import type { Client } from './connection/client.ts';
import type { BrokerServices } from './connection/services.ts';
import type { Connections } from './connections.ts';
import type { BrokerPublishing } from './publishing.ts';
import type { Ticker } from './ticker.ts';

type ClientServices = BrokerServices<Client>;

/** What clients use as it is. */
type Shared = Pick<
  ClientServices,
  | 'clock'
  | 'log'
  | 'flusher'
  | 'budget'
  | 'counters'
  | 'journal'
  | 'sessions'
  | 'disk'
  | 'claims'
  | 'register'
  | 'wills'
  | 'refuse'
  | 'repeats'
  | 'firstPacketFault'
  | 'isServed'
  | 'account'
>;

export const clientServices = (
  shared: Shared,
  connections: Connections,
  publishing: BrokerPublishing,
  ticker: Ticker,
): ClientServices => ({
  ...shared,
  rateLimited: ticker.rateLimited,
  get now() {
    return ticker.now;
  },
  connected: (client, session) => {
    shared.counters.connects.accepted += 1;
    connections.connected(client, session);
  },
  connectFailed: (client, refusal) => connections.connectFailed(client, refusal),
  subscribed: (client, filters) => connections.subscribed(client, filters),
  unsubscribed: (client, filters) => connections.unsubscribed(client, filters),
  closed: (client, was, why) => connections.closed(client, was, why),
  pauseUntilNextTick: (reading) => ticker.pauseUntilNextTick(reading),
  watch: (receiver) => ticker.watch(receiver),
  deliver: (account, batch, source) => publishing.deliver(account, batch, source),
  publishMessage: (account, message, source) => publishing.publishMessage(account, message, source),
  mustStore: (account, topic, rules) => publishing.mustStore(account, topic, rules),
  sendRetained: (client, filter) => publishing.sendRetained(client, filter),
});
