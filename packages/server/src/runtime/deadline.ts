/**
 * Deadlines for what a peer is to do. A timer that fires late tells of a standstill ({@link Standstill}): what the peer did
 * in time lies unread, so it gets a grace, once.
 */
import { systemClock } from './clock.ts';
import { GRACE } from './standstill.ts';

/** Milliseconds that a timer may be late; one that is later tells of a standstill. */
const LATE = 1_000;

/** Calls `act` after so many milliseconds; gives the function that cancels it. Keeps no process alive. */
export function startDeadline(milliseconds: number, act: () => void): () => void {
  const due = systemClock.monotonic() + milliseconds;
  const fired = (): void => {
    if (systemClock.monotonic() - due > LATE) timer = setTimeout(act, Math.min(milliseconds, GRACE)).unref();
    else act();
  };
  let timer = setTimeout(fired, milliseconds).unref();
  return () => clearTimeout(timer);
}

/** A signal that aborts as that of AbortSignal.timeout, with the same grace; `end` is to be called once it is not needed any more. */
export function deadlineSignal(milliseconds: number): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  return { signal: controller.signal, end: startDeadline(milliseconds, () => controller.abort(late)) };
}
