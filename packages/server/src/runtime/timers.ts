/** Repeated work: one list of timers serves the running server and the tests that move the clock. */
import { isDiskRefusal } from './disk-failure.ts';
import type { Logger } from './log.ts';

export interface Timer {
  /** Milliseconds between two runs. */
  readonly every: number;
  /** Text of the log line when a run fails. */
  readonly failure: string;
  readonly run: () => unknown;
}

async function runOne({ run, failure }: Timer, log: Logger): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isDiskRefusal(error)) log.error({ err: error, event: 'timer-failed' }, failure);
  }
}

/** Starts timers, which do not keep the process alive; returns the function that ends them. */
export function startTimers(timers: readonly Timer[], log: Logger): () => void {
  const started = timers.map((timer) => setInterval(() => void runOne(timer, log), timer.every).unref());
  return () => {
    for (const each of started) clearInterval(each);
  };
}

/** Runs each timer once, in the order of the list. */
export async function runTimers(timers: readonly Timer[], log: Logger): Promise<void> {
  for (const timer of timers) await runOne(timer, log);
}
