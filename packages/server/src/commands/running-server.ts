/** How the server of a data folder is reached: what it wrote down at its start. */
import { existsSync, readFileSync } from 'node:fs';
import type { DataFolder } from '../config/data-folder.ts';
import { ConfigError } from '../config/settings.ts';

export interface RunningServer {
  readonly url: string;
  readonly region: string;
  readonly pid: number;
}

/** Whether a process of this id is there, be it somebody else's. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What the running server has written; undefined when none runs. A server that was killed leaves its note behind. */
function find(folder: DataFolder): RunningServer | undefined {
  if (!existsSync(folder.running)) return undefined;
  const written = JSON.parse(readFileSync(folder.running, 'utf8')) as RunningServer;
  return isAlive(written.pid) ? written : undefined;
}

export const isRunning = (folder: DataFolder): boolean => find(folder) !== undefined;

export function runningServer(folder: DataFolder): RunningServer {
  const running = find(folder);
  if (running === undefined) throw new ConfigError(`no server runs on data folder ${folder.path}`);
  return running;
}
