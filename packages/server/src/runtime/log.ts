/** Structured log lines, JSON on standard error: standard output is kept for the ready line and for commands. */
import { type DestinationStream, type Logger, pino } from 'pino';
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

export const openLog = (level: LogLevel, destination?: DestinationStream): Logger =>
  pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"`, redact: REDACTED },
    escaping(destination ?? pino.destination({ fd: 2, sync: true })),
  );
