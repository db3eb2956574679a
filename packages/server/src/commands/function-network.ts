/** Refuses `--function-network open` where the programs are missing that make such a network. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/settings.ts';

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Programs, and the packages of Debian that bring them. */
const NEEDED: readonly (readonly [program: string, debian: string])[] = [
  ['pasta', 'passt'],
  ['ip', 'iproute2'],
  ['setpriv', 'util-linux'],
];

export function checkFunctionNetwork(
  { functionNetwork, allowUnconfinedFunctions }: Pick<Config, 'functionNetwork' | 'allowUnconfinedFunctions'>,
  folders: readonly string[] = FOLDERS,
): void {
  if (functionNetwork !== 'open' || allowUnconfinedFunctions) return;
  for (const [program, debian] of NEEDED)
    if (!folders.some((folder) => existsSync(join(folder, program))))
      throw new ConfigError(`--function-network open needs ${program}: install the Debian package ${debian}`);
}
