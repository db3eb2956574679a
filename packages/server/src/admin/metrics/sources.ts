/** The parts of the server that have something to tell at a scrape. */
import type { Logger } from '../../runtime/log.ts';
import { METRICS, type MetricName } from './declarations.ts';
import { MetricSamples } from './samples.ts';

export type ServerSamples = MetricSamples<MetricName>;

/** Adds what one part knows. */
export type MetricSource = (samples: ServerSamples) => void | Promise<void>;

export class MetricSources {
  readonly #sources: MetricSource[] = [];
  readonly #log: Pick<Logger, 'error'>;
  #failures = 0;

  constructor(log: Pick<Logger, 'error'>) {
    this.#log = log;
  }

  add(source: MetricSource): void {
    this.#sources.push(source);
  }

  /** Asks all of them. One that fails leaves its own metrics out, and is counted. */
  async collect(): Promise<ServerSamples> {
    const samples: ServerSamples = new MetricSamples(METRICS);
    for (const source of this.#sources)
      try {
        await source(samples);
      } catch (error) {
        this.#failures += 1;
        this.#log.error({ err: error, event: 'metrics-failed' }, 'some metrics could not be collected');
      }
    samples.add('thingkeep_scrape_errors_total', this.#failures);
    return samples;
  }
}
