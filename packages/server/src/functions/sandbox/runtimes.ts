/** Which program runs a runtime's functions here, and what keeps functions from being run at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAM_PATH } from './environment.ts';
import type { FunctionUser } from './users.ts';
import type { Workshop } from './workshop.ts';

/** Any release of Python 3, any of Node.js, and programs that bring their own runtime. */
export type RuntimeKind = 'python' | 'node' | 'provided';

export function kindOf(runtime: string): RuntimeKind | undefined {
  if (/^python3\.\d+$/.test(runtime)) return 'python';
  if (/^nodejs(\d+\.(x|\d+))?$/.test(runtime)) return 'node';
  return /^provided(\.al\d+)?$/.test(runtime) ? 'provided' : undefined;
}

export interface RuntimesOptions {
  readonly workshop: Workshop;
  /** Path of the Python to use; the first python3 of the path of functions when empty. */
  readonly python: string;
  /** Path of the Node to use. */
  readonly node: string;
  /** No user of a function may enter it. */
  readonly dataFolder: string;
  /** Whether functions are kept from what is the server's; otherwise the operator has taken on what they do. */
  readonly confines: boolean;
}

/** Share of a function's memory that JavaScript objects may have: the rest is for Node itself, buffers and code. */
const HEAP = 0.75;

/** Exit statuses of the trial. */
const READABLE = 73;
const HIDDEN = 74;
const TRIAL = `if [ -n "$(ls -A "$1" 2>/dev/null)" ]; then exit ${READABLE}; fi
test -r "$3" || exit ${HIDDEN}
exec "$2" --version >/dev/null 2>&1`;

const NO_NAMESPACES =
  'this server does not run as root, so it can give functions no users of their own, and the machine lets it have no namespaces (or its programs are not to be seen in them); --allow-unconfined-functions runs functions with all rights of the server';

export class Runtimes {
  readonly #options: RuntimesOptions;
  readonly #faults = new Map<RuntimeKind, Promise<string | undefined>>();

  constructor(options: RuntimesOptions) {
    this.#options = options;
  }

  #python(): string | undefined {
    const { python } = this.#options;
    return python === '' ? PROGRAM_PATH.map((folder) => join(folder, 'python3')).find((path) => existsSync(path)) : python;
  }

  /** Program and arguments. */
  command(kind: RuntimeKind, codeFolder: string, memoryMb: number): readonly string[] {
    const { workshop, node } = this.#options;
    if (kind === 'python') return [this.#python() ?? 'python3', workshop.bootstrap('bootstrap.py')];
    if (kind === 'provided') return [join(codeFolder, 'bootstrap')];
    return [node, `--max-old-space-size=${Math.floor(memoryMb * HEAP)}`, workshop.bootstrap('bootstrap.mjs')];
  }

  /** Why functions of this kind can't be run here; tried once, with a user of a function. */
  fault(kind: RuntimeKind): Promise<string | undefined> {
    const known = this.#faults.get(kind) ?? this.#try(kind);
    this.#faults.set(kind, known);
    return known;
  }

  async #try(kind: RuntimeKind): Promise<string | undefined> {
    const { workshop, node } = this.#options;
    const program = { python: this.#python(), node, provided: '/bin/sh' }[kind];
    if (program === undefined) return `there is no python3 in ${PROGRAM_PATH.join(', ')}; --function-python names one`;
    if (!this.#options.confines) return undefined;
    const user = await workshop.user();
    // dash knows no --version: what counts of it is that it can be started.
    const tried = kind === 'provided' ? '/bin/true' : program;
    try {
      const code = await this.#trial(tried, user);
      if (code === READABLE) return 'the data folder can be read by other users of this machine; its mode has to be 0700';
      if (code === HIDDEN) return 'the folder for temporary files (TMPDIR) is closed to the users that functions run as';
      if (code === 0) return undefined;
      return user === undefined ? NO_NAMESPACES : `${program} can't be run by the user that functions run as`;
    } catch (error) {
      return `no process can be started for another user (${(error as NodeJS.ErrnoException).code})`;
    } finally {
      await user?.release();
    }
  }

  /** Tries the program as a function's process would: gives the exit status. */
  async #trial(program: string, user: FunctionUser | undefined): Promise<number | null> {
    const { workshop, dataFolder } = this.#options;
    const [code, temporary] = [await workshop.temporary(user), await workshop.temporary(user)];
    try {
      const script = ['/bin/sh', '-c', TRIAL, 'sh', dataFolder, program, workshop.bootstrap('bootstrap.py')];
      const [shell = '', ...args] = workshop.confined(script, code, temporary);
      const as = user === undefined ? {} : { uid: user.id, gid: user.id };
      const child = spawn(shell, args, { ...as, env: {}, cwd: '/', stdio: 'ignore' });
      const [status] = (await once(child, 'close')) as [number | null];
      return status;
    } finally {
      for (const folder of [code, temporary]) await rm(folder, { recursive: true, force: true });
    }
  }
}
