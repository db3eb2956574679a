/** Files that say that a folder is no data folder: a backup, one that was not finished, or half a restored one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config-error.ts';

/** What is in a backup, with the digest of each file: written last. */
export const MANIFEST = 'backup.json';
/** There until the backup is whole. */
export const BACKUP_BEGUN = 'backup-incomplete';
/** There until the restored folder is whole. */
export const RESTORE_BEGUN = 'restore-incomplete';

/** Fails for a folder that no server may be started in. */
export function refuseUnfinished(path: string): void {
  if (existsSync(join(path, RESTORE_BEGUN)))
    throw new ConfigError(`data folder ${path} was not restored to the end: remove it, and restore it again`);
  if (existsSync(join(path, MANIFEST)) || existsSync(join(path, BACKUP_BEGUN)))
    throw new ConfigError(`${path} is a backup, no data folder: thingkeep restore ${path} --data-dir DIR makes one of it`);
}
