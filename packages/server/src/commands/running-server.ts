/** How the server of a data folder is reached: what it wrote down at its start. */
import { existsSync, readFileSync } from 'node:fs';
import type { DataFolder } from '../config/data-folder.ts';
import { ConfigError } from '../config/settings.ts';
import { unsealJson } from '../runtime/sealed-json.ts';

export interface RunningServer {
  readonly url: string;
  readonly region: string;
  readonly pid: number;
}

/** Whether a process of this id is there, also one of another user. */
export function isAlive(pid: number): boolean {
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
  const written = readNote(readFileSync(folder.running, 'utf8'));
  if (written === undefined)
    throw new ConfigError(`${folder.running} is damaged: restart the server, or remove the file where none runs`);
  return isAlive(written.pid) ? written : undefined;
}

/** Undefined for a damaged text. Earlier releases wrote it without a checksum. */
function readNote(text: string): RunningServer | undefined {
  const sealed = unsealJson(text);
  if (sealed !== undefined) return sealed as unknown as RunningServer;
  try {
    const parsed = JSON.parse(text) as Partial<RunningServer> | null;
    const { url, region, pid } = parsed ?? {};
    if (url === undefined || region === undefined || pid === undefined) return undefined;
    return parsed !== null && 'sha256' in parsed ? undefined : { url, region, pid };
  } catch {
    return undefined;
  }
}

export const isRunning = (folder: DataFolder): boolean => find(folder) !== undefined;

export function runningServer(folder: DataFolder): RunningServer {
  const running = find(folder);
  if (running === undefined) throw new ConfigError(`no server runs on data folder ${folder.path}`);
  return running;
}
