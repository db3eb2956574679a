/** What the process takes of its machine: processors, memory, open files. */
import { readdir, stat } from 'node:fs/promises';
import type { Clock } from './clock.ts';
import { openFileLimit } from './connection-limit.ts';

/** The open files of this process, where the system shows them (Linux). */
const OPEN_FILES = '/proc/self/fd';

export class ProcessFigures {
  /** Seconds since the epoch. */
  readonly startedAt: number;
  /** Undefined where there is no limit. */
  readonly maxFiles = openFileLimit();

  constructor(clock: Clock) {
    this.startedAt = clock.now() / 1000 - process.uptime();
  }

  get cpuSeconds(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }

  /** Bytes. */
  get memory(): { readonly resident: number; readonly used: number; readonly free: number; readonly external: number } {
    const { rss: resident, heapUsed: used, heapTotal, external } = process.memoryUsage();
    return { resident, used, free: heapTotal - used, external };
  }

  /**
   * Open file descriptors; undefined where the system has no such number. Linux 6.2 and later give it as the size of the
   * folder.
   */
  async openFiles(): Promise<number | undefined> {
    try {
      const { size } = await stat(OPEN_FILES);
      return size > 0 ? size : (await readdir(OPEN_FILES)).length;
    } catch {
      return undefined;
    }
  }
}
