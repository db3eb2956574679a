/**
 * The arguments of bubblewrap (bwrap(1)) for one process of a function: namespaces of its own, no capability, and of files its
 * code and its runtime alone, to read. Handed over by a descriptor, since they hold credentials.
 */

/** A file or folder of this machine, and where a function finds it. */
export interface Shown {
  readonly from: string;
  readonly to: string;
  /** Left out where it is missing. */
  readonly optional?: true;
}

/** A link as a function finds it. */
export interface SymbolicLink {
  readonly target: string;
  readonly to: string;
}

export interface View {
  readonly shown: readonly Shown[];
  readonly links: readonly SymbolicLink[];
  readonly environment: Readonly<Record<string, string>>;
  /** Bytes of /tmp and of /dev/shm. */
  readonly temporarySize: number;
  readonly sharedSize: number;
  /** Whether it gets a network namespace; else it keeps the one that it is started in. */
  readonly ownNetwork: boolean;
  /** Whether it gets /dev/zero, of which shared memory can be made. */
  readonly hasZero: boolean;
}

/** Where a function finds its things; as on Lambda where Lambda says. */
export const INSIDE = {
  code: '/var/task',
  runtime: '/var/runtime',
  node: '/var/lang/bin/node',
  doors: '/run/thingkeep',
  temporary: '/tmp',
} as const;

/** User and group id of a function in its sandbox. */
const USER = '1000';

export function bubblewrapArguments(view: View): string[] {
  const { shown, links, environment, temporarySize, sharedSize, ownNetwork, hasZero } = view;
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(ownNetwork ? ['--unshare-net'] : []),
    ...['--disable-userns', '--cap-drop', 'ALL', '--die-with-parent', '--new-session', '--clearenv'],
    ...['--uid', USER, '--gid', USER, '--hostname', 'function'],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...(hasZero ? [] : ['--dev-bind', '/dev/null', '/dev/zero']),
    ...['--perms', '1777', '--size', String(sharedSize), '--tmpfs', '/dev/shm'],
    ...['--perms', '1777', '--size', String(temporarySize), '--tmpfs', INSIDE.temporary],
    // After the file systems: a Python may lie below /tmp.
    ...shown.flatMap(({ from, to, optional }) => [optional === true ? '--ro-bind-try' : '--ro-bind', from, to]),
    ...links.flatMap(({ target, to }) => ['--symlink', target, to]),
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--chdir', INSIDE.code, '--remount-ro', '/dev', '--remount-ro', '/'],
  ];
}

/** As `--args` reads them. */
export const encodeArguments = (args: readonly string[]): string => args.map((argument) => `${argument}\0`).join('');
