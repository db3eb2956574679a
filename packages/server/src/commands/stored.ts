/** The data file of a folder, for a command that opens it while no server runs. */
import { statSync } from 'node:fs';
import { COLLECTIONS } from '../collections.ts';
import type { Config } from '../config/config.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { ConfigError } from '../config/settings.ts';
import type { HookedStore } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';

/** Fails for root in the folder of somebody else: what root makes there would be closed to the server. */
export function checkOwner(folder: DataFolder): void {
  const { uid } = statSync(folder.path);
  if (process.getuid?.() === 0 && uid !== 0)
    throw new ConfigError(`data folder ${folder.path} belongs to user ${uid}: run this as that user, or while the server runs`);
}

/** Opens the data file; one of an older form is refused, not changed. */
export async function openStored(folder: DataFolder, { region }: Pick<Config, 'region'>): Promise<HookedStore> {
  checkOwner(folder);
  return openSqliteStore({ path: folder.dataFile, collections: COLLECTIONS, region, migrates: false });
}
