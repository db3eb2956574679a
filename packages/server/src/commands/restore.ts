/** `thingkeep restore BACKUP --data-dir DIR`: makes a data folder of a backup that is whole. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readConfig, readFlags } from '../config/config.ts';
import { readEnvironment } from '../config/env.ts';
import { ConfigError } from '../config/settings.ts';
import { restoreBackup } from '../installation/restore.ts';
import { escapeText } from '../runtime/escape-text.ts';

const USAGE = 'thingkeep restore BACKUP --data-dir DIR';

export async function restore(args: readonly string[]): Promise<number> {
  const [wanted = '', ...rest] = args;
  if (wanted === '' || wanted.startsWith('--'))
    throw new ConfigError(`the folder of the backup is missing, it comes first: ${USAGE}`);
  const { dataDir } = readConfig(readFlags(rest), readEnvironment());
  const from = resolve(wanted);
  if (!existsSync(from)) throw new ConfigError(`there is no backup ${from}`);
  process.umask(0o077);
  const { installation, time, files } = await restoreBackup(from, dataDir);
  process.stdout.write(`restored installation ${installation} as of ${time}: ${files.length} files in ${escapeText(dataDir)}\n`);
  return 0;
}
