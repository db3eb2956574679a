/** The data folder and the data file of a command, which opens the file itself only while no server runs. */
import { existsSync, statSync } from 'node:fs';
import { COLLECTIONS } from '../collections.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { type DataFolder, openDataFolder } from '../config/data-folder.ts';
import type { HookedStore } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';

/** Opens the data folder of a command; what the command makes is closed to other users. `makes`: whether it may be a new one. */
export function openFolder({ dataDir }: Pick<Config, 'dataDir'>, makes = false): DataFolder {
  if (!makes && !existsSync(dataDir)) throw new ConfigError(`there is no data folder ${dataDir}`);
  process.umask(0o077);
  return openDataFolder(dataDir, { anyOwner: true });
}

/** Fails for root in the folder of another user: the server could not use what root makes there. */
export function checkOwner(folder: DataFolder): void {
  const { uid } = statSync(folder.path);
  if (process.getuid?.() === 0 && uid !== 0)
    throw new ConfigError(`data folder ${folder.path} belongs to user ${uid}: run this as that user, or while the server runs`);
}

/** Opens the data file; one of an older form is refused, not changed. */
export const openDataFile = (folder: DataFolder, { region }: Pick<Config, 'region'>): Promise<HookedStore> =>
  openSqliteStore({ path: folder.dataFile, collections: COLLECTIONS, region, migrates: false });

/** Opens the data file of a stopped server. */
export async function openStored(folder: DataFolder, config: Pick<Config, 'region'>): Promise<HookedStore> {
  checkOwner(folder);
  return openDataFile(folder, config);
}
