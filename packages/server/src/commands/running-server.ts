/** How the server of a data folder is reached: what it wrote down at its start. */
import { existsSync, readFileSync } from 'node:fs';
import type { DataFolder } from '../config/data-folder.ts';
import { ConfigError } from '../config/settings.ts';

export interface RunningServer {
  readonly url: string;
  readonly region: string;
}

export function runningServer(folder: DataFolder): RunningServer {
  if (!existsSync(folder.running)) throw new ConfigError(`no server runs on data folder ${folder.path}`);
  return JSON.parse(readFileSync(folder.running, 'utf8')) as RunningServer;
}
