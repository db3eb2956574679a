/**
 * Functions in bubblewrap: namespaces of their own, as a user that has nothing, with their code and runtime to read, within a
 * control group where there is one (docs/decisions/functions-bubblewrap.md).
 */
import { chmodSync, existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bubble, bubbleLauncher, type BubbleUser } from './bubble.ts';
import { bubblewrapArguments, INSIDE, type SymbolicLink, type Shown, type View } from './bubblewrap.ts';
import type { Cage, Cgroups } from './cgroups.ts';
import type { ApiShare } from '../../runtime/api-share.ts';
import { type ApiAddress, API_DOOR, openDoors, RUNTIME_DOOR } from './doors.ts';
import type { Bounds, Enclosure, EnclosureNeeds, Enclosures, Launched } from './enclosure.ts';
import { PROGRAM_PATH } from './environment.ts';
import { pythonPlaces } from './python-places.ts';
import type { RuntimeApi } from './runtime-api.ts';
import { findProgram, NO_PYTHON, programOf, type RuntimeKind } from './runtimes.ts';
import { bubble, bubbleInNetwork, RESOLVER, startInside } from './scripts.ts';
import { trial } from './trial.ts';
import { tunFault } from './tun.ts';
import { depthHere } from './watch.ts';
import { filterName, type SandboxDirectory, SandboxDirectoryClosed } from './sandbox-directory.ts';

export type FunctionNetwork = 'api' | 'open';

export interface ConfinedOptions {
  readonly directory: SandboxDirectory;
  readonly runtimeApi: RuntimeApi;
  /** As whom functions run; absent where that is the server's own user. */
  readonly user: BubbleUser | undefined;
  readonly cgroups: Cgroups | undefined;
  readonly network: FunctionNetwork;
  readonly endpointUrl: () => string;
  readonly apiAddress: () => ApiAddress;
  readonly apiShare: ApiShare;
  /** Path of the Python to use; the first python3 of the path of functions when empty. */
  readonly python: string;
}

const MB = 1024 * 1024;
/** Bytes that what stands around a function may hold, the forwarder and the first processes of its namespaces. */
const SPARE = 48 * MB;
/** Its own 512 processes and threads, and what stands around it. */
const PROCESSES = 512 + 64;
const MAX_FILES = 65_536;
/** Where the kernel does not count what waits in them: each holds up to 416 KiB. */
const MAX_SOCKETS = 1024;
const LARGEST_TEMPORARY = 512 * MB;
const LARGEST_SHARED = 64 * MB;
/** Milliseconds between two looks: where the kernel counts, what it can't count alone is looked at. */
const WATCH_CAGED = 500;
const WATCH = 50;
/** As on Lambda. */
const RUNTIME_PORT = 9001;
const PROGRAMS = [...PROGRAM_PATH, '/usr/sbin', '/sbin'];

/** Folders of the system's programs and libraries, and what of /etc they read. */
const SYSTEM = ['/bin', '/sbin', '/lib', '/lib32', '/lib64'];
const SETTINGS = [
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'alternatives',
  'localtime',
  'mime.types',
  'services',
  'protocols',
];
const AUTHORITIES = ['ssl/certs', 'ssl/openssl.cnf', 'ssl/cert.pem', 'pki/tls/certs', 'pki/ca-trust/extracted'];
const OWN_SETTINGS = ['passwd', 'group', 'hosts', 'nsswitch.conf'];

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;

export class Confined implements Enclosures {
  readonly runtimeApi: RuntimeApi;
  readonly #options: ConfinedOptions;
  /** Namespaces of a function's process: the server's, bubblewrap's, and one of pasta's ahead of it. */
  readonly #depth: number;
  readonly #tried = new Map<RuntimeKind, Promise<string | undefined>>();
  /** Under way. */
  readonly #trials = new Set<Launched>();
  #python: Promise<{ program: string; shown: readonly Shown[] }> | undefined;

  constructor(options: ConfinedOptions) {
    this.#options = options;
    this.runtimeApi = options.runtimeApi;
    this.#depth = depthHere() + (options.network === 'open' ? 2 : 1);
  }

