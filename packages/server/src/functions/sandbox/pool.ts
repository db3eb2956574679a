/**
 * The processes of all functions: kept warm for the next event, as many as there may be, ended when nothing comes, when their
 * function changes, and before the credentials that they started with are over.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { CleanUp } from './clean-up.ts';
import type { Enclosure, Enclosures } from './enclosure.ts';
import { environmentOf } from './environment.ts';
import type { LogLine } from './output.ts';
import { kindOf } from './runtimes.ts';
import { type Invocation, type InvocationResult, Sandbox } from './sandbox.ts';
import type { SandboxDirectory } from './sandbox-directory.ts';

export interface FunctionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** One version of a function, as it is to be run. */
export interface Deployable {
  /** Changes with the code and with every setting that a process starts with. */
  readonly revision: string;
  readonly accountId: string;
  readonly region: string;
  readonly name: string;
  readonly version: string;
  readonly runtime: string;
  readonly handler: string;
  readonly role: string;
  /** Seconds. */
  readonly timeout: number;
  /** MB. */
  readonly memorySize: number;
  readonly codeSha256: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly logGroup: string;
  /** Most processes of the function, all versions together; absent where only the bound of all holds. */
  readonly reserved?: number;
}

/** Where a process's lines go. */
export interface FunctionLogStream {
  readonly accountId: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
}

export interface PoolOptions {
  readonly clock: Clock;
  readonly directory: SandboxDirectory;
  readonly enclosures: Enclosures;
  readonly log: Pick<Logger, 'error'>;
  readonly code: (digest: string) => Promise<Uint8Array>;
  readonly credentials: (of: Deployable, seconds: number) => Promise<FunctionCredentials | undefined>;
  readonly writeLog: (place: FunctionLogStream, lines: readonly LogLine[]) => void;
  /** Most processes, all functions together. */
  readonly most: number;
  /** Called ahead of each step of cleaning up, for a test to let it fail. */
  readonly beforeStep?: (step: string) => void;
}

/** No process is free, and none may be started. */
export class ConcurrencyExceeded extends Error {
  override readonly name = 'Throttled';
  /** Whether the function's own bound is met, and not that of all. */
  readonly reserved: boolean;

  constructor(reserved: boolean) {
    super('Rate Exceeded.');
    this.reserved = reserved;
  }
}

interface WorkerSlot {
  readonly functionKey: string;
  readonly revision: string;
  /** Absent while it starts. */
  sandbox?: Sandbox;
  busy: boolean;
  /** Takes no more events once it is free. */
  retired: boolean;
  /** Monotonic milliseconds. */
  idleSince: number;
  /** Milliseconds since the epoch until which an event may begin. */
  freshUntil: number;
}

/** Milliseconds that a process waits for another event. */
const IDLE = 5 * 60_000;
const CREDENTIALS_SECONDS = 3600;
/** Milliseconds of credentials that are left at the end of the longest event, at least. */
const MARGIN = 60_000;

const keyOf = ({ accountId, region, name }: Pick<Deployable, 'accountId' | 'region' | 'name'>): string =>
  `${accountId}/${region}/${name}`;

export class Pool {
  readonly #options: PoolOptions;
  readonly #places = new Set<WorkerSlot>();
  /** Processes whose things are being given back. */
  readonly #cleaning = new Set<Promise<void>>();
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Runs one event. Fails with `Throttled`, and with what keeps a process from being started. */
  async invoke(of: Deployable, invocation: Invocation): Promise<InvocationResult> {
    this.#checkReserved(of);
    const place = this.#idle(of) ?? this.#reserve(of);
    try {
      place.sandbox ??= await this.#start(of, place);
      return await place.sandbox.invoke(invocation);
    } finally {
      this.#release(place);
    }
  }

  /** Ends the processes of a function, those at work once they are done: it has changed, or is gone. */
  retire(of: Pick<Deployable, 'accountId' | 'region' | 'name'>, stays: (revision: string) => boolean = () => false): void {
    for (const place of this.#places) {
      if (place.functionKey !== keyOf(of) || stays(place.revision)) continue;
      place.retired = true;
      if (!place.busy) this.#remove(place);
    }
  }

