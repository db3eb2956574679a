/** Time as load generators need it. */

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds that all processes of this machine agree about. */
export const wallClock = (): number => performance.timeOrigin + performance.now();

/** Calls `send` so many times a second, evenly as far as timers go, until the answer is called. */
export function pace(perSecond: number, send: (due: number) => void): () => void {
  const begin = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) * perSecond) / 1000);
    for (; sent < due; sent += 1) send(begin + ((sent + 1) * 1000) / perSecond);
  }, 1);
  return () => clearInterval(timer);
}

/** Waits until something holds, or for `ms` at most; says whether it held. */
export async function until(holds: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) return false;
    await pause(5);
  }
  return true;
}

/** The promise's outcome, or a failure after `ms`. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
