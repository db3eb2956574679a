/**
 * A server that root has started becomes another user (--user): its control group and its data folder are handed over, ports
 * below 1024 are opened, and from then on it has the rights of that user alone.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ConfigError } from '../config/settings.ts';
import { Cgroups } from '../functions/sandbox/cgroups.ts';
import { openEarly } from '../runtime/listen.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface BecomeOptions {
  /** Name or number; empty where the server stays who it is. */
  readonly user: string;
  readonly dataDir: string;
  readonly bind: string;
  readonly ports: readonly number[];
}

/** Ports that only root may open, unless the machine says otherwise (ip(7), ip_unprivileged_port_start). */
const PRIVILEGED = 1024;

/** Of passwd(5), by name or number. */
export function findAccount(user: string, passwd: string): Account | undefined {
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    if (name !== '' && (name === user || uid === user) && /^\d+$/.test(uid) && /^\d+$/.test(gid))
      return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** Groups that an account is a member of, by group(5). */
export const groupsOf = (name: string, groups: string): number[] =>
  groups.split('\n').flatMap((line) => {
    const [, , gid = '', members = ''] = line.split(':');
    return /^\d+$/.test(gid) && members.split(',').includes(name) ? [Number(gid)] : [];
  });

function accountOf(user: string): Account {
  const found = findAccount(user, readFileSync('/etc/passwd', 'utf8'));
  if (found === undefined) throw new ConfigError(`--user ${user}: this machine has no such account`);
  if (found.uid === 0) throw new ConfigError(`--user ${user} is root itself; name an account that has nothing else`);
  return found;
}

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** What is in a folder that others write to may be exchanged between a look at it and the hand-over. */
function checkClosed(path: string, mode: number): void {
  if ((mode & OTHERS_WRITE) !== 0)
    throw new ConfigError(`data folder ${path} may be written to by others; its mode has to be 0700`);
}

/**
 * Hands over what is root's. The folder last: as long as it is root's, no other user can exchange what is below it. Root goes into
 * no folder of another user; what it handed over before it was interrupted is complete. Links are handed over themselves, not
 * what they lead to.
 */
function handOver(path: string, account: Account): void {
  const found = lstatSync(path);
  if (found.uid !== 0) return;
  if (found.isDirectory()) {
    checkClosed(path, found.mode);
    for (const name of readdirSync(path)) handOver(join(path, name), account);
  }
  lchownSync(path, account.uid, account.gid);
}

/** The nearest at or above a path that is there. */
function nearest(path: string): string {
  for (let at = path; ; at = dirname(at)) if (existsSync(at)) return at;
}

/** The folder at or above this one that others than root may exchange something in. */
function openAbove(path: string): { readonly path: string; readonly uid: number } | undefined {
  for (let at = path; ; at = dirname(at)) {
    const { uid, mode } = lstatSync(at);
    if (uid !== 0 || ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)) return { path: at, uid };
    if (at === dirname(at)) return undefined;
  }
}

/** Makes the folders that are missing above the data folder: root's, and open for passing, whatever the umask is. */
function makePassable(path: string): void {
  if (existsSync(path)) return;
  makePassable(dirname(path));
  mkdirSync(path);
  chmodSync(path, 0o755);
}

/** Gives the data folder to the account, and makes it where there is none. */
export function handOverFolder(dataDir: string, account: Account): void {
  const wanted = resolve(dataDir);
  const found = lstatSync(wanted, { throwIfNoEntry: false });
  // What is the user's already stays as it is: root follows nothing in a folder of another user.
  if (found !== undefined && (!found.isDirectory() || found.uid === account.uid)) return;
  if (found !== undefined && found.uid !== 0)
    throw new ConfigError(`data folder ${dataDir} belongs to neither root nor ${account.name}`);
  // From here on by a path without links, of folders in which root alone names things.
  const there = nearest(dirname(wanted));
  const above = realpathSync(there);
  const path = join(above, relative(there, wanted));
  const open = openAbove(above);
  if (open !== undefined) {
    // The server makes it by itself, once it is that user.
    if (found === undefined && open.uid === account.uid) return;
    throw new ConfigError(
      `data folder ${dataDir}: others than root may write to ${open.path}; make it there yourself, and give it to the user (chown -R)`,
    );
  }
  if (found === undefined) {
    // What is missing above it is root's, and passable.
    makePassable(dirname(path));
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, account.uid, account.gid);
    return;
  }
  handOver(path, account);
}

/** Becomes the user. Gives the control groups for functions, where the kernel lets them be made. */
export async function becomeUser({ user, dataDir, bind, ports }: BecomeOptions): Promise<Cgroups | undefined> {
  if (user === '') return Cgroups.open();
  const account = accountOf(user);
  if (process.getuid?.() === account.uid) return Cgroups.open();
  if (process.getuid?.() !== 0) throw new ConfigError(`--user ${user}: only a server that root starts can become another user`);
  const cgroups = Cgroups.open(account);
  handOverFolder(dataDir, account);
  for (const port of ports) if (port > 0 && port < PRIVILEGED) await openEarly(bind, port);
  process.setgroups?.([account.gid, ...groupsOf(account.name, readFileSync('/etc/group', 'utf8'))]);
  process.setgid?.(account.gid);
  process.setuid?.(account.uid);
  return cgroups;
}
