/**
 * One process that runs one version of a function, event after event: started, asked, timed, watched for its memory, and
 * ended with all that it has started. What it is told comes through the runtime API; what it writes goes to the log.
 */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../runtime/clock.ts';
import { signalWord, spawnConfined } from './confine.ts';
import { residentBytes } from './memory.ts';
import { FunctionOutput, type LogLine } from './output.ts';
import type { RuntimeApi, RuntimeEvent, RuntimeSession } from './runtime-api.ts';
import type { FunctionUser } from './users.ts';

/** Milliseconds that a process has until it asks for its first event. AWS gives 10 s, on machines that do nothing else. */
const INIT_TIMEOUT = 20_000;
/** Milliseconds between two looks at a process's memory. */
const WATCH = 250;

export interface SandboxOptions {
  readonly clock: Clock;
  readonly runtimeApi: RuntimeApi;
  /** Program and arguments, after those that confine it. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The process's own user id, and the group that may read its code; absent where functions are not confined. */
  readonly user?: { readonly own: FunctionUser; readonly codeGroup: number };
  readonly version: string;
  /** Seconds for one event. */
  readonly timeout: number;
  /** Bytes, the process and its children together. */
  readonly memory: number;
  readonly tell: (lines: readonly LogLine[]) => void;
}

export interface Invocation extends Omit<RuntimeEvent, 'deadline'> {
  /** Ends it before its time. */
  readonly signal?: AbortSignal;
}

export interface InvocationResult {
  /** The answer, or the error as JSON. */
  readonly payload: Uint8Array;
  readonly failed: boolean;
  /** The end of what was written to the log. */
  readonly logTail: string;
}

type Ending = Omit<InvocationResult, 'logTail'>;

interface UnderWay {
  readonly requestId: string;
  readonly end: (ending: Ending) => void;
}

const jsonError = (errorType: string, errorMessage: string): Ending => ({
  payload: Buffer.from(JSON.stringify({ errorType, errorMessage })),
  failed: true,
});

const NOBODY_WAITS = jsonError('Sandbox.Aborted', 'Nobody waits for the answer any more');

export class Sandbox implements RuntimeSession {
  readonly #options: SandboxOptions;
  readonly #output: FunctionOutput;
  readonly #ended = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;
  #closeSession: (() => void) | undefined;
  #underWay: UnderWay | undefined;
  /** The process waits for an event. */
  #asks: ((event: RuntimeEvent) => void) | undefined;
  /** An event that the process has not asked for yet: it is still at the end of the one before. */
  #unasked: RuntimeEvent | undefined;
  #askedFirst = Promise.withResolvers<void>();
  #initError: Uint8Array | undefined;
  #initMs = 0;
  #dead = false;
  #mostBytes = 0;
  #overMemory = false;

  private constructor(options: SandboxOptions) {
    this.#options = options;
    this.#output = new FunctionOutput({ now: () => options.clock.now(), tell: options.tell });
  }

  static async start(options: SandboxOptions): Promise<Sandbox> {
    const sandbox = new Sandbox(options);
    const { address, close } = await options.runtimeApi.admit(sandbox);
    sandbox.#closeSession = close;
    sandbox.#spawn(address);
    return sandbox;
  }

