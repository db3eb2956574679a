/**
 * What the processes of a function hold, as the kernel counts it: every process of its namespace, however it was started, and
 * its file systems in memory (proc(5), tmpfs(5)). Read at once and not bit by bit, so that no process slips by in between.
 */
import { readdirSync, readFileSync, statfsSync } from 'node:fs';

export interface Holding {
  /** Bytes of memory: of processes, of what maps their memory, and of files in memory. */
  readonly bytes: number;
  readonly processes: number;
  /** Files in memory, empty ones too: each costs the kernel a kilobyte. */
  readonly files: number;
  /** Sockets: what waits in them is no process's memory. */
  readonly sockets: number;
  /** What could not be looked at, although it is there. */
  readonly blind?: string;
}

interface Seen {
  readonly pid: number;
  /** Numbers of the process, from the server's namespace down to its own. */
  readonly numbers: readonly number[];
  readonly bytes: number;
}

/** File systems in memory that a function may write to. */
const IN_MEMORY = ['/tmp', '/dev/shm'];
/** statfs(2). */
const TMPFS = 0x0102_1994;
const MAX_PROCESSES = 4096;

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Sum of these lines, which are in kB. */
const kilobytes = (text: string, names: RegExp): number =>
  [...text.matchAll(names)].reduce((sum, [, amount]) => sum + Number(amount), 0) * 1024;

const OWN = /^(?:RssAnon|VmPTE|VmSwap):\s+(\d+) kB/gm;
const SHARED_OUT = /^(?:Pss_Anon|SwapPss):\s+(\d+) kB/gm;
const TABLES = /^VmPTE:\s+(\d+) kB/gm;

/** Children of every thread of a process: each thread has its own. */
function childrenOf(pid: number): number[] {
  let threads: string[] = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  return threads.flatMap((thread) => {
    const text = read(`/proc/${pid}/task/${thread}/children`) ?? '';
    return text.split(' ').filter(Boolean).map(Number);
  });
}

function seen(pid: number): Seen | undefined {
  const status = read(`/proc/${pid}/status`);
  if (status === undefined || /^State:\s+[ZX]/m.test(status)) return undefined;
  const [, numbers = ''] = /^NSpid:\s+(.+)$/m.exec(status) ?? [];
  return { pid, numbers: numbers.split(/\s+/).map(Number), bytes: kilobytes(status, OWN) };
}

interface Tree {
  readonly processes: Seen[];
  /** Whether one was named, and had gone when it was looked at. */
  readonly isTorn: boolean;
}

/** All below a process, and it. Who has lost its parent is a child of its namespace's first process. */
function lookAt(root: number): Tree {
  const found = new Map<number, Seen>();
  let isTorn = false;
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined && found.size < MAX_PROCESSES; pid = waiting.pop()) {
    if (found.has(pid)) continue;
    const process_ = seen(pid);
    // The children first: one that ends in the meantime leaves them to its namespace's first.
    waiting.push(...childrenOf(pid));
    if (process_ === undefined) isTorn = true;
    else found.set(pid, process_);
  }
  return { processes: [...found.values()], isTorn };
}

export const treeOf = (root: number): Seen[] => lookAt(root).processes;

/** Memory that processes share without a file: no process need have it resident, and it is there as long as one maps it. */
const SHARED = /^([\da-f]+)-([\da-f]+) \S+ ([\da-f]+) (\S+ \d+)\s+\/(?:dev\/zero|anon_hugepage|SYSV\S*) \(deleted\)$/gm;

/** Bytes of it, each piece as far as anybody maps it. */
function sharedBytes(processes: readonly Seen[]): number {
  const extents = new Map<string, number>();
  for (const { pid } of processes)
    for (const [, from = '', to = '', offset = '', piece = ''] of (read(`/proc/${pid}/maps`) ?? '').matchAll(SHARED)) {
      const extent = Number.parseInt(offset, 16) + Number.parseInt(to, 16) - Number.parseInt(from, 16);
      extents.set(piece, Math.max(extents.get(piece) ?? 0, extent));
    }
  return [...extents.values()].reduce((sum, extent) => sum + extent, 0);
}

