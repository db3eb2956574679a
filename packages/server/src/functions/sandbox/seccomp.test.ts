/** The filter of system calls: evaluated as the kernel would, for both processors, and by the kernel itself on this one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ALLOW, EAFNOSUPPORT, encodeFilter, ENOSYS, EPERM, type Instruction, KILL, seccompFilter } from './seccomp.ts';
import { NUMBERS } from './system-calls.ts';

interface Call {
  readonly audit: number;
  readonly number: number;
  readonly argument?: number;
  readonly fourth?: number;
}

/** Runs a program as the kernel does (Documentation/networking/filter.rst), for the instructions that are used. */
function evaluate(program: readonly Instruction[], { audit, number, argument = 0, fourth = 0 }: Call): number {
  const data: Readonly<Record<number, number>> = { 0: number, 4: audit, 16: argument, 40: fourth };
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 1) {
    const { code, jt, jf, k } = program[at] as Instruction;
    if (code === 0x20) accumulator = data[k] ?? assert.fail(`reads at ${k}`);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x06) return k;
    else {
      const so =
        code === 0x15
          ? accumulator === k
          : code === 0x35
            ? accumulator >= k
            : code === 0x45
              ? (accumulator & k) !== 0
              : assert.fail(`code ${code}`);
      at += so ? jt : jf;
    }
  }
  return assert.fail('the program has no end');
}

const AUDIT = { x64: 0xc000_003e, arm64: 0xc000_00b7 } as const;
/** Calls that programs live by: read, write, mmap, futex, openat, execve, exit_group, getrandom, epoll_pwait, prctl. */
const NEEDED = { x64: [0, 1, 9, 202, 257, 59, 231, 318, 281, 157], arm64: [63, 64, 222, 98, 56, 221, 94, 278, 22, 167] } as const;

for (const architecture of ['x64', 'arm64'] as const)
  describe(architecture, () => {
    const program = seccompFilter(architecture);
    const audit = AUDIT[architecture];
    const { clone, socket, socketpair, clone3, mmap = -1, ...others } = NUMBERS[architecture];
    const of = (number = -1, argument = 0): number => evaluate(program, { audit, number, argument });

    test('what programs need is allowed, and what is named is refused', () => {
      for (const number of NEEDED[architecture]) assert.equal(of(number), ALLOW, String(number));
      for (const [name, number] of Object.entries(others))
        assert.equal(of(number), name.startsWith('io_uring') ? ENOSYS : EPERM, name);
      assert.equal(of(clone3), ENOSYS);
    });

    test('clone makes threads and processes, and no namespace', () => {
      // What libc asks for: CLONE_VM|FS|FILES|SIGHAND|THREAD|SYSVSEM|SETTLS|..., and fork's SIGCHLD.
      for (const flags of [0x003d_0f00, 0x0120_0011, 0x11]) assert.equal(of(clone, flags), ALLOW);
      for (let bit = 0; bit < 32; bit += 1) {
        const isNamespace = [17, 25, 26, 27, 28, 29, 30].includes(bit);
        assert.equal(of(clone, (1 << bit) >>> 0), isNamespace ? EPERM : ALLOW, `bit ${bit}`);
      }
    });

    test('memory is mapped: without huge pages, and where nobody counts, shared with a file alone', () => {
      const flags = {
        private: 0x22,
        shared: 0x21,
        validated: 0x23,
        file: 0x01,
        huge: 0x4_0022,
        noReserve: 0x4022,
        stack: 0x2_0022,
      };
      for (const isCounted of [true, false])
        for (const [name, fourth] of Object.entries(flags)) {
          const isRefused = name === 'huge' || (!isCounted && ['shared', 'validated'].includes(name));
          const evaluated = evaluate(seccompFilter(architecture, isCounted), { audit, number: mmap, fourth });
          assert.equal(evaluated, isRefused ? EPERM : ALLOW, `${name} ${isCounted}`);
        }
    });

    test('sockets are of unix, IPv4, IPv6 and netlink', () => {
      for (let family = 0; family < 64; family += 1)
        for (const call of [socket, socketpair])
          assert.equal(of(call, family), [1, 2, 10, 16].includes(family) ? ALLOW : EAFNOSUPPORT, `family ${family}`);
    });

    test('calls of other architectures end the process', () => {
      for (const foreign of [0x4000_0003, 0xc000_00b7, 0xc000_003e, 0x4000_0028, 0].filter((one) => one !== audit))
        assert.equal(evaluate(program, { audit: foreign, number: 0 }), KILL);
      if (architecture === 'x64') for (const number of [0x4000_0000, 0x4000_0001, 0xffff_ffff]) assert.equal(of(number), KILL);
    });

    test('every way ends within the program', () => {
      program.forEach(({ code, jt, jf }, at) => {
        if (![0x06, 0x20, 0x54].includes(code)) for (const far of [jt, jf]) assert.ok(at + 1 + far < program.length && far < 256);
      });
      assert.ok(program.length <= 4096);
    });
  });

test('the kernel takes it, and Node.js and Python run under it', { skip: !hasBubblewrap() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-test-'));
  const filter = join(folder, 'filter');
  writeFileSync(filter, encodeFilter(seccompFilter(process.arch === 'arm64' ? 'arm64' : 'x64')));
  const under = (program: string, ...args: readonly string[]) => {
    const command = 'exec bwrap --dev-bind / / --seccomp 9 9<"$0" -- "$@"';
    return spawnSync('/bin/sh', ['-c', command, filter, program, ...args], { encoding: 'utf8' });
  };
  try {
    const worker =
      "new (require('node:worker_threads').Worker)('1', { eval: true }).on('exit', () => console.log(require('node:child_process').execFileSync('/bin/echo', ['ran']).toString()))";
    assert.match(under(process.execPath, '-e', worker).stdout, /ran/);
    const python = `
import ctypes, socket, subprocess, threading
thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()
libc = ctypes.CDLL(None, use_errno=True)
def error(result): return ctypes.get_errno() if result == -1 else 0
print(subprocess.check_output(['/bin/echo', 'child']).decode().strip(), error(libc.memfd_create(b'm', 0)), error(libc.shmget(0, 4096, 0o1600)), error(libc.unshare(0x10000000)))
try:
    socket.socket(40, 1)
except OSError as fault:
    print(fault.errno)
`;
    const { stdout, stderr } = under('/usr/bin/python3', '-c', python);
    assert.equal(stdout, 'thread\nchild 1 1 1\n97\n', stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function hasBubblewrap(): boolean {
  return process.platform === 'linux' && spawnSync('bwrap', ['--version']).status === 0;
}
