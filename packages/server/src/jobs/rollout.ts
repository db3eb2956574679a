/**
 * Rates of a rollout (developer guide, page jobs-configurations-details): constant, or growing by a factor each time that
 * another so many things were notified or have succeeded. Things are spread evenly over a minute.
 */

export interface ExponentialRate {
  readonly baseRatePerMinute: number;
  readonly incrementFactor: number;
  /** The rate rises each time that as many things more were notified, or have succeeded. */
  readonly criteria: { readonly of: 'notified' | 'succeeded'; readonly things: number };
}

export interface RolloutRate {
  readonly maximumPerMinute?: number | undefined;
  readonly exponential?: ExponentialRate | undefined;
}

/** How many things of a job were notified, and how many have succeeded. */
export interface RolloutCounts {
  readonly notified: number;
  readonly succeeded: number;
}

/** General Reference, AWS IoT Device Management quotas: what is rolled out in a minute at most, and where a job does not say. */
export const MAX_PER_MINUTE = 1000;
const MINUTE = 60_000;
/** Milliseconds that one step of a rollout covers. */
export const STEP = 1_000;
/** Milliseconds that a rollout which is late catches up with; what was missed beyond, while the server was down, is not rushed. */
const MAX_LAG = 5_000;

/** Executions per minute at this point of the rollout. */
export function ratePerMinute({ maximumPerMinute = MAX_PER_MINUTE, exponential }: RolloutRate, counts: RolloutCounts): number {
  if (exponential === undefined) return maximumPerMinute;
  const { baseRatePerMinute, incrementFactor, criteria } = exponential;
  const raised = Math.floor((criteria.of === 'notified' ? counts.notified : counts.succeeded) / criteria.things);
  return Math.min(maximumPerMinute, baseRatePerMinute * incrementFactor ** raised);
}

/**
 * When the next execution is due after one that is due at `at`, with the counts as they are before that one: milliseconds, with
 * a fraction, so that no rest is lost.
 */
export const dueAfter = (at: number, rate: RolloutRate, counts: RolloutCounts): number =>
  at + MINUTE / ratePerMinute(rate, counts);

/** When the next execution is due after a change of the rate: as if the one before had been made at the new rate. */
export function dueAtRate(
  at: number,
  { before, after, now }: { readonly before: RolloutRate; readonly after: RolloutRate; readonly now: number },
  { notified, succeeded }: RolloutCounts,
): number {
  if (notified === 0) return at;
  const counts = { notified: notified - 1, succeeded };
  const last = caughtUp(at, now) - MINUTE / ratePerMinute(before, counts);
  return Math.max(now, dueAfter(last, after, counts));
}

/** The due time to go on with: where a rollout was held up for long, or the clock has gone back, now. */
export const caughtUp = (at: number, now: number): number => (at < now - MAX_LAG || at > now + STEP + MINUTE ? now : at);

/** Milliseconds by which sums of fractions may be off. */
const ROUNDING = 0.5;

/** Whether the step that begins now does what is due at this time. */
export const isInStep = (at: number, now: number): boolean => at < now + STEP - ROUNDING;
