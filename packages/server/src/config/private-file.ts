/** Files of the server: written whole or not at all, and refused where other users of the machine may change them. */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fsyncFolder } from '../runtime/fsync-folder.ts';
import { ConfigError, FileWriteError } from './config-error.ts';

/** Writes of group and others; all rights of group and others. */
const WRITABLE = 0o022;
const OPEN = 0o077;
const WORLD_WRITABLE = 0o002;
const STICKY = 0o1000;
/** Levels of folders below the data folder that are looked into. */
const MAX_DEPTH = 4;

/**
 * Writes a file in place of what was there, for its owner alone. A file that root writes into another user's folder
 * belongs to the folder's owner: the server that runs as that user has to read it.
 */
export function writePrivateFile(path: string, text: string, mode = 0o600): void {
  try {
    writeWhole(path, text, mode);
  } catch (error) {
    throw new FileWriteError(path, error);
  }
}

function writeWhole(path: string, text: string, mode: number): void {
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  // `wx`: a link in the place of the file is not followed.
  const file = openSync(fresh, 'wx', mode);
  try {
    if (process.getuid?.() === 0) {
      const { uid, gid } = statSync(dirname(path));
      fchownSync(file, uid, gid);
    }
    fchmodSync(file, mode);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  syncFolder(dirname(path));
}

/** Puts the names in a folder on disk. Fails with FileWriteError. */
export function syncFolder(path: string): void {
  try {
    fsyncFolder(path);
  } catch (error) {
    throw new FileWriteError(path, error);
  }
}

/** Makes a folder for the owner alone, where there is none. Fails with FileWriteError. */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new FileWriteError(path, error);
  }
}

const octal = (mode: number): string => `0${(mode & 0o7777).toString(8)}`;

/** Fails when a user other than the server's own and root may change what is there. */
function refuseWritable(what: string, path: string, { mode, uid }: Stats, anyOwner = false): void {
  if ((mode & WRITABLE) !== 0)
    throw new ConfigError(`${what} ${path} may be written by its group or by others (mode ${octal(mode)}): chmod go-w ${path}`);
  const own = process.getuid?.() ?? uid;
  if (uid !== own && uid !== 0 && !(anyOwner && own === 0))
    throw new ConfigError(`${what} ${path} belongs to user ${uid}, and this is user ${own}: chown it, or run this as that user`);
}

/**
 * Checks a file that the operator names and the server trusts: a key, credentials, a configuration. Root also takes those
 * of the user `owner`, for whom it does its work.
 */
export function checkTrustedFile(what: string, path: string, owner?: number): void {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch {
    // The reader of the file says why it can't be read.
    return;
  }
  refuseWritable(what, path, stats, stats.uid === owner);
}

export interface PrivateFolderCheck {
  /** Files that others may read. */
  readonly open: ReadonlySet<string>;
  /** Whether the folder may be of any user: for commands of root, which write nothing that the server trusts blindly. */
  readonly anyOwner?: boolean;
}

/**
 * Checks the data folder and what is in it. What others may write is refused, as PostgreSQL and sshd do; a file that
 * others may only read (restored from a backup, say) is closed, except those in `open`. Gives the files it has closed.
 */
export function checkPrivateFolder(path: string, check: PrivateFolderCheck): string[] {
  const above = statSync(dirname(path));
  // Others could put another folder in its place, but for where only owners may rename (the sticky bit, as of /tmp).
  if ((above.mode & WORLD_WRITABLE) !== 0 && (above.mode & STICKY) === 0)
    throw new ConfigError(`the folder above data folder ${path} may be written by everybody: chmod o-w ${dirname(path)}`);
  refuseWritable('data folder', path, statSync(path), check.anyOwner);
  const closed: string[] = [];
  checkEntries(path, check, closed, MAX_DEPTH);
  return closed;
}

/** What a link leads to; undefined where there is nothing, or nothing that the server could read. */
function targetOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function checkEntries(folder: string, check: PrivateFolderCheck, closed: string[], depth: number): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const entry = lstatSync(path, { throwIfNoEntry: false });
    const stats = entry?.isSymbolicLink() ? targetOf(path) : entry;
    if (entry === undefined || stats === undefined) continue;
    refuseWritable(stats.isDirectory() ? 'folder' : 'file', path, stats, check.anyOwner);
    if (stats.isFile() && (stats.mode & OPEN) !== 0 && !check.open.has(path)) {
      // The target of a link may have other users: its mode is not changed.
      if (entry.isSymbolicLink()) throw new ConfigError(`file ${path} leads to a file that others may read: chmod go-rwx it`);
      chmodSync(path, stats.mode & ~OPEN);
      closed.push(path);
    }
    if (entry.isDirectory() && depth > 0) checkEntries(path, check, closed, depth - 1);
  }
}
