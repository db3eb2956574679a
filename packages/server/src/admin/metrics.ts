/** Counters for Prometheus, in its text form (exposition format 0.0.4). */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Broker } from '../broker/broker.ts';
import type { Refusals } from '../refusals/refusals.ts';

const metric = (name: string, type: 'counter' | 'gauge', help: string, value: number): string =>
  `# HELP thingkeep_${name} ${help}\n# TYPE thingkeep_${name} ${type}\nthingkeep_${name} ${value}\n`;

/** How late the event loop comes to what is due; looked at every 10 ms. */
const RESOLUTION = 10;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();

/** Seconds of the longest delay since the last look. */
function longestDelay(): number {
  const longest = Math.max(0, delay.max / 1e6 - RESOLUTION);
  delay.reset();
  return longest / 1000;
}

export const metricsText = (broker: Broker, refusals: Refusals): string =>
  [
    metric('connections', 'gauge', 'Peers of the MQTT broker, those not yet admitted among them.', broker.connections.count),
    metric('connects_total', 'counter', 'MQTT connections admitted.', broker.counters.connects),
    metric('messages_received_total', 'counter', 'Messages published by clients.', broker.counters.received),
    metric('messages_sent_total', 'counter', 'Messages sent to clients.', broker.counters.sent),
    metric('messages_dropped_total', 'counter', 'QoS 0 messages that a client did not take in time.', broker.counters.dropped),
    metric('throttled_total', 'counter', 'What a rate has refused or held up.', broker.counters.throttled),
    metric('refusals_total', 'counter', 'Devices and requests refused.', refusals.count),
    metric('event_loop_delay_seconds', 'gauge', 'Longest delay of the event loop since the last scrape.', longestDelay()),
    metric('resident_memory_bytes', 'gauge', 'Resident memory of the process.', process.memoryUsage.rss()),
  ].join('');
