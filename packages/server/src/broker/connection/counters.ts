/** Counters of the broker, for its metrics. */
import { zeroCounters } from '../../runtime/zero-counters.ts';
import { DISCONNECT_REASONS, type DisconnectReason, type TopicRequestResult } from '../contract.ts';
import { type DeliveryCounters, deliveryCounters } from '../session/delivery-counters.ts';

export interface BrokerCounters extends DeliveryCounters {
  /** Messages of clients. */
  receivedQos0: number;
  receivedQos1: number;
  /** Bytes of clients. */
  receivedBytes: number;
  readonly connects: { accepted: number; refused: number };
  readonly disconnects: Record<DisconnectReason, number>;
  /** Messages, connections, subscriptions and requests that a rate refused or held up. */
  throttled: number;
  /** Requests on reserved topics, by the filter of each service. */
  readonly topicRequests: Map<string, Record<TopicRequestResult, number>>;
}

export const brokerCounters = (): BrokerCounters => ({
  ...deliveryCounters(),
  receivedQos0: 0,
  receivedQos1: 0,
  receivedBytes: 0,
  connects: { accepted: 0, refused: 0 },
  disconnects: zeroCounters(DISCONNECT_REASONS),
  throttled: 0,
  topicRequests: new Map(),
});