  /** It can take no more events. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Resolves once the process is gone, with everything that it has started. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  #spawn(address: string): void {
    const { command, cwd, environment, user, clock } = this.#options;
    const started = clock.monotonic();
    const as = user === undefined ? undefined : { user: user.own.id, group: user.codeGroup };
    const child = spawnConfined(command, { cwd, environment: { ...environment, AWS_LAMBDA_RUNTIME_API: address }, as });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => this.#output.write(chunk));
    child.stdout.on('error', () => undefined);
    child.once('error', (error: NodeJS.ErrnoException) => void this.#gone(`it could not be started (${error.code})`));
    child.once(
      'exit',
      (code, signal) => void this.#gone(signal === null ? `exit status ${code}` : `signal: ${signalWord(signal)}`),
    );
    void this.#askedFirst.promise.then(() => (this.#initMs = clock.monotonic() - started));
    const watch = setInterval(() => void this.#watch(), WATCH).unref();
    void this.ended.then(() => clearInterval(watch));
  }

  // What the process asks and tells.

  next(): Promise<RuntimeEvent> {
    this.#askedFirst.resolve();
    const event = this.#unasked;
    this.#unasked = undefined;
    if (event !== undefined) return Promise.resolve(event);
    return new Promise((resolve) => {
      this.#asks = resolve;
    });
  }

  awaits(requestId: string): boolean {
    return this.#underWay?.requestId === requestId;
  }

  answered(requestId: string, payload: Uint8Array): boolean {
    return this.#end(requestId, { payload, failed: false });
  }

  failed(requestId: string, payload: Uint8Array): boolean {
    return this.#end(requestId, { payload, failed: true });
  }

  initFailed(error: Uint8Array): void {
    this.#initError ??= error;
  }

  #end(requestId: string, ending: Ending): boolean {
    if (this.#underWay?.requestId !== requestId) return false;
    this.#underWay.end(ending);
    return true;
  }

  /** Runs one event; one at a time. Never fails: what goes wrong is the result. */
  async invoke(invocation: Invocation): Promise<InvocationResult> {
    const { version, clock } = this.#options;
    const { requestId } = invocation;
    const cold = this.#initMs === 0;
    this.#output.begin(requestId, version);
    const fault = await this.#ready(invocation.signal);
    const began = clock.monotonic();
    const ending = fault ?? (await this.#run(invocation));
    const duration = clock.monotonic() - began;
    await this.#look();
    // What the process wrote before it answered is in its pipe; a turn of the event loop reads it.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    this.#underWay = undefined;
    return { ...ending, logTail: this.#output.end(requestId, this.#report(duration, cold)) };
  }

  /** Waits for the first question; an error when it never comes. */
  async #ready(signal: AbortSignal | undefined): Promise<Ending | undefined> {
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), INIT_TIMEOUT);
    const aborted = Promise.withResolvers<'aborted'>();
    const abort = (): void => aborted.resolve('aborted');
    signal?.addEventListener('abort', abort, { once: true });
    const ended = this.ended.then(() => 'ended');
    const outcome = await Promise.race([this.#askedFirst.promise, ended, late.promise, aborted.promise]);
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    if (outcome === undefined) return undefined;
    // The process goes on with its start: the next event finds it ready.
    if (outcome === 'aborted') return NOBODY_WAITS;
    if (outcome === 'late') {
      this.#kill();
      return jsonError('Sandbox.Timedout', `Initialization did not end within ${INIT_TIMEOUT / 1000} seconds`);
    }
    if (this.#initError !== undefined) return { payload: this.#initError, failed: true };
    return jsonError('Runtime.ExitError', `Runtime exited before it asked for an event: ${this.#why}`);
  }

  async #run(invocation: Invocation): Promise<Ending> {
    const { timeout, clock } = this.#options;
    const { requestId, signal, ...told } = invocation;
    const settled = Promise.withResolvers<Ending>();
    this.#underWay = { requestId, end: settled.resolve };
    const timer = setTimeout(() => {
      const message = `${new Date(clock.now()).toISOString()} ${requestId} Task timed out after ${timeout.toFixed(2)} seconds`;
      this.#output.line(message);
      this.#kill();
      settled.resolve({ payload: Buffer.from(JSON.stringify({ errorMessage: message })), failed: true });
    }, timeout * 1000);
    const abort = (): void => {
      this.#kill();
      settled.resolve(NOBODY_WAITS);
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    // A process that has ended takes no event; one that has gone in between is told by `#gone`.
    if (this.#dead) settled.resolve(this.#exitError(requestId));
    else this.#hand({ requestId, ...told, deadline: clock.now() + timeout * 1000 });
    try {
      return await settled.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  #hand(event: RuntimeEvent): void {
    const asks = this.#asks;
    this.#asks = undefined;
    if (asks === undefined) this.#unasked = event;
    else asks(event);
  }

  /** Ends the process, and whatever it has started. Resolves once all of it is gone. */
  async stop(): Promise<void> {
    this.#kill();
    await this.ended;
  }

  #why = '';

  #kill(): void {
    this.#dead = true;
    const { pid } = this.#child ?? {};
    if (pid === undefined) return;
    try {
      // The process's group: it was started as the leader of one.
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has gone by itself.
    }
  }

  async #gone(why: string): Promise<void> {
    this.#why = why;
    this.#kill();
    this.#closeSession?.();
    // What left the process's group is still of its user.
    await this.#options.user?.own.killAll();
    const { requestId, end } = this.#underWay ?? {};
    if (requestId !== undefined) end?.(this.#exitError(requestId));
    this.#output.flush();
    this.#ended.resolve();
  }

  #exitError(requestId: string): Ending {
    const why = this.#overMemory ? `signal: killed (it held more than ${this.#options.memory >> 20} MB)` : this.#why;
    return jsonError('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited with error: ${why}`);
  }

  /** Bytes that the process holds now; 0 once it has gone. */
  async #look(): Promise<number> {
    const { pid } = this.#child ?? {};
    const bytes = pid === undefined || this.#dead ? 0 : await residentBytes(pid);
    this.#mostBytes = Math.max(this.#mostBytes, bytes);
    return bytes;
  }

  async #watch(): Promise<void> {
    // Whoever follows the log of a long run sees it as it goes.
    this.#output.flush();
    const bytes = await this.#look();
    if (bytes <= this.#options.memory || this.#dead) return;
    this.#overMemory = true;
    this.#kill();
  }

  #report(duration: number, cold: boolean): string {
    const parts = [
      `Duration: ${duration.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(duration)} ms`,
      `Memory Size: ${this.#options.memory >> 20} MB`,
      `Max Memory Used: ${Math.ceil(this.#mostBytes / 1024 / 1024)} MB`,
      ...(cold && this.#initMs > 0 ? [`Init Duration: ${this.#initMs.toFixed(2)} ms`] : []),
    ];
    return `${parts.join('\t')}\t`;
  }
}
