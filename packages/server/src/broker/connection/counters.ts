/** Counters of the broker, for its metrics. */
import type { DeliveryCounters } from '../session/transmitter.ts';

export interface BrokerCounters extends DeliveryCounters {
  received: number;
  connects: number;
  /** Messages, connections, subscriptions and requests that a rate refused or held up. */
  throttled: number;
}
