/** Rates of devices' requests of jobs, for an account in a region, where rates are kept (General Reference, AWS IoT Device Management quotas). */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../runtime/clock.ts';
import { Bucket } from '../runtime/token-buckets.ts';

/** Per second; 0, or nothing, where there is no rate. */
export interface JobRatesOf {
  /** DescribeJobExecution and GetPendingJobExecutions. */
  readonly jobReads?: number | undefined;
  /** StartNextPendingJobExecution and UpdateJobExecution. */
  readonly jobWrites?: number | undefined;
}

export type JobRateName = keyof JobRatesOf;

export interface JobRatesOptions {
  readonly clock: Clock;
  readonly ratesOf: (accountId: string) => JobRatesOf;
}

export class JobRates {
  readonly #options: JobRatesOptions;
  /** By account, region and rate: as many as there are accounts with devices. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: JobRatesOptions) {
    this.#options = options;
  }

  /** Whether one more request is within the rate, which it takes a part of then. */
  admit(place: Place, name: JobRateName): boolean {
    const perSecond = this.#options.ratesOf(place.accountId)[name] ?? 0;
    if (perSecond === 0) return true;
    const key = `${name} ${placeKey(place)}`;
    const bucket = this.#buckets.get(key) ?? new Bucket(perSecond);
    this.#buckets.set(key, bucket);
    return bucket.take(this.#options.clock.monotonic());
  }
}
