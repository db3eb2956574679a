/**
 * Control groups for functions: memory and processes, counted by the kernel whatever a function does. Version 2 where its
 * controllers are delegated to the server, version 1 where it may write (cgroups(7)); elsewhere there are none.
 */
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface CageBounds {
  /** Bytes, of memory, file systems in memory and what the kernel keeps for them. */
  readonly memory: number;
  /** Processes and threads. */
  readonly processes: number;
}

/** The group of one function's process, and of all that it starts. */
export interface Cage {
  /** Takes a process in: what it starts from then on is in it too. */
  enter(pid: number): void;
  /** Whether the kernel ended something since memory was out. */
  isOverMemory(): boolean;
  /** Processes in it. */
  processes(): number[];
  /** Ends all that is in it. */
  kill(): void;
  /** Removes the group; says whether it could, as it can once it is empty. */
  remove(): boolean;
}

/** A folder for groups, of one version. */
interface Base {
  readonly version: 1 | 2;
  /** Folders that a group is made in: one for version 2, one for each controller for version 1. */
  readonly folders: readonly string[];
}

const PREFIX = 'thingkeep-function-';
const SERVER = 'thingkeep-server';
const CONTROLLERS = ['memory', 'pids'] as const;

/** Groups of this process: another server may have had its number, as in a container that was started again. */
const ownNames = new Set<string>();

function freshName(prefix: string): string {
  const name = `${prefix}${process.pid}-${randomBytes(6).toString('hex')}`;
  ownNames.add(name);
  return name;
}

const textOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};
const written = (path: string, text: string): boolean => {
  try {
    writeFileSync(path, text);
    return true;
  } catch {
    return false;
  }
};
const made = (path: string): boolean => {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST';
  }
};
const removed = (path: string): boolean => {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
};

/** Where a group of this process is in the file system, by what the kernel says of groups and mounts (proc(5)). */
export function groupFolders(groups: string, mounts: string): { v2?: string; v1: Partial<Record<'memory' | 'pids', string>> } {
  const mountOf = (fits: (type: string, options: readonly string[]) => boolean) =>
    mounts.split('\n').flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [, , , root = '', point = ''] = before.split(' ');
      const [type = '', , options = ''] = after.split(' ');
      return fits(type, options.split(',')) ? [{ root, point }] : [];
    })[0];
  const folderOf = (mount: { root: string; point: string } | undefined, path: string): string | undefined => {
    if (mount === undefined || path.includes('/..')) return undefined;
    const below = mount.root === '/' ? path : path.startsWith(mount.root) ? path.slice(mount.root.length) : undefined;
    return below === undefined ? undefined : join(mount.point, below);
  };
  const found: { v2?: string; v1: Partial<Record<'memory' | 'pids', string>> } = { v1: {} };
  for (const line of groups.split('\n')) {
    const [, number, controllers = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (number === '0' && controllers === '') {
      const folder = folderOf(
        mountOf((type) => type === 'cgroup2'),
        path,
      );
      if (folder !== undefined) found.v2 = folder;
    }
    for (const name of CONTROLLERS) {
      if (!controllers.split(',').includes(name)) continue;
      const folder = folderOf(
        mountOf((type, options) => type === 'cgroup' && options.includes(name)),
        path,
      );
      if (folder !== undefined) found.v1[name] = folder;
    }
  }
  return found;
}

/**
 * Version 2: a group with groups below it may hold no process (cgroups(7), "no internal processes"), so that the server moves
 * into one of its own first. Where others live in the same group it has none to give.
 */
function openVersion2(own: string): Base | undefined {
  const parent = own.endsWith(`/${SERVER}`) ? own.slice(0, -SERVER.length - 1) : own;
  const has = (name: string): boolean =>
    CONTROLLERS.every((controller) => (textOf(join(parent, name)) ?? '').split(/\s+/).includes(controller));
  if (!has('cgroup.controllers')) return undefined;
  const base: Base = { version: 2, folders: [parent] };
  if (parent === own && textOf(join(own, 'cgroup.type')) !== undefined) {
    if (!made(join(own, SERVER)) || !written(join(own, SERVER, 'cgroup.procs'), String(process.pid))) return undefined;
  }
  if (has('cgroup.subtree_control') || written(join(parent, 'cgroup.subtree_control'), '+memory +pids')) return base;
  if (parent === own) {
    written(join(own, 'cgroup.procs'), String(process.pid));
    removed(join(own, SERVER));
  }
  return undefined;
}

function openVersion1({ memory, pids }: Partial<Record<'memory' | 'pids', string>>): Base | undefined {
  return memory === undefined || pids === undefined ? undefined : { version: 1, folders: [memory, pids] };
}

class KernelCage implements Cage {
  readonly #folders: readonly string[];
  readonly #version: 1 | 2;

