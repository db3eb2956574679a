/**
 * The last handler of uncaught errors: they are logged, within bounds, and the server goes on. An error in serving one peer
 * must not end the service for all others (docs/decisions/last-guard.md).
 */
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

export interface LastGuardOptions {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error'>;
}

/** Lines in a second; further errors are counted, and their number is in the next line. */
const MOST = 10;
const SECOND = 1000;
/** Characters of an error in a line. */
const LONGEST = 4096;

/** The text of a thrown value, which need not be an Error. */
function words(error: unknown): string {
  try {
    return (error instanceof Error ? (error.stack ?? error.message) : String(error)).slice(0, LONGEST);
  } catch {
    return 'an error that can not be shown';
  }
}

/** Makes the function that logs uncaught errors. */
export function lastGuard({ clock, log }: LastGuardOptions): (kind: string, error: unknown) => void {
  let since = Number.NEGATIVE_INFINITY;
  let [told, untold] = [0, 0];
  return (kind, error) => {
    const now = clock.monotonic();
    if (now - since >= SECOND) [since, told] = [now, 0];
    if (told >= MOST) {
      untold += 1;
      return;
    }
    told += 1;
    const line = { event: 'uncaught', kind, error: words(error), untold };
    untold = 0;
    try {
      log.error(line, 'an error that nothing caught; please report it');
    } catch {
      // A log that can't be written does not end the process.
    }
  };
}

/** Handles uncaught errors of this process; returns the function that ends this. */
export function standGuard(options: LastGuardOptions): () => void {
  const guard = lastGuard(options);
  const rejected = (reason: unknown): void => guard('rejection', reason);
  const thrown = (error: unknown): void => guard('exception', error);
  process.on('unhandledRejection', rejected);
  process.on('uncaughtException', thrown);
  return () => {
    process.off('unhandledRejection', rejected);
    process.off('uncaughtException', thrown);
  };
}
