/** The sources of metrics: parts of the server that provide values at a scrape. */
import { startDeadline } from '../../runtime/deadline.ts';
import type { Logger } from '../../runtime/log.ts';
import { METRICS } from './metrics.ts';
import { MetricSamples } from './samples.ts';

export type ServerSamples = MetricSamples<typeof METRICS>;

/** Adds the values of one part. */
export type MetricSource = (samples: ServerSamples) => void | Promise<void>;

/** A source may take so long: a store that hangs must not keep the other metrics from being exported. */
const SOURCE_TIMEOUT_MS = 1_000;

/** A source did not answer in time. */
class SourceTooSlow extends Error {
  override readonly name = 'SourceTooSlow';
}

export class MetricSources {
  readonly #sources: MetricSource[] = [];
  readonly #log: Pick<Logger, 'error'>;
  readonly #timeoutMs: number;
  #failures = 0;

  constructor(log: Pick<Logger, 'error'>, timeoutMs = SOURCE_TIMEOUT_MS) {
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  add(source: MetricSource): void {
    this.#sources.push(source);
  }

  /** Asks all of them. One that fails, or takes too long, leaves its own metrics out, and is counted. */
  async collect(): Promise<ServerSamples> {
    const samples: ServerSamples = new MetricSamples(METRICS);
    for (const source of this.#sources)
      try {
        await this.#ask(source, samples);
      } catch (error) {
        this.#failures += 1;
        this.#log.error({ err: error, event: 'metrics-failed' }, 'some metrics could not be collected');
      }
    samples.add('thingkeep_scrape_errors_total', this.#failures);
    return samples;
  }

  async #ask(source: MetricSource, samples: ServerSamples): Promise<void> {
    const added = source(samples);
    if (added === undefined) return;
    const late = Promise.withResolvers<never>();
    const cancel = startDeadline(this.#timeoutMs, () => late.reject(new SourceTooSlow('a source of metrics took too long')));
    await Promise.race([added, late.promise]).finally(cancel);
  }
}