  /** Ends what has been idle for long; to be called from time to time. */
  sweep(): void {
    const { clock } = this.#options;
    for (const place of this.#places)
      if (!place.busy && (clock.monotonic() - place.idleSince > IDLE || clock.now() > place.freshUntil)) this.#remove(place);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#places].map((place) => place.sandbox?.stop()));
    await Promise.all(this.#cleaning);
    await this.#options.enclosures.close();
  }

  #idle(of: Deployable): WorkerSlot | undefined {
    const now = this.#options.clock.now();
    for (const place of this.#places) {
      if (place.revision !== of.revision || place.busy || place.retired || place.functionKey !== keyOf(of)) continue;
      if (place.sandbox?.dead !== false || now > place.freshUntil) this.#remove(place);
      else {
        place.busy = true;
        return place;
      }
    }
    return undefined;
  }

  #checkReserved(of: Deployable): void {
    if (of.reserved === undefined) return;
    const atWork = [...this.#places].filter(({ functionKey, busy }) => busy && functionKey === keyOf(of)).length;
    if (atWork >= of.reserved) throw new ConcurrencyExceeded(true);
  }

  /** Takes a place for a process that is yet to be started; nothing may be awaited between the count and the taking. */
  #reserve(of: Deployable): WorkerSlot {
    const functionKey = keyOf(of);
    if (this.#closed) throw new ConcurrencyExceeded(false);
    if (this.#places.size >= this.#options.most) {
      const [longest] = [...this.#places].filter(({ busy }) => !busy).sort((a, b) => a.idleSince - b.idleSince);
      if (longest === undefined) throw new ConcurrencyExceeded(false);
      this.#remove(longest);
    }
    const place: WorkerSlot = {
      functionKey,
      revision: of.revision,
      busy: true,
      retired: false,
      idleSince: 0,
      freshUntil: Number.POSITIVE_INFINITY,
    };
    this.#places.add(place);
    return place;
  }

  #release(place: WorkerSlot): void {
    place.busy = false;
    place.idleSince = this.#options.clock.monotonic();
    if (place.retired || place.sandbox?.dead !== false) this.#remove(place);
  }

  #remove(place: WorkerSlot): void {
    this.#places.delete(place);
    place.retired = true;
    void place.sandbox?.stop();
  }

  async #start(of: Deployable, place: WorkerSlot): Promise<Sandbox> {
    const { directory, enclosures, code, clock, credentials, log, beforeStep } = this.#options;
    const kind = kindOf(of.runtime);
    if (kind === undefined) throw new TypeError(`no runtime ${of.runtime}`);
    const keys = await credentials(of, CREDENTIALS_SECONDS);
    const cleanUp = new CleanUp({ log, before: beforeStep });
    try {
      const deployment = await directory.use(`${keyOf(of)}/${of.codeSha256}`, () => code(of.codeSha256));
      cleanUp.add('code', deployment.release);
      const enclosure = await enclosures.prepare({ kind, memory: of.memorySize * MB, codeFolder: deployment.folder, cleanUp });
      if (keys !== undefined) place.freshUntil = keys.expiresAt - of.timeout * 1000 - MARGIN;
      const stream = streamName(of.version, clock.now());
      const { command, environment } = enclosure.starting(kind, of.memorySize, of.variables);
      const sandbox = await Sandbox.start({
        clock,
        log,
        enclosure,
        version: of.version,
        timeout: of.timeout,
        memory: of.memorySize,
        starting: { command, environment: { ...environmentFor(of, enclosure, stream, keys), ...environment } },
        writeLog: (lines) => this.#writeLog(of, stream, lines),
      });
      // What it took goes with it, whenever that is.
      const cleaned = sandbox.ended.then(() => cleanUp.run());
      this.#cleaning.add(cleaned);
      void cleaned.finally(() => this.#cleaning.delete(cleaned));
      if (this.#closed) await sandbox.stop();
      return sandbox;
    } catch (error) {
      await cleanUp.run();
      throw error;
    }
  }

  #writeLog({ accountId, region, logGroup: group }: Deployable, stream: string, lines: readonly LogLine[]): void {
    const { writeLog, log, beforeStep } = this.#options;
    try {
      beforeStep?.('log');
      writeLog({ accountId, region, group, stream }, lines);
    } catch (error) {
      log.error({ err: error }, 'what a function wrote could not be kept');
    }
  }
}

const MB = 1024 * 1024;

function environmentFor(
  of: Deployable,
  { taskRoot, temporary, endpointUrl, authorityFile }: Enclosure,
  logStream: string,
  credentials: FunctionCredentials | undefined,
): Record<string, string> {
  return environmentOf({
    ...of,
    functionName: of.name,
    logStream,
    taskRoot,
    temporary,
    endpointUrl,
    ...defined({ authorityFile }),
    ...defined({ credentials }),
  });
}

/** Such as `2026/11/21/[$LATEST]0123456789abcdef0123456789abcdef`. */
const streamName = (version: string, now: number): string =>
  `${new Date(now).toISOString().slice(0, 10).replaceAll('-', '/')}/[${version}]${randomBytes(16).toString('hex')}`;
