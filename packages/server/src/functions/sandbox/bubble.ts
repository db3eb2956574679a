/** Starts bubblewrap: as a user that has nothing, held at a gate until its control group is set, and ended with all below it. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeArguments } from './bubblewrap.ts';
import type { Cage } from './cgroups.ts';
import { startedChild } from './child.ts';
import type { Launched } from './enclosure.ts';
import { gated } from './scripts.ts';
import { groupRuns, holdingOf, treeOf } from './watch.ts';

/** A user and group that no account of the machine has. */
export interface BubbleUser {
  readonly uid: number;
  readonly gid: number;
}

export interface BubbleOptions {
  /** Becomes bubblewrap, which reads its arguments from standard input. */
  readonly command: readonly string[];
  /** Absent where the server's own user runs it. */
  readonly user: BubbleUser | undefined;
  /** Namespaces deep that a function runs. */
  readonly depth: number;
}

export interface Bubble {
  /** `args` are bubblewrap's, and `bound` what the command may hold in bytes. */
  start(args: readonly string[], command: readonly string[], cage: Cage | undefined, bound?: number): Launched;
}

/** Programs are looked for here, before any of the function's. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Looks at what is left after the end of the first process. */
const MAX_PASSES = 200;

/** Ends a process, or with a negative number a group of them; says whether there was one. */
function killed(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone by itself.
    return false;
  }
}

export const bubbleLauncher = ({ command: wrapper, user, depth }: BubbleOptions): Bubble => ({
  start(args, command, cage, bound = Number.POSITIVE_INFINITY) {
    const [shell = '', ...rest] = gated([...wrapper, ...command]);
    const child: ChildProcessByStdio<Writable, Readable, null> = spawn(shell, rest, {
      cwd: '/',
      env: { PATH },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
      uid: user?.uid,
      gid: user?.gid,
    });
    startedChild(child, 'stdin', 'stdout');
    child.stdin.on('error', () => undefined);
    const { pid } = child;
    // It leads a process group: what is left of that when it ends, such as pasta's other process, ends with it.
    child.once('exit', () => pid !== undefined && killed(-pid));
    const kill = (): void => {
      if (pid === undefined) return;
      if (child.exitCode === null && child.signalCode === null) {
        // First processes of namespaces: with them all others of theirs end. They would go with the first of all by
        // themselves (--die-with-parent); here it is made sure of.
        const firsts = treeOf(pid).filter(({ numbers }) => numbers.at(-1) === 1 && numbers.length > 1);
        if (!killed(-pid)) child.kill('SIGKILL');
        for (const first of firsts) killed(first.pid);
      }
      cage?.kill();
    };
    try {
      if (pid !== undefined) cage?.enter(pid);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    child.stdin.end(`\n${encodeArguments(args)}`);
    let isOver = false;
    return {
      child,
      look: () => (pid === undefined ? undefined : holdingOf(pid, depth, bound)),
      isOverMemory: () => (isOver ||= cage?.isOverMemory() === true),
      kill,
      async end() {
        kill();
        const remains = (): boolean => (cage?.processes() ?? []).length > 0 || (pid !== undefined && groupRuns(pid));
        for (let pass = 0; pass < MAX_PASSES && remains(); pass += 1) {
          cage?.kill();
          await pause(10);
        }
      },
    };
  },
});
