/** Structured log lines, JSON on standard error: standard output is kept for the ready line and for commands. */
import { type DestinationStream, type LogFn, type Logger, pino } from 'pino';
import { escapeText } from './escape-text.ts';

export type { Logger };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Members that may hold a secret; a log line never shows them. */
const REDACTED = [
  'privateKey',
  'PrivateKey',
  'secretAccessKey',
  'authorization',
  'password',
  '*.privateKey',
  '*.PrivateKey',
  '*.secretAccessKey',
  '*.authorization',
  '*.password',
];

/** JSON escapes C0 controls alone: the others are escaped here, so that no line moves a terminal. */
const escaping = (destination: DestinationStream): DestinationStream => ({
  write: (line) => destination.write(`${escapeText(line.slice(0, -1))}\n`),
});

/** Lines of level error in a second; more are counted. Refusals, which strangers cause, have a bound of their own. */
const ERRORS_PER_SECOND = 50;
/** Characters of an error's message and stack. */
const MAX_ERROR_TEXT = 4096;
const ERROR_LEVEL = pino.levels.values.error ?? 50;

/** Lets errors pass up to a rate: what goes wrong at every request of a flood must not fill the disk. */
function boundErrors(now: () => number) {
  let second = 0;
  let logged = 0;
  let left = 0;
  return function logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    if (level < ERROR_LEVEL) {
      method.apply(this, args);
      return;
    }
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      const [count, from] = [left, second];
      [second, logged, left] = [current, 0, 0];
      if (count > 0)
        method.call(this, { event: 'errors-left-out', count, second: from }, 'more errors than are logged in a second');
    }
    if (logged >= ERRORS_PER_SECOND) {
      left += 1;
      return;
    }
    logged += 1;
    method.apply(this, args);
  };
}

const cut = (text: unknown): unknown =>
  typeof text === 'string' && text.length > MAX_ERROR_TEXT ? `${text.slice(0, MAX_ERROR_TEXT)}…` : text;

/** An error as pino shows it, its texts cut. */
function errorMembers(error: Error): object {
  const shown = pino.stdSerializers.err(error);
  return typeof shown === 'object' && shown !== null ? { ...shown, message: cut(shown.message), stack: cut(shown.stack) } : shown;
}

export const openLog = (level: LogLevel, destination?: DestinationStream, now: () => number = Date.now): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      redact: REDACTED,
      serializers: { err: errorMembers },
      hooks: { logMethod: boundErrors(now) },
    },
    escaping(destination ?? pino.destination({ fd: 2, sync: true })),
  );
