/**
 * The filter of system calls that a function runs under, as a program of the kernel's (seccomp(2), "filter"): what holds memory
 * that no watch sees, what makes namespaces and mounts, what looks into other processes, and sockets that no network namespace
 * confines are refused. Written for the two processors that Thingkeep runs on.
 */
import { NUMBERS, type Architecture, type SystemCall } from './system-calls.ts';

/** One instruction (linux/filter.h): what to do, how far to jump when it is so and when not, and an operand. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** linux/bpf_common.h: load a word, jump by comparison, answer. */
const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_NOT_LESS = 0x35;
const JUMP_ANY_BIT = 0x45;
const AND = 0x54;
const ANSWER = 0x06;

/** Offsets in struct seccomp_data: the lower half of an argument comes first, as both processors are little-endian. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const ARGUMENT = 16;
const FOURTH_ARGUMENT = 40;

/** linux/audit.h. */
const AUDIT: Readonly<Record<Architecture, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
/** Calls of the x32 ABI have this bit. */
const X32 = 0x4000_0000;

/** linux/seccomp.h. */
export const KILL = 0x8000_0000;
export const ALLOW = 0x7fff_0000;
const FAIL = 0x0005_0000;
export const EPERM = FAIL | 1;
export const ENOSYS = FAIL | 38;
export const EAFNOSUPPORT = FAIL | 97;

/** Calls that are refused whatever they are given. */
const REFUSED: readonly SystemCall[] = [
  // Memory that belongs to no process, and is in no file system with a size.
  ...(['memfd_create', 'memfd_secret', 'shmget', 'shmat', 'shmctl', 'shmdt'] as const),
  ...(['msgget', 'msgsnd', 'msgrcv', 'msgctl', 'semget', 'semop', 'semctl', 'semtimedop'] as const),
  ...(['mq_open', 'mq_unlink', 'mq_timedsend', 'mq_timedreceive', 'mq_notify', 'mq_getsetattr'] as const),
  ...(['keyctl', 'add_key', 'request_key', 'bpf', 'perf_event_open', 'userfaultfd'] as const),
  // Namespaces and mounts.
  ...(['unshare', 'setns', 'mount', 'umount2', 'pivot_root', 'chroot', 'open_tree', 'move_mount', 'fsopen'] as const),
  ...(['fsconfig', 'fsmount', 'fspick', 'mount_setattr', 'statmount', 'listmount', 'open_tree_attr'] as const),
  // Other processes, and files without their path.
  ...(['ptrace', 'process_vm_readv', 'process_vm_writev', 'process_madvise', 'kcmp', 'pidfd_getfd'] as const),
  ...(['move_pages', 'migrate_pages', 'name_to_handle_at', 'open_by_handle_at'] as const),
  // The machine.
  ...(['kexec_load', 'kexec_file_load', 'init_module', 'finit_module', 'delete_module', 'create_module'] as const),
  ...(['query_module', 'get_kernel_syms', 'reboot', 'swapon', 'swapoff', 'acct', 'syslog', 'quotactl'] as const),
  ...(['quotactl_fd', 'fanotify_init', 'fanotify_mark', 'lookup_dcookie', 'nfsservctl', 'vhangup'] as const),
  ...(['settimeofday', 'clock_settime', 'clock_adjtime', 'adjtimex', 'sethostname', 'setdomainname'] as const),
  ...(['iopl', 'ioperm', 'modify_ldt', 'uselib', '_sysctl', 'sysfs', 'ustat'] as const),
];