  /** Tried with a process that stands where a function's would; asked again as long as the answer is no. */
  fault(kind: RuntimeKind): Promise<string | undefined> {
    const known = this.#tried.get(kind) ?? this.#try(kind);
    this.#tried.set(kind, known);
    void known.then((fault) => {
      if (fault !== undefined && this.#tried.get(kind) === known) this.#tried.delete(kind);
    });
    return known;
  }

  async #try(kind: RuntimeKind): Promise<string | undefined> {
    const missing = this.#missing();
    if (missing !== undefined) return missing;
    const closed = this.#options.network === 'open' ? await tunFault(this.#options.user) : undefined;
    if (closed !== undefined) return closed;
    let launched: Launched | undefined;
    try {
      const { view, python } = await this.#view(kind, this.#options.directory.file('runtime'), undefined, 64 * MB);
      if (kind === 'python' && python.program === '') return NO_PYTHON;
      const program = { python: python.program, node: INSIDE.node, provided: '/bin/sh' }[kind];
      const fault = await trial({
        program,
        depth: this.#depth,
        isOpen: this.#options.network === 'open',
        start: (command) => {
          launched = this.#launcher().start(bubblewrapArguments(view), command, undefined);
          this.#trials.add(launched);
          return launched;
        },
      });
      return fault === undefined ? undefined : this.#pythonWords(kind, fault);
    } catch (error) {
      if (error instanceof SandboxDirectoryClosed) return this.#pythonWords(kind, error.message);
      return `no sandbox can be made (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
    } finally {
      if (launched !== undefined) this.#trials.delete(launched);
    }
  }

  /** Names the setting where the Python that it names is at fault. */
  #pythonWords(kind: RuntimeKind, fault: string): string {
    const { python } = this.#options;
    if (kind !== 'python' || python === '' || !/can't (?:be reached|be run by|reach what)/.test(fault)) return fault;
    return `--function-python ${python}: ${fault}`;
  }

  /** What is not installed. */
  #missing(): string | undefined {
    if (process.platform !== 'linux') return 'functions are confined by bubblewrap, which needs Linux';
    if (!['x64', 'arm64'].includes(process.arch)) return 'functions are confined on x64 and arm64 alone';
    if (findProgram('bwrap', PROGRAMS) === undefined)
      return 'bubblewrap, which confines functions, is not installed (bwrap; the Debian package is bubblewrap)';
    if (this.#options.network === 'open' && findProgram('pasta', PROGRAMS) === undefined)
      return 'pasta, which gives functions a network, is not installed (the Debian package is passt)';
    return undefined;
  }

  #launcher(): Bubble {
    const { directory, network, user, cgroups } = this.#options;
    const bwrap = findProgram('bwrap', PROGRAMS) ?? 'bwrap';
    const filter = directory.file(filterName(cgroups !== undefined));
    const pasta = findProgram('pasta', PROGRAMS) ?? 'pasta';
    const command = network === 'open' ? bubbleInNetwork(pasta, bwrap, filter) : bubble(bwrap, filter);
    return bubbleLauncher({ command, user, depth: this.#depth });
  }

  async #view(
    kind: RuntimeKind,
    code: string,
    doors: string | undefined,
    memory: number,
  ): Promise<{ view: Omit<View, 'environment'> & { environment: Record<string, string> }; python: { program: string } }> {
    const { directory, network } = this.#options;
    // Only functions of Python see it, and only they miss it.
    const python = kind === 'python' ? await this.#foundPython() : { program: '', shown: [] };
    const links: SymbolicLink[] = SYSTEM.filter(isLink).map((to) => ({ target: readlinkSync(to), to }));
    const folders = SYSTEM.filter((path) => existsSync(path) && !isLink(path)).map((path) => ({ from: path, to: path }));
    const shown: Shown[] = [
      { from: '/usr', to: '/usr' },
      ...folders,
      ...[...SETTINGS, ...AUTHORITIES].map((name): Shown => ({ from: `/etc/${name}`, to: `/etc/${name}`, optional: true })),
      ...OWN_SETTINGS.map((name) => ({ from: directory.file(`etc/${name}`), to: `/etc/${name}` })),
      ...python.shown,
      { from: directory.node, to: INSIDE.node },
      { from: directory.file('runtime'), to: INSIDE.runtime },
      { from: code, to: INSIDE.code },
      ...(doors === undefined ? [] : [{ from: doors, to: INSIDE.doors }]),
      ...(network === 'open' ? [{ from: this.#resolverFile(), to: '/etc/resolv.conf' }] : []),
    ];
    const view = {
      shown,
      links,
      ownNetwork: network === 'api',
      hasZero: this.#options.cgroups !== undefined,
      environment: { PATH: PROGRAM_PATH.join(':') },
      temporarySize: Math.min(LARGEST_TEMPORARY, Math.floor(memory / 2)),
      sharedSize: Math.min(LARGEST_SHARED, Math.floor(memory / 4)),
    };
    return { view, python };
  }

  /** The machine's own, but for the address. */
  #resolverFile(): string {
    const path = this.#options.directory.file('etc/resolv.conf');
    if (existsSync(path)) return path;
    let own = '';
    try {
      own = readFileSync('/etc/resolv.conf', 'utf8');
    } catch {
      // A machine without one has no search list either.
    }
    const kept = own.split('\n').filter((line) => /^(search|options)\s/.test(line));
    writeFileSync(path, [`nameserver ${RESOLVER}`, ...kept, ''].join('\n'));
    chmodSync(path, 0o644);
    return path;
  }

  async #foundPython(): Promise<{ program: string; shown: readonly Shown[] }> {
    this.#python ??= this.#findPython();
    try {
      return await this.#python;
    } catch (error) {
      this.#python = undefined;
      throw error;
    }
  }

  async #findPython(): Promise<{ program: string; shown: readonly Shown[] }> {
    const { python, user } = this.#options;
    const found = python === '' ? findProgram('python3') : python;
    // Only functions of Python miss it.
    if (found === undefined) return { program: '', shown: [] };
    const shown = await pythonPlaces(found, user);
    if (!existsSync(found)) throw new SandboxDirectoryClosed(`${found} can't be reached (ENOENT)`);
    return { program: found, shown };
  }

  async prepare({ kind, memory, codeFolder, cleanUp }: EnclosureNeeds): Promise<Enclosure> {
    const missing = this.#missing();
    if (missing !== undefined) throw new SandboxDirectoryClosed(missing);
    const { directory, cgroups, endpointUrl, apiAddress, user } = this.#options;
    const doors = await openDoors({
      parent: directory.folder,
      group: user?.gid,
      api: apiAddress,
      share: this.#options.apiShare,
      runtime: (socket) => this.runtimeApi.accept(socket),
    });
    cleanUp.add('doors', () => doors.close());
    const { view, python } = await this.#view(kind, codeFolder, doors.folder, memory);
    const cage = cgroups?.make({ memory: memory + SPARE, processes: PROCESSES });
    // What the kernel counts it also bounds.
    const bounds: Bounds =
      cage === undefined
        ? { memory: memory + SPARE, files: MAX_FILES, sockets: MAX_SOCKETS }
        : { memory: Number.POSITIVE_INFINITY, files: MAX_FILES, sockets: Number.POSITIVE_INFINITY };
    if (cage !== undefined) cleanUp.add('control group', () => removeCage(cage));
    const url = new URL(endpointUrl());
    // Its loopback address is its own network's: any other name or address of the API is none there.
    if (url.protocol === 'http:' && url.hostname !== '127.0.0.1') url.hostname = 'localhost';
    const forwards = [
      `${RUNTIME_PORT}=${INSIDE.doors}/${RUNTIME_DOOR}`,
      `${url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port}=${INSIDE.doors}/${API_DOOR}`,
    ] as const;
    const programs = { python: python.program, node: INSIDE.node, code: INSIDE.code, runtime: INSIDE.runtime };
    return {
      taskRoot: INSIDE.code,
      temporary: INSIDE.temporary,
      endpointUrl: url.href.replace(/\/$/, ''),
      bounds,
      watchEvery: cage === undefined ? WATCH : WATCH_CAGED,
      authorityFile: directory.hasAuthority ? `${INSIDE.runtime}/authority.pem` : undefined,
      admit: async (session) => {
        const { token, close } = this.runtimeApi.admit(session);
        cleanUp.add('runtime session', close);
        return `127.0.0.1:${RUNTIME_PORT}/${token}`;
      },
      starting: (started, memoryMb, variables) =>
        startInside(variables, programOf(started, programs, memoryMb), forwards, started !== 'provided'),
      launch: ({ command, environment }) => {
        const full = { ...view, environment: { ...view.environment, ...environment } };
        return this.#launcher().start(bubblewrapArguments(full), command, cage, bounds.memory);
      },
    };
  }

  async close(): Promise<void> {
    for (const launched of this.#trials) launched.kill();
    await this.runtimeApi.close();
  }
}

/** Looks at a group that is to be empty. */
const PATIENCE = 100;

/** Removes a group once the last of its processes has been noticed as gone. */
async function removeCage(cage: Cage): Promise<void> {
  for (let pass = 0; pass < PATIENCE; pass += 1) {
    if (cage.remove()) return;
    cage.kill();
    await pause(10);
  }
  throw new SandboxDirectoryClosed('a control group of a function could not be removed');
}