  constructor(version: 1 | 2, folders: readonly string[]) {
    this.#version = version;
    this.#folders = folders;
  }

  enter(pid: number): void {
    for (const folder of this.#folders) writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  }

  isOverMemory(): boolean {
    const text = textOf(join(this.#folders[0] ?? '', this.#version === 2 ? 'memory.events' : 'memory.oom_control')) ?? '';
    return Number(/^oom_kill (\d+)/m.exec(text)?.[1] ?? 0) > 0;
  }

  processes(): number[] {
    const text = textOf(join(this.#folders.at(-1) ?? '', 'cgroup.procs')) ?? '';
    return text.split('\n').filter(Boolean).map(Number);
  }

  kill(): void {
    if (this.#version === 2 && written(join(this.#folders[0] ?? '', 'cgroup.kill'), '1')) return;
    for (const pid of this.processes())
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone in the meantime.
      }
  }

  remove(): boolean {
    if (!this.#folders.map(removed).every(Boolean)) return false;
    for (const folder of this.#folders) ownNames.delete(basename(folder));
    return true;
  }
}

export class Cgroups {
  readonly #base: Base;

  private constructor(base: Base) {
    this.#base = base;
  }

  /**
   * The groups that this server may make; undefined where there are none. Root hands them over to `owner`, as whom the server
   * goes on. Tried once with a group, since only that shows what the kernel lets be done.
   */
  static open(owner?: { readonly uid: number; readonly gid: number }): Cgroups | undefined {
    if (process.platform !== 'linux') return undefined;
    const { v2, v1 } = groupFolders(textOf('/proc/self/cgroup') ?? '', textOf('/proc/self/mountinfo') ?? '');
    for (const base of [v2 === undefined ? undefined : openVersion2(v2), openVersion1(v1)]) {
      if (base === undefined) continue;
      try {
        removeLeftovers(base);
        const groups = new Cgroups(owner === undefined ? base : handOver(base, owner));
        const tried = groups.make({ memory: 64 * 1024 * 1024, processes: 16 });
        if (tried.remove()) return groups;
      } catch {
        // Not here, then.
      }
    }
    return undefined;
  }

  make({ memory, processes }: CageBounds): Cage {
    const { version, folders } = this.#base;
    const name = freshName(PREFIX);
    const own = folders.map((folder) => join(folder, name));
    const cage = new KernelCage(version, own);
    try {
      for (const folder of own) mkdirSync(folder);
      bound(version, own, { memory, processes });
      return cage;
    } catch (error) {
      // What was made of it so far.
      cage.remove();
      throw error;
    }
  }
}

/** Writes into a group what it may hold. */
function bound(version: 1 | 2, own: readonly string[], { memory, processes }: CageBounds): void {
  const [first = '', last = ''] = [own[0], own.at(-1)];
  if (version === 2) {
    writeFileSync(join(first, 'memory.max'), String(memory));
    written(join(first, 'memory.swap.max'), '0');
    written(join(first, 'memory.oom.group'), '1');
  } else {
    writeFileSync(join(first, 'memory.limit_in_bytes'), String(memory));
    written(join(first, 'memory.memsw.limit_in_bytes'), String(memory));
    written(join(first, 'memory.swappiness'), '0');
  }
  writeFileSync(join(last, 'pids.max'), String(processes));
}

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
};

/** Groups of servers that were killed, by the number in their name: one that runs may be about to fill an empty one. */
function removeLeftovers({ folders }: Pick<Base, 'folders'>): void {
  for (const folder of folders)
    for (const name of readdirSync(folder)) {
      const [, kind, pid] = /^(thingkeep-function|thingkeep-server)-(\d+)-[\da-f]+$/.exec(name) ?? [];
      if (pid === undefined || ownNames.has(name)) continue;
      if (Number(pid) !== process.pid && isRunning(Number(pid))) continue;
      if (kind === SERVER) removeLeftovers({ folders: [join(folder, name)] });
      removed(join(folder, name));
    }
}

/** Gives a user what it needs to make groups and to move its processes into them. */
function handOver({ version, folders }: Base, { uid, gid }: { readonly uid: number; readonly gid: number }): Base {
  const give = (path: string): void => chownSync(path, uid, gid);
  if (version === 2) {
    const [folder = ''] = folders;
    for (const name of ['', 'cgroup.procs', 'cgroup.subtree_control', `${SERVER}/cgroup.procs`]) give(join(folder, name));
    return { version, folders };
  }
  const name = freshName(`${SERVER}-`);
  const own = folders.map((folder) => join(folder, name));
  for (const folder of own) {
    mkdirSync(folder);
    for (const name of ['', 'cgroup.procs', 'tasks']) give(join(folder, name));
  }
  return { version, folders: own };
}
