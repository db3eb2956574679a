/** `thingkeep backup DIR`: a consistent copy of the data folder, written by the running server, else by the command. */
import { randomBytes } from 'node:crypto';
import {
  constants,
  closeSync,
  existsSync,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Config, readConfig, readFlags } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { readEnvironment } from '../config/env.ts';
import { writePrivateFile } from '../config/private-file.ts';
import { BACKUP_BEGUN } from '../config/unfinished.ts';
import { type BackupSummary, checkTarget, writeBackup } from '../installation/backup.ts';
import { systemClock } from '../runtime/clock.ts';
import { escapeText } from '../runtime/escape-text.ts';
import { ask, openServer } from './ask-server.ts';
import { isRunning } from './running-server.ts';
import { checkOwner, openDataFile, openFolder } from './stored.ts';

const USAGE = 'thingkeep backup DIR [--data-dir DIR]';

/** Makes the folder, for the owner of the data folder alone. Gives its path without links. */
function makeTarget(wanted: string, folder: DataFolder): string {
  const above = dirname(resolve(wanted));
  if (!existsSync(above)) throw new ConfigError(`there is no folder ${above}`);
  const target = join(realpathSync(above), resolve(wanted).slice(above.length));
  if (existsSync(target)) {
    if (!statSync(target).isDirectory() || readdirSync(target).length > 0)
      throw new ConfigError(`backup folder ${target} is not empty: a backup is written into a new or empty folder`);
  } else mkdirSync(target, { mode: 0o700 });
  const handle = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const { uid, gid } = statSync(folder.path);
    if (process.getuid?.() === 0) fchownSync(handle, uid, gid);
    fchmodSync(handle, 0o700);
  } finally {
    closeSync(handle);
  }
  return target;
}

async function backUpOffline(folder: DataFolder, config: Config, target: string, note: string): Promise<BackupSummary> {
  checkOwner(folder);
  if (!existsSync(folder.dataFile)) throw new ConfigError(`${folder.path} holds no data file`);
  checkTarget(folder, target, note);
  await using store = await openDataFile(folder, config);
  return await writeBackup({ folder, store, holds: [], clock: systemClock }, target);
}

/** Copies the data folder into a new or empty folder, by the running server where there is one. */
export async function copyFolder(
  folder: DataFolder,
  config: Config,
  wanted: string,
): Promise<{ target: string } & BackupSummary> {
  const target = makeTarget(wanted, folder);
  const note = randomBytes(32).toString('hex');
  writePrivateFile(join(target, BACKUP_BEGUN), note);
  try {
    const summary = isRunning(folder)
      ? await ask<BackupSummary>(
          openServer(folder, config.accountId),
          'POST',
          `/admin/backup?${new URLSearchParams({ path: target, note })}`,
        )
      : await backUpOffline(folder, config, target, note);
    return { target, ...summary };
  } catch (error) {
    removeUnlessBegun(target);
    throw error;
  }
}

export async function backup(args: readonly string[]): Promise<number> {
  const [wanted = '', ...rest] = args;
  if (wanted === '' || wanted.startsWith('--'))
    throw new ConfigError(`the folder of the backup is missing, it comes first: ${USAGE}`);
  const config = readConfig(readFlags(rest), readEnvironment());
  const folder = openFolder(config);
  const { installation, files, bytes, target } = await copyFolder(folder, config, wanted);
  process.stdout.write(`backup of installation ${installation}: ${files} files, ${bytes} bytes in ${escapeText(target)}\n`);
  return 0;
}

/** Takes back a folder in which nothing was written; half a backup stays, and says what it is. */
function removeUnlessBegun(target: string): void {
  if (!existsSync(target) || readdirSync(target).some((name) => name !== BACKUP_BEGUN)) return;
  rmSync(join(target, BACKUP_BEGUN), { force: true });
  rmdirSync(target);
}
