/**
 * Functions with all rights of the server, where its operator has taken that on (--allow-unconfined-functions): for one tenant,
 * in a container that is itself the sandbox.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { startedChild } from './child.ts';
import type { Enclosure, EnclosureNeeds, Enclosures, Launched } from './enclosure.ts';
import { PROGRAM_PATH } from './environment.ts';
import type { RuntimeApi, RuntimeSession } from './runtime-api.ts';
import { findProgram, NO_PYTHON, programOf, type RuntimeKind } from './runtimes.ts';
import { bounded, startPlainly, type Starting } from './scripts.ts';
import { type Holding, residentBytes } from './watch.ts';
import { REMOVAL, type SandboxDirectory } from './sandbox-directory.ts';

export interface UnconfinedOptions {
  readonly directory: SandboxDirectory;
  readonly runtimeApi: RuntimeApi;
  readonly endpointUrl: () => string;
  /** Path of the Python to use; the first python3 of the path of functions when empty. */
  readonly python: string;
}

/** Milliseconds between two looks. */
const WATCH = 250;

export class Unconfined implements Enclosures {
  readonly runtimeApi: RuntimeApi;
  readonly #options: UnconfinedOptions;

  constructor(options: UnconfinedOptions) {
    this.#options = options;
    this.runtimeApi = options.runtimeApi;
  }

  async fault(kind: RuntimeKind): Promise<string | undefined> {
    return kind === 'python' && this.#python() === undefined ? NO_PYTHON : undefined;
  }

  #python(): string | undefined {
    return this.#options.python === '' ? findProgram('python3') : this.#options.python;
  }

  async prepare({ memory, codeFolder, cleanUp }: EnclosureNeeds): Promise<Enclosure> {
    const { directory, endpointUrl } = this.#options;
    const temporary = await mkdtemp(join(directory.folder, 't-'));
    cleanUp.add('temporary folder', () => rm(temporary, REMOVAL));
    const places = {
      python: this.#python() ?? 'python3',
      node: process.execPath,
      code: codeFolder,
      runtime: directory.file('runtime'),
    };
    return {
      taskRoot: codeFolder,
      temporary,
      endpointUrl: endpointUrl(),
      watchEvery: WATCH,
      authorityFile: directory.hasAuthority ? directory.file('runtime/authority.pem') : undefined,
      bounds: { memory, files: Number.POSITIVE_INFINITY, sockets: Number.POSITIVE_INFINITY },
      admit: async (session: RuntimeSession) => {
        const { token, close } = this.runtimeApi.admit(session);
        cleanUp.add('runtime session', close);
        return `127.0.0.1:${await this.runtimeApi.port()}/${token}`;
      },
      starting: (kind, memoryMb, variables) => startPlainly(variables, programOf(kind, places, memoryMb)),
      launch: (starting) => launch(starting, codeFolder),
    };
  }

  async close(): Promise<void> {
    await this.runtimeApi.close();
  }
}

function launch({ command, environment }: Starting, cwd: string): Launched {
  const [shell = '', ...args] = bounded(command);
  const env = { PATH: PROGRAM_PATH.join(':'), ...environment };
  const child: ChildProcessByStdio<null, Readable, null> = spawn(shell, args, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  startedChild(child, 'stdout');
  const { pid } = child;
  const kill = (): void => {
    if (pid === undefined) return;
    try {
      // The process's group: it was started as the leader of one.
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has gone by itself.
    }
  };
  return {
    child,
    look: (): Holding | undefined =>
      pid === undefined ? undefined : { bytes: residentBytes(pid), processes: 0, files: 0, sockets: 0 },
    isOverMemory: () => false,
    kill,
    end: async () => kill(),
  };
}
