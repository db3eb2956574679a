/** A publisher as routing and rules know it: it is made to wait when it sends more than receivers take. */
import type { Origin } from './origin.ts';

/** Goes on when what it waited for has room again. */
export interface Waiter {
  resumeReading(): void;
}

/** A receiver that publishers may have to wait for. */
export interface Congestible {
  /** Calls `resumeReading` of the waiter once there is room, or once it has been waited for long enough. */
  wait(waiter: Waiter, now: number): void;
  /** Gives up waiting when it stays full: called with each tick, in monotonic milliseconds, until no publisher waits any more. */
  check(now: number): 'waiting' | 'done';
}

export interface Publisher extends Waiter {
  /** What rules may know of where its messages come from. */
  readonly origin: Origin;
  /** Stops reading until the receiver has room. */
  waitFor(receiver: Congestible): void;
  /** Stops reading until what was sent is on disk. */
  waitForDisk(): void;
  /** Stops reading until as many calls of `resumeReading` have come. */
  pauseReading(): void;
}