/** Whether anything of a process group still runs; one that has ended and waits for its parent does not. */
export function groupRuns(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // State, parent and group come behind the name, which may hold anything (proc(5)).
  return readdirSync('/proc').some((name) => {
    const [state = '', , own] = (/^\d+$/.test(name) ? (read(`/proc/${name}/stat`) ?? '') : '').replace(/^.*\) /s, '').split(' ');
    return Number(own) === group && !/[ZX]/.test(state);
  });
}

/** Namespaces that this process is in: as many numbers it has. */
export const depthHere = (): number => seen(process.pid)?.numbers.length ?? 1;

/** Memory that processes have in common, counted once; undefined where it can't be read. */
function sharedOut(processes: readonly Seen[]): number {
  return processes.reduce((sum, { pid, bytes }) => {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    if (rollup === undefined || rollup === '') return sum + bytes;
    return sum + kilobytes(rollup, SHARED_OUT) + kilobytes(read(`/proc/${pid}/status`) ?? '', TABLES);
  }, 0);
}

function filesOf(pid: number): { bytes: number; files: number } | string {
  let [bytes, files] = [0, 0];
  for (const path of IN_MEMORY) {
    try {
      const { type, bsize, blocks, bfree, files: all, ffree } = statfsSync(`/proc/${pid}/root${path}`);
      if (type !== TMPFS) return `${path} is no tmpfs`;
      bytes += (blocks - bfree) * bsize;
      files += all - ffree;
    } catch (error) {
      return `${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`;
    }
  }
  return { bytes, files };
}

/** Processes of the innermost namespace alone, when they are looked for at `depth`. */
const inside = (all: readonly Seen[], depth: number): Seen[] => all.filter(({ numbers }) => numbers.length >= depth);

/** Looks at once, when processes come and go faster than they are looked at. */
const MAX_LOOKS = 20;

/**
 * What is held below a process whose function runs `depth` namespaces deep; undefined before it runs and when it has gone.
 * `bound` is what it may hold: only beyond it memory in common is looked at, which takes longer.
 */
export function holdingOf(root: number, depth: number, bound: number): Holding | undefined {
  let most: Holding | undefined;
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const tree = lookAt(root);
    const holding = holdingOnce(inside(tree.processes, depth), bound);
    if (holding !== undefined && (most === undefined || holding.bytes > most.bytes)) most = holding;
    if (!tree.isTorn || (most !== undefined && most.bytes > bound)) break;
  }
  return most;
}

function holdingOnce(own: readonly Seen[], bound: number): Holding | undefined {
  // The namespace's first process is there before the function's file systems are.
  const started = own.filter(({ numbers }) => numbers.at(-1) !== 1);
  if (started.length === 0) return undefined;
  const faults: string[] = [];
  for (const { pid } of started) {
    const files = filesOf(pid);
    if (typeof files === 'string') {
      faults.push(files);
      continue;
    }
    const shared = sharedBytes(own) + files.bytes;
    const plain = own.reduce((sum, { bytes }) => sum + bytes, shared);
    const bytes = plain <= bound ? plain : sharedOut(own) + shared;
    const [, sockets = '0'] = /^sockets: used (\d+)/m.exec(read(`/proc/${pid}/net/sockstat`) ?? '') ?? [];
    return { bytes, processes: own.length, files: files.files, sockets: Number(sockets) };
  }
  // A process that has ended meanwhile can't be looked at either.
  if (faults.every((text) => /ENOENT|ESRCH/.test(text))) return undefined;
  return { bytes: 0, processes: own.length, files: 0, sockets: 0, blind: faults.join('; ') };
}

/** Bytes of a process and all below it, where nothing confines them. */
export const residentBytes = (root: number): number => treeOf(root).reduce((sum, { bytes }) => sum + bytes, 0);
