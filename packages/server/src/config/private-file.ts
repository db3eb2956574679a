/** Files of the server: written whole or not at all, and refused where other users of the machine may change them. */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from './config-error.ts';

/** Writes of group and others; all rights of group and others. */
const WRITABLE = 0o022;
const OPEN = 0o077;
/** Levels of folders below the data folder that are looked into. */
const MAX_DEPTH = 1;

/**
 * Writes a file in place of what was there, for its owner alone. A file that root writes into somebody else's folder
 * belongs to the folder's owner: the server that runs as that user has to read it.
 */
export function writePrivateFile(path: string, text: string, mode = 0o600): void {
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  // `wx`: a link that somebody has put here is not followed.
  const file = openSync(fresh, 'wx', mode);
  try {
    if (process.getuid?.() === 0) {
      const { uid, gid } = statSync(dirname(path));
      fchownSync(file, uid, gid);
    }
    fchmodSync(file, mode);
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
}

const octal = (mode: number): string => `0${(mode & 0o7777).toString(8)}`;

/** Fails when a user other than the server's own and root may change what is there. */
function refuseWritable(what: string, path: string, { mode, uid }: Stats): void {
  if ((mode & WRITABLE) !== 0)
    throw new ConfigError(`${what} ${path} may be written by its group or by others (mode ${octal(mode)}): chmod go-w ${path}`);
  const own = process.getuid?.() ?? uid;
  if (uid !== own && uid !== 0)
    throw new ConfigError(
      `${what} ${path} belongs to user ${uid}, and the server runs as user ${own}: chown it, or start the server as that user`,
    );
}

/** Checks a file that the operator names and the server trusts: a key, credentials, a configuration. */
export function checkTrustedFile(what: string, path: string): void {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch {
    // The reader of the file says why it can't be read.
    return;
  }
  refuseWritable(what, path, stats);
}

/**
 * Checks the data folder and what is in it. What others may write is refused, as PostgreSQL and sshd do; a file that
 * others may only read (restored from a backup, say) is closed, except those in `open`. Gives the files it has closed.
 */
export function checkPrivateFolder(path: string, open: ReadonlySet<string>): string[] {
  refuseWritable('data folder', path, statSync(path));
  const closed: string[] = [];
  checkEntries(path, open, closed, MAX_DEPTH);
  return closed;
}

function checkEntries(folder: string, open: ReadonlySet<string>, closed: string[], depth: number): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) continue;
    if (stats.isSymbolicLink()) {
      const target = statSync(path, { throwIfNoEntry: false });
      if (target !== undefined) refuseWritable('file', path, target);
      continue;
    }
    refuseWritable(stats.isDirectory() ? 'folder' : 'file', path, stats);
    if (stats.isFile() && (stats.mode & OPEN) !== 0 && !open.has(path)) {
      chmodSync(path, stats.mode & ~OPEN);
      closed.push(path);
    }
    if (stats.isDirectory() && depth > 0) checkEntries(path, open, closed, depth - 1);
  }
}
