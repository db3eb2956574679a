/** Metrics of the process: what runs, since when, and what it takes of its machine. */
import type { EventLoopDelay } from '../../runtime/event-loop-delay.ts';
import type { ProcessFigures } from '../../runtime/process-figures.ts';
import type { MetricSource } from './sources.ts';

export const buildMetrics =
  (version: string): MetricSource =>
  (samples) =>
    samples.add('thingkeep_build_info', 1, { version, node: process.version });

export const eventLoopMetrics =
  (delay: EventLoopDelay): MetricSource =>
  (samples) => {
    samples.addHistogram('thingkeep_event_loop_delay_seconds', delay.time);
    samples.add('thingkeep_event_loop_delay_max_seconds', delay.takeLongest());
  };

export const processMetrics =
  (figures: ProcessFigures): MetricSource =>
  async (samples) => {
    const { resident, used, free, external } = figures.memory;
    samples.addEach('thingkeep_heap_bytes', 'state', { used, free });
    samples.add('thingkeep_external_memory_bytes', external);
    samples.add('process_start_time_seconds', figures.startedAt);
    samples.add('process_cpu_seconds_total', figures.cpuSeconds);
    samples.add('process_resident_memory_bytes', resident);
    const open = await figures.openFiles();
    if (open !== undefined) samples.add('process_open_fds', open);
    if (figures.maxFiles !== undefined) samples.add('process_max_fds', figures.maxFiles);
  };
