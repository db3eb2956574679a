/** Structured log lines, JSON on standard error: standard output is kept for the ready line and for commands. */
import { type DestinationStream, type LogFn, type Logger, pino } from 'pino';
import { isDiskRefusal } from './disk-failure.ts';
import { escapeText } from './escape-text.ts';

export type { Logger };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Members that may hold a secret; they are left out of log lines. */
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

/** Escapes the control characters that JSON does not, so that no line controls a terminal. */
const escaping = (destination: DestinationStream): DestinationStream => ({
  write: (line) => destination.write(`${escapeText(line.slice(0, -1))}\n`),
});

/** Lines in a second, by level; further ones are counted. */
const ERRORS_PER_SECOND = 50;
const OTHERS_PER_SECOND = 500;
/** Errors of one kind in a second; in the seconds that follow while it goes on, one. */
const ERRORS_OF_KIND = 10;
const ERRORS_OF_LASTING_KIND = 1;
/** Kinds of errors that are counted apart; a kind is the fixed text of a line. */
const MAX_KINDS = 256;
/** Characters of an error's message and stack. */
const MAX_ERROR_TEXT = 4096;
const ERROR_LEVEL = pino.levels.values.error ?? 50;
const INFO_LEVEL = pino.levels.values.info ?? 30;

interface Counted {
  logged: number;
  leftOut: number;
}

/** Limits lines to a rate, so that a flood of requests does not fill the disk. */
function boundLines(now: () => number) {
  let second = 0;
  let errors: Counted = { logged: 0, leftOut: 0 };
  let others: Counted = { logged: 0, leftOut: 0 };
  /** Errors of this second and of the one before, by their kind. */
  let kinds = new Map<string, number>();
  let before = new Map<string, number>();
  const isTooMany = (kind: string): boolean => {
    const count = kinds.get(kind) ?? 0;
    if (count > 0 || kinds.size < MAX_KINDS) kinds.set(kind, count + 1);
    const most = (before.get(kind) ?? 0) >= ERRORS_OF_KIND ? ERRORS_OF_LASTING_KIND : ERRORS_OF_KIND;
    return count >= most;
  };
  return function logMethod(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
    if (level < INFO_LEVEL) {
      method.apply(this, args);
      return;
    }
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      const count = errors.leftOut + others.leftOut;
      const members = { event: 'lines-left-out', count, errors: errors.leftOut, second };
      before = current === second + 1 ? kinds : new Map();
      kinds = new Map();
      second = current;
      errors = { logged: 0, leftOut: 0 };
      others = { logged: 0, leftOut: 0 };
      if (count > 0) method.call(this, members, 'more lines than are logged in a second');
    }
    const [counted, most] = level < ERROR_LEVEL ? [others, OTHERS_PER_SECOND] : [errors, ERRORS_PER_SECOND];
    const kind = typeof args[1] === 'string' ? args[1] : '';
    if (counted.logged >= most || (level >= ERROR_LEVEL && kind !== '' && isTooMany(kind))) {
      counted.leftOut += 1;
      return;
    }
    counted.logged += 1;
    method.apply(this, args);
  };
}

const cut = (text: unknown): unknown =>
  typeof text === 'string' && text.length > MAX_ERROR_TEXT ? `${text.slice(0, MAX_ERROR_TEXT)}…` : text;

/** Whether an error is logged without its stack: one of the disk or of stored data, not of the program. */
const isStackless = (error: Error): boolean => (error as { stackless?: true }).stackless === true || isDiskRefusal(error);

/** An error as pino shows it, its texts cut. */
function errorMembers(error: Error): object {
  const shown = pino.stdSerializers.err(error);
  if (isStackless(error)) return { type: shown.type, message: cut(shown.message) };
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
      hooks: { logMethod: boundLines(now) },
    },
    escaping(destination ?? pino.destination({ fd: 2, sync: true })),
  );
