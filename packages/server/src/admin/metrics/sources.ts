/** The parts of the server that have something to tell at a scrape. */
import { startDeadline } from '../../runtime/deadline.ts';
import type { Logger } from '../../runtime/log.ts';
import { METRICS } from './metrics.ts';
import { MetricSamples } from './samples.ts';

export type ServerSamples = MetricSamples<typeof METRICS>;

/** Adds what one part knows. */
export type MetricSource = (samples: ServerSamples) => void | Promise<void>;

/** Milliseconds that a source may take: a store that hangs must not keep the other metrics from being told. */
const PATIENCE = 1_000;

/** A source did not answer in time. */
class SourceTooSlow extends Error {
  override readonly name = 'SourceTooSlow';
}

export class MetricSources {
  readonly #sources: MetricSource[] = [];
  readonly #log: Pick<Logger, 'error'>;
  readonly #patience: number;
  #failures = 0;

  constructor(log: Pick<Logger, 'error'>, patience = PATIENCE) {
    this.#log = log;
    this.#patience = patience;
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
    const told = source(samples);
    if (told === undefined) return;
    const late = Promise.withResolvers<never>();
    const cancel = startDeadline(this.#patience, () => late.reject(new SourceTooSlow('a source of metrics took too long')));
    await Promise.race([told, late.promise]).finally(cancel);
  }
}
