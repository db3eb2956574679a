/**
 * Deadlines for what a peer is to do. A timer that fires late tells of a standstill ({@link Standstill}): what the peer did
 * in time lies unread, so it gets a grace, once.
 */
import { systemClock } from './clock.ts';

/** Milliseconds: later than this is a standstill, and how long the grace is at most. */
const LATE = 1_000;
const GRACE = 5_000;

/** Calls `act` after so many milliseconds; gives the function that prevents it. Keeps no process alive. */
export function patiently(milliseconds: number, act: () => void): () => void {
  const due = systemClock.monotonic() + milliseconds;
  const fired = (): void => {
    if (systemClock.monotonic() - due > LATE) timer = setTimeout(act, Math.min(milliseconds, GRACE)).unref();
    else act();
  };
  let timer = setTimeout(fired, milliseconds).unref();
  return () => clearTimeout(timer);
}

/** A signal that aborts as AbortSignal.timeout does, but patiently; `end` is to be called once it is not needed any more. */
export function patientSignal(milliseconds: number): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  return { signal: controller.signal, end: patiently(milliseconds, () => controller.abort(late)) };
}
