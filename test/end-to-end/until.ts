/** Waiting with a deadline: for what can only be seen by looking again. */
import { setImmediate, setTimeout } from 'node:timers/promises';

const DEADLINE = 10_000;

/** Looks until there is something to see. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  deadline = DEADLINE,
): Promise<T> {
  const end = performance.now() + deadline;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > end) throw new Error(`${what}: not within ${deadline} ms`);
    await setTimeout(5);
    await setImmediate();
  }
}

/** The promise's value, unless it takes too long. */
export async function within<T>(what: string, promise: Promise<T>, deadline = DEADLINE): Promise<T> {
  const timer = new AbortController();
  const late = setTimeout(deadline, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what}: not within ${deadline} ms`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

/** A start on a busy machine may take a while; how long it takes on a free one is asserted where that is the subject. */
export const startDeadline = <T>(promise: Promise<T>): Promise<T> => within('the ready line', promise, 30_000);
