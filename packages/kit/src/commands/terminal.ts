/** Speaks to the user: results on standard output, what happens meanwhile on standard error, questions to whoever is there. */
import { createInterface, type Interface } from 'node:readline';
import { systemKitClock } from '../clock.ts';
import type { Surroundings } from './command.ts';

export interface Terminal extends Surroundings, Disposable {
  /** Takes away the line of progress. */
  endProgress(): void;
}

/** Milliseconds between two lines of progress. */
const PROGRESS_EVERY = 100;

/** The terminal of this process; with `isQuiet` (`--json`) nothing but the result is said. */
export function openTerminal(isQuiet: boolean): Terminal {
  const { stdin, stderr } = process;
  const abort = new AbortController();
  const onSignal = (): void => abort.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  let lines: Interface | undefined;
  let waiting: AsyncIterator<string> | undefined;
  let shownAt = Number.NEGATIVE_INFINITY;
  const showsProgress = !isQuiet && stderr.isTTY;
  const endProgress = (): void => {
    if (shownAt !== Number.NEGATIVE_INFINITY) stderr.write('\r\x1b[K');
    shownAt = Number.NEGATIVE_INFINITY;
  };
  return {
    clock: systemKitClock,
    environment: process.env,
    signal: abort.signal,
    say(line) {
      if (isQuiet) return;
      endProgress();
      stderr.write(`${line}\n`);
    },
    progress(line) {
      const now = systemKitClock.monotonic();
      if (!showsProgress || now - shownAt < PROGRESS_EVERY) return;
      shownAt = now;
      stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
    },
    endProgress,
    async ask(question) {
      endProgress();
      if (!isQuiet) stderr.write(question);
      lines ??= createInterface({ input: stdin, terminal: false });
      waiting ??= lines[Symbol.asyncIterator]();
      const { done, value } = await waiting.next();
      return done ? undefined : value;
    },
    [Symbol.dispose]() {
      endProgress();
      lines?.close();
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
