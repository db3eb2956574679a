/** The clock of the kit, handed to each part that needs the time, so that a test can move it. */
export interface KitClock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number;
}

export const systemKitClock: KitClock = { now: () => Date.now(), monotonic: () => performance.now() };
