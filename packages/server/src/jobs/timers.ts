/**
 * Timers of an execution (developer guide, page jobs-configurations-details): the in-progress timer runs from the start on and
 * can't be moved; a step timer is set by the device, replaces the one before, and never outlives the in-progress timer.
 */

export interface Timers {
  /** Milliseconds since the epoch; absent without a timer. */
  readonly inProgressDeadline?: number | undefined;
  readonly stepDeadline?: number | undefined;
}

const MINUTE = 60_000;
/** What a device sends to end the step timer. */
export const NO_STEP_TIMER = -1;
/** Minutes of a timer. */
export const MAX_MINUTES = 10_080;

/** The timers of an execution that a device starts. */
export const startedTimers = (now: number, inProgressMinutes: number | undefined): Timers =>
  inProgressMinutes === undefined ? {} : { inProgressDeadline: now + inProgressMinutes * MINUTE };

/** The timers after an update: without minutes the step timer goes on. */
export function withStepTimer({ inProgressDeadline, stepDeadline }: Timers, now: number, minutes: number | undefined): Timers {
  if (minutes === undefined) return { inProgressDeadline, stepDeadline };
  if (minutes === NO_STEP_TIMER) return { inProgressDeadline, stepDeadline: undefined };
  return { inProgressDeadline, stepDeadline: Math.min(now + minutes * MINUTE, inProgressDeadline ?? Number.POSITIVE_INFINITY) };
}

/** When the execution times out; undefined without a timer. */
export function timesOutAt({ inProgressDeadline, stepDeadline }: Timers): number | undefined {
  if (inProgressDeadline === undefined || stepDeadline === undefined) return inProgressDeadline ?? stepDeadline;
  return Math.min(inProgressDeadline, stepDeadline);
}

/** Seconds until it times out, as it is shown. */
export function secondsLeft(timers: Timers, now: number): number | undefined {
  const deadline = timesOutAt(timers);
  return deadline === undefined ? undefined : Math.max(0, Math.floor((deadline - now) / 1000));
}
