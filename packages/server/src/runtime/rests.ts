/** Long work that rests as long as it has worked, so that half of the time is for others. */
import type { Clock } from './clock.ts';

/** Milliseconds of work until a rest is worth one, and of one rest at most. */
const TURN = 5;
const MAX_REST = 100;

/** To be awaited after each piece of the work; undefined where no rest is due. */
export function restsOf(clock: Pick<Clock, 'monotonic'>): () => Promise<void> | undefined {
  let since = clock.monotonic();
  return () => {
    const worked = clock.monotonic() - since;
    if (worked < TURN) return undefined;
    return new Promise<void>((resolve) => setTimeout(resolve, Math.min(worked, MAX_REST))).then(() => {
      since = clock.monotonic();
    });
  };
}
