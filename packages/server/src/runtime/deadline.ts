/**
 * Deadlines for peers. A timer that fires late means a standstill ({@link Standstill}): bytes that the peer has sent in time
 * may be unread, so its deadline is extended once.
 */
import { systemClock } from './clock.ts';
import { GRACE } from './standstill.ts';

/** Milliseconds that a timer may be late; a later one means a standstill. */
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

/** A signal as of AbortSignal.timeout, with the same extension; `end` is to be called once it is no longer needed. */
export function deadlineSignal(milliseconds: number): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const late = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  return { signal: controller.signal, end: startDeadline(milliseconds, () => controller.abort(late)) };
}
