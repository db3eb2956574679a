/**
 * A server that root has started becomes another user (--user): its control group and its data folder are handed over, ports
 * below 1024 are opened, and from then on it has the rights of that user alone.
 */
import { chownSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/**
 * Hands over what is root's. The folder last: as long as it is root's, nobody else can exchange what is below it. Links are
 * handed over themselves, not what they lead to.
 */
function handOver(path: string, { uid, gid }: Account): void {
  const found = lstatSync(path);
  if (found.isDirectory()) for (const name of readdirSync(path)) handOver(join(path, name), { name: '', uid, gid });
  if (found.uid === 0) lchownSync(path, uid, gid);
}

function handOverFolder(path: string, account: Account): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    // What is missing above it is root's, and passable.
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, account.uid, account.gid);
    return;
  }
  // What is the user's already stays as it is: root follows nothing in a folder of somebody else.
  if (!found.isDirectory() || found.uid === account.uid) return;
  if (found.uid !== 0) throw new ConfigError(`data folder ${path} belongs to neither root nor ${account.name}`);
  if ((found.mode & 0o022) !== 0)
    throw new ConfigError(`data folder ${path} may be written to by others; its mode has to be 0700`);
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
