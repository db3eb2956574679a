/** Metrics of connections, sessions and messages. */
import { TRANSPORTS } from '../../broker/contract.ts';
import type { BrokerFigures } from '../../broker/figures.ts';
import type { MetricSource, ServerSamples } from './sources.ts';

const VERSIONS = { 4: '3.1.1', 5: '5' } as const;

export interface BrokerMetricsOptions {
  readonly figures: BrokerFigures;
  /** HTTP connections of the device port. */
  readonly httpConnections: () => number;
  readonly retained: () => Promise<{ readonly messages: number; readonly bytes: number }>;
}

function addConnections(samples: ServerSamples, { figures, httpConnections }: BrokerMetricsOptions): void {
  const { connected, waiting, clean, persistent, inFlight } = figures.connections();
  for (const level of [4, 5] as const)
    for (const transport of Object.keys(TRANSPORTS))
      samples.add('thingkeep_connections', 0, { protocol: VERSIONS[level], transport });
  for (const { level, transport, count } of connected)
    samples.add('thingkeep_connections', count, { protocol: VERSIONS[level], transport });
  samples.add('thingkeep_connections', httpConnections(), { protocol: 'http', transport: 'https' });
  samples.add('thingkeep_connections_waiting', waiting);
  samples.add('thingkeep_sessions', clean, { state: 'online', kind: 'clean' });
  samples.add('thingkeep_sessions', persistent, { state: 'online', kind: 'persistent' });
  samples.add('thingkeep_sessions', figures.offline, { state: 'offline', kind: 'persistent' });
  samples.add('thingkeep_messages_in_flight', inFlight);
}

function addMessages(samples: ServerSamples, { counters, queued, output, subscriptions }: BrokerFigures): void {
  samples.addEach('thingkeep_connects_total', 'result', counters.connects);
  samples.addEach('thingkeep_disconnects_total', 'reason', counters.disconnects);
  samples.add('thingkeep_subscriptions', subscriptions);
  samples.addEach('thingkeep_messages_received_total', 'qos', { 0: counters.receivedQos0, 1: counters.receivedQos1 });
  samples.addEach('thingkeep_messages_sent_total', 'qos', { 0: counters.sentQos0, 1: counters.sentQos1 });
  samples.addEach('thingkeep_messages_dropped_total', 'reason', counters.dropped);
  samples.add('thingkeep_received_bytes_total', counters.receivedBytes);
  samples.add('thingkeep_sent_bytes_total', output.sent);
  samples.add('thingkeep_queued_messages', queued.messages);
  samples.add('thingkeep_queued_bytes', queued.bytes);
  samples.add('thingkeep_output_bytes', output.waiting);
  samples.add('thingkeep_output_limit_bytes', output.limit);
  samples.add('thingkeep_throttled_total', counters.throttled);
  for (const [topic, results] of counters.topicRequests)
    for (const [result, count] of Object.entries(results))
      samples.add('thingkeep_topic_requests_total', count, { topic, result });
}

export const brokerMetrics =
  (options: BrokerMetricsOptions): MetricSource =>
  async (samples) => {
    addConnections(samples, options);
    addMessages(samples, options.figures);
    const { messages, bytes } = await options.retained();
    samples.add('thingkeep_retained_messages', messages);
    samples.add('thingkeep_retained_bytes', bytes);
  };
