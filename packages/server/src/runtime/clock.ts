/** The clock, handed to each part that needs the time, so that a test can move it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch: for dates that people and protocols see. */
  now(): number;
  /** Milliseconds of a clock that never jumps: for keep-alive, deadlines and expiry. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
