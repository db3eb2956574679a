/** The small shell scripts that stand before a function's program: outside of its namespaces, and in them. */
import { existsSync } from 'node:fs';
import { INSIDE } from './bubblewrap.ts';

const SHELL = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh';

/**
 * Outside: no descriptors that the server's starter left open, no core files, few files, files of 512 MB at most, second
 * place for the processor, first place when the kernel runs out of memory. Two outputs become one, so that their lines keep
 * their order. Only bash can name a descriptor of two digits or more; it counts blocks of 1,024 bytes, and other shells of 512.
 */
const BOUND = `for path in /proc/self/fd/*; do
  fd=\${path##*/}
  case $fd in [0-2]) ;; [3-9]) eval "exec $fd>&-" ;; *) [ -z "$BASH" ] || eval "exec $fd>&-" ;; esac
done
exec 2>&1
ulimit -c 0
ulimit -n 1024
[ -z "$BASH" ] && ulimit -f 1048576 || ulimit -f 524288
echo 500 2>/dev/null > /proc/self/oom_score_adj
`;

/** A line on its standard input lets it go on: its group is set by then. What follows that line is bubblewrap's. */
const GATE = 'read -r _ || exit 1\n';

/** What runs a command within bounds, once a line came. */
export const gated = (command: readonly string[]): readonly string[] => [
  SHELL,
  ...['-c', `${GATE}${BOUND}exec nice -n 5 "$@"`, 'sh', ...command],
];
/** The same without a gate, for a command that nothing else confines. */
export const bounded = (command: readonly string[]): readonly string[] => [
  SHELL,
  ...['-c', `${BOUND}exec nice -n 5 "$@" </dev/null`, 'sh', ...command],
];

/** bubblewrap reads its arguments from standard input, and the filter of system calls from a file that is no secret. */
const WITH_FILTER = 'filter=$1; bwrap=$2; shift 2; exec "$bwrap" --args 0 --seccomp 9 9<"$filter" -- "$@"';
/** Within pasta's network: no way to what is of this machine's links alone. The program must not start where that fails. */
const NO_LINK_LOCAL = 'ip route add unreachable 169.254.0.0/16 || exit 1\n';

export const bubble = (bwrap: string, filter: string): readonly string[] => [
  ...['/bin/sh', '-c', WITH_FILTER, 'sh', filter, bwrap],
];

/** Address of the resolver in a function's network, which stands for the machine's first: of a range for examples (RFC 5737). */
export const RESOLVER = '192.0.2.53';

/** The same, in a network namespace that pasta connects (pasta(1)): without ports either way, and without this machine's. */
export const bubbleInNetwork = (pasta: string, bwrap: string, filter: string): readonly string[] => [
  ...['setpriv', '--pdeathsig', 'KILL', '--', pasta, '--quiet', '--foreground', '--ipv4-only', '--config-net'],
  ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none', '--no-map-gw', '--dns-forward', RESOLVER],
  ...['--', '/bin/sh', '-c', `${NO_LINK_LOCAL}${WITH_FILTER}`, 'sh', filter, bwrap],
];

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

/** Descriptor on which a program sees that the forwarder listens. */
const READY = 3;

/**
 * In the namespaces: no more than 512 processes (the kernel counts them by namespace), and the forwarder, which the program is
 * not the parent of. Both start at once; the bootstraps wait for the forwarder before they load what may ask the API.
 */
const START = `exec </dev/null
ulimit -p 512 2>/dev/null || ulimit -u 512
mkfifo -m 600 ${INSIDE.temporary}/.forwarder
(${INSIDE.node} --max-semi-space-size=1 --max-old-space-size=24 --v8-pool-size=1 ${INSIDE.runtime}/forwarder.mjs "$1" "$2" >${INSIDE.temporary}/.forwarder 2>/dev/null &)
exec ${READY}<${INSIDE.temporary}/.forwarder
rm ${INSIDE.temporary}/.forwarder
shift 2
`;
const WAIT = `read -r _ <&${READY}
exec ${READY}<&-
`;

/** Names that a shell has for itself, and ends over when they are set. */
const OF_SHELLS = /^(?:BASHOPTS|BASH_VERSINFO|EUID|OPTIND|PPID|SHELLOPTS|UID)$/;
const NAME = /^[A-Za-z]\w*$/;

export interface Starting {
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

/**
 * A function's own variables, put away: they are meant for its program, and must not speak to the shells, the linker and the
 * forwarder that come before it and bound it. `command` begins with a program's path.
 */
function putAway(variables: Readonly<Record<string, string>>, script: string, args: readonly string[]): Starting {
  const names = Object.keys(variables).filter((name) => NAME.test(name) && !OF_SHELLS.test(name));
  const held = names.map((name) => [`${HELD}${name}`, variables[name] ?? ''] as const);
  return {
    environment: { ...Object.fromEntries(held), [NAMES]: names.join(' ') },
    command: ['/bin/sh', '-c', script, 'sh', ...args],
  };
}

/** `forwards` are the arguments of the forwarder; `waits` says that the program itself sees when it listens. */
export function startInside(
  variables: Readonly<Record<string, string>>,
  command: readonly string[],
  forwards: readonly [string, string],
  waits: boolean,
): Starting {
  const { environment, ...rest } = putAway(variables, `${START}${waits ? '' : WAIT}${RESTORE}`, [...forwards, ...command]);
  const ready: Record<string, string> = waits ? { FORWARDER_READY: String(READY) } : {};
  return { ...rest, environment: { ...environment, ...ready } };
}

export const startPlainly = (variables: Readonly<Record<string, string>>, command: readonly string[]): Starting =>
  putAway(variables, RESTORE, command);
