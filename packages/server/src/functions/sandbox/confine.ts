/** Starts the process of a function: as another user, with nothing of the server's, within the bounds that a kernel keeps. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Readable } from 'node:stream';

/**
 * What stands before the program: no descriptors that whoever started the server left open, no core files, few processes and
 * files, files of 512 MB at most, second place for the processor, first place when the kernel runs out of memory. Its two
 * outputs become one, so that their lines keep their order. Only bash can name a descriptor of two digits or more; it counts
 * blocks of 1,024 bytes, and other shells of 512.
 */
const CONFINE = `for path in /proc/self/fd/*; do
  fd=\${path##*/}
  case $fd in [0-2]) ;; [3-9]) eval "exec $fd>&-" ;; *) [ -z "$BASH" ] || eval "exec $fd>&-" ;; esac
done
exec 2>&1
ulimit -c 0
ulimit -n 1024
[ -z "$BASH" ] && ulimit -f 1048576 || ulimit -f 524288
echo 500 2>/dev/null > /proc/self/oom_score_adj
exec nice -n 5 "$@"`;

/** Processes are counted by user: only one that is the function's own may have a bound. */
const FEW_PROCESSES = 'ulimit -p 512 2>/dev/null || ulimit -u 512 2>/dev/null\n';

const SHELL = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';

/** What a function's own variables are called until its program is started. */
const HELD = 'FUNCTION_VARIABLE_';
const NAMES = 'FUNCTION_VARIABLES';

/**
 * Gives variables their names, and becomes the program. A loop's variable that begins with `_` is none of them: Lambda's begin
 * with a letter.
 */
const RESTORE = `for _each in $${NAMES}; do
  eval "export $_each=\\"\\$${HELD}$_each\\""
  unset "${HELD}$_each"
done
unset ${NAMES} _each
exec "$@"`;

/** Names that a shell has for itself, and ends over when they are set. */
const OF_SHELLS = /^(?:BASHOPTS|BASH_VERSINFO|EUID|OPTIND|PPID|SHELLOPTS|UID)$/;
const NAME = /^[A-Za-z]\w*$/;

/**
 * A function's own variables, put away: they are meant for its program, and must not speak to the shells, the linker and the
 * programs that come before it, which still have rights that the function has not. `command` begins with a program's path.
 */
export function putAway(
  variables: Readonly<Record<string, string>>,
  command: readonly string[],
): { readonly environment: Readonly<Record<string, string>>; readonly command: readonly string[] } {
  const names = Object.keys(variables).filter((name) => NAME.test(name) && !OF_SHELLS.test(name));
  const held = names.map((name) => [`${HELD}${name}`, variables[name] ?? ''] as const);
  return {
    environment: { ...Object.fromEntries(held), [NAMES]: names.join(' ') },
    command: ['/bin/sh', '-c', RESTORE, 'sh', ...command],
  };
}

export interface ConfinedOptions {
  readonly cwd: string;
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** User and group by number; the server's own when absent. */
  readonly as: { readonly user: number; readonly group: number } | undefined;
}

/** The process leads a group of its own; what it writes, to either output, comes out of its standard output. */
export const spawnConfined = (
  command: readonly string[],
  { cwd, environment, as }: ConfinedOptions,
): ChildProcessByStdio<null, Readable, null> =>
  spawn(SHELL, ['-c', `${as === undefined ? '' : FEW_PROCESSES}${CONFINE}`, 'sh', ...command], {
    cwd,
    env: environment,
    ...(as === undefined ? {} : { uid: as.user, gid: as.group }),
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

/** As Go's os package words a signal, and so Lambda. */
export const signalWord = (signal: NodeJS.Signals): string => (signal === 'SIGKILL' ? 'killed' : signal);
