/**
 * Ends the process after a failed sync: the system may have dropped the data, and a second sync would succeed all the same,
 * so going on could lose what was acknowledged. PostgreSQL does the same. The next start recovers from the log.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import type { Logger } from './log.ts';

export interface Panic {
  (what: string, error: unknown): void;
  /** Called at the end of the start: before that the error itself ends the start, in one line. */
  arm(): void;
}

/**
 * Whether the file system has become read-only, as after an error of its disk. It then takes no write until it is mounted
 * anew, which needs the end of the process: no later sync can succeed.
 */
function isReadOnly(folder: string): boolean {
  const probe = `${folder}/write-probe`;
  try {
    closeSync(openSync(probe, 'w', 0o600));
    rmSync(probe);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

/** `folder` is the data folder. */
export function panicOf(log: Logger, folder: string): Panic {
  let isArmed = false;
  const panic = (what: string, error: unknown): void => {
    if (!isArmed || isReadOnly(folder)) return;
    log.fatal(
      { event: 'panic', err: error },
      `${what} could not be synced to disk: the server ends, and the next start recovers`,
    );
    // Killed, so that the data file is not closed: closing would write to the file whose sync has failed.
    process.kill(process.pid, 'SIGKILL');
  };
  return Object.assign(panic, {
    arm: () => {
      isArmed = true;
    },
  });
}
