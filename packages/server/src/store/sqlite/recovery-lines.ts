/** Lines of the server's log on what a start found in the write-ahead log, and did. */
import type { Recovery } from './files.ts';

interface Log {
  warn(members: object, text: string): void;
  error(members: object, text: string): void;
}

const TEXTS: Readonly<Record<Recovery['event'], string>> = {
  'log-torn': 'the last transaction was cut off before it was acknowledged, and is dropped',
  'log-mended': 'a byte of the write-ahead log was wrong, and is mended: look at the disk',
  'commits-lost': 'acknowledged commits are not in the data file, and are given up: --damaged-log recover',
  'log-cut': 'the write-ahead log is damaged, and what lies behind the damage is given up: --damaged-log recover',
};

/** Writes a line of the log for each thing that a start did to the write-ahead log. */
export const logRecovery =
  (log: Log) =>
  (recovery: Recovery): void => {
    const { event, isOneByte, ...members } = recovery;
    if (isOneByte === true)
      log.error(
        { event: 'log-damaged', ...members },
        'the last transaction is dropped: a byte of it is wrong, and it can not be said which',
      );
    else if (event === 'log-torn') log.warn({ event, ...members }, TEXTS[event]);
    else log.error({ event, ...members }, TEXTS[event]);
  };
