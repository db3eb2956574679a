/** Makes a data folder of a backup, once every file of the backup was compared with the manifest. */
import { chownSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import { syncFolder, writePrivateFile } from '../config/private-file.ts';
import { RESTORE_BEGUN } from '../config/unfinished.ts';
import { copyFile } from './copy-file.ts';
import { digestOfFile, FOLDERS, type Manifest, readManifest, verifyBackup } from './manifest.ts';

/** Fails unless the folder is missing or empty: what is left of another would be taken for a part of this one. */
function checkEmpty(dataDir: string): void {
  const stats = statSync(dataDir, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (!stats.isDirectory()) throw new ConfigError(`data folder ${dataDir} is not a folder`);
  const [first] = readdirSync(dataDir);
  if (first !== undefined)
    throw new ConfigError(
      `data folder ${dataDir} is not empty (${first}): a backup is restored into an empty or missing folder alone`,
    );
}

/** Fails where the folder can not be made, or would be in the backup, which would be none any more. */
function checkApart(backup: string, dataDir: string): void {
  const above = existsSync(dataDir) ? dataDir : dirname(dataDir);
  if (!existsSync(above)) throw new ConfigError(`there is no folder ${above}`);
  const path = join(realpathSync(above), dataDir.slice(above.length));
  if (`${path}/`.startsWith(`${realpathSync(backup)}/`))
    throw new ConfigError(`data folder ${dataDir} would be in the backup ${backup}: a backup is not changed`);
}

/** Restores a backup into a folder that is missing or empty. */
export async function restoreBackup(backup: string, dataDir: string): Promise<Manifest> {
  checkEmpty(dataDir);
  checkApart(backup, dataDir);
  const user = statSync(dataDir, { throwIfNoEntry: false })?.uid;
  const manifest = readManifest(backup, user);
  await verifyBackup(backup, manifest, user);
  if (!existsSync(dataDir)) mkdirSync(dataDir, { mode: 0o700 });
  // Root gives what it makes to the owner of the folder, whose server has to read it.
  const owner = statSync(dataDir);
  const begun = join(dataDir, RESTORE_BEGUN);
  writePrivateFile(begun, `${backup}\n`);
  for (const part of FOLDERS) {
    mkdirSync(join(dataDir, part), { mode: 0o700 });
    if (process.getuid?.() === 0) chownSync(join(dataDir, part), owner.uid, owner.gid);
  }
  for (const { path, sha256 } of manifest.files) {
    await copyFile(join(backup, path), join(dataDir, path), { owner });
    if ((await digestOfFile(join(dataDir, path))).sha256 !== sha256)
      throw new ConfigError(`${join(dataDir, path)} is not what the backup has: remove ${dataDir}, and restore it again`);
  }
  for (const part of [...FOLDERS, '.']) syncFolder(join(dataDir, part));
  rmSync(begun);
  syncFolder(dataDir);
  return manifest;
}
