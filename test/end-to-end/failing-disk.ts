/** A disk that fails when a test says so: a library between the server and the system, made from failing-disk.c. */
import { defined } from '@thingkeep/wire/defined.ts';
import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('failing-disk.c', import.meta.url));

export interface Failing {
  /** What fails: files below this folder. */
  readonly folder: string;
  /** The first call that fails, from 1. */
  readonly from: number;
  /** How many fail; all that follow when absent. */
  readonly times?: number;
  readonly error: keyof typeof constants.errno;
  readonly calls?: 'all' | 'write' | 'sync';
  /** A file: calls count while it is there. */
  readonly on?: string;
}

/** Makes the library in a folder; gives what a program is started with. */
export function failingDisk(folder: string): (failing: Failing) => Record<string, string> {
  const library = join(folder, 'failing-disk.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
  return ({ folder: below, from, times = 1_000_000_000, error, calls = 'all', on }) =>
    defined({
      LD_PRELOAD: library,
      FAIL_FOLDER: below,
      FAIL_FROM: String(from),
      FAIL_TIMES: String(times),
      FAIL_ERRNO: String(constants.errno[error]),
      FAIL_CALLS: calls,
      FAIL_SWITCH: on,
    });
}