/** Calls that programs do without when the kernel says that it has them not: libc then uses clone, whose flags can be seen. */
const ABSENT: readonly SystemCall[] = ['clone3', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'];

/** linux/sched.h: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; CLONE_NEWTIME is in the byte of the signal. */
const NEW_NAMESPACES = 0x7e02_0000;

/** asm-generic/mman.h: pages of a pool that no process is charged for; MAP_SHARED and MAP_ANONYMOUS together. */
const HUGE_PAGES = 0x4_0000;
const SHARED_ANONYMOUS = 0x21;

/** AF_UNIX, AF_INET, AF_INET6, and AF_NETLINK, by which libc lists addresses; AF_VSOCK leads out of the network namespace. */
const FAMILIES: readonly number[] = [1, 2, 10, 16];

type JumpTarget = 'next' | 'kill' | 'refuse' | 'absent' | 'allow' | 'clone' | 'socket' | 'family' | 'mmap';
interface Step {
  readonly label?: JumpTarget;
  readonly code: number;
  readonly k: number;
  readonly jt?: JumpTarget;
  readonly jf?: JumpTarget;
}

function stepsOf(architecture: Architecture, isCounted: boolean): Step[] {
  const numbers = NUMBERS[architecture];
  const when = (names: readonly SystemCall[], jt: JumpTarget): Step[] =>
    names.flatMap((name) => {
      const k = numbers[name];
      return k === undefined ? [] : [{ code: JUMP_EQUAL, k, jt }];
    });
  const answer = (label: JumpTarget, k: number): Step => ({ label, code: ANSWER, k });
  const shared: Step[] = [
    { code: AND, k: SHARED_ANONYMOUS },
    { code: JUMP_EQUAL, k: SHARED_ANONYMOUS, jt: 'refuse' },
  ];
  const x32: Step[] = architecture === 'x64' ? [{ code: JUMP_NOT_LESS, k: X32, jt: 'kill' }] : [];
  return [
    { code: LOAD, k: ARCHITECTURE },
    { code: JUMP_EQUAL, k: AUDIT[architecture], jf: 'kill' },
    { code: LOAD, k: NUMBER },
    ...x32,
    ...when(['mmap'], 'mmap'),
    ...when(['clone'], 'clone'),
    ...when(['socket', 'socketpair'], 'socket'),
    ...when(ABSENT, 'absent'),
    ...when(REFUSED, 'refuse'),
    answer('allow', ALLOW),
    { label: 'mmap', code: LOAD, k: FOURTH_ARGUMENT },
    { code: JUMP_ANY_BIT, k: HUGE_PAGES, jt: 'refuse' },
    ...(isCounted ? [] : shared),
    answer('allow', ALLOW),
    { label: 'clone', code: LOAD, k: ARGUMENT },
    { code: JUMP_ANY_BIT, k: NEW_NAMESPACES, jt: 'refuse', jf: 'allow' },
    { label: 'socket', code: LOAD, k: ARGUMENT },
    ...FAMILIES.map((k): Step => ({ code: JUMP_EQUAL, k, jt: 'allow' })),
    answer('family', EAFNOSUPPORT),
    answer('refuse', EPERM),
    answer('absent', ENOSYS),
    answer('kill', KILL),
  ];
}

/**
 * The program: labels become distances. Backward jumps are none of the kernel's, so `allow` is repeated at the end. Where no
 * control group counts, shared memory without a file is refused too: what is unmapped of it is there, and seen by no watch.
 */
export function seccompFilter(architecture: Architecture, isCounted = true): Instruction[] {
  const steps = [...stepsOf(architecture, isCounted), { label: 'allow', code: ANSWER, k: ALLOW } as const];
  const distance = (from: number, to: JumpTarget | undefined): number => {
    if (to === undefined || to === 'next') return 0;
    const at = steps.findIndex(({ label }, index) => index > from && label === to);
    const far = at - from - 1;
    if (at < 0 || far > 255) throw new RangeError(`no way from step ${from} to ${to}`);
    return far;
  };
  return steps.map(({ code, k, jt, jf }: Step, index) => ({ code, jt: distance(index, jt), jf: distance(index, jf), k }));
}

/** As the kernel reads it: struct sock_filter after struct sock_filter. */
export function encodeFilter(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  instructions.forEach(({ code, jt, jf, k }, index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jt, index * 8 + 2);
    bytes.writeUInt8(jf, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  });
  return bytes;
}
