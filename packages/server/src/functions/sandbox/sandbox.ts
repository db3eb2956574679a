/**
 * One process that runs one version of a function, event after event: started, asked, timed, watched for its memory, and
 * ended with all that it has started. What it is told comes through the runtime API; what it writes goes to the log.
 */
import { constants } from 'node:os';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Enclosure, Launched } from './enclosure.ts';
import { FunctionOutput, type LogLine } from './output.ts';
import type { RuntimeEvent, RuntimeSession } from './runtime-api.ts';
import type { Starting } from './scripts.ts';
import { startDeadline } from '../../runtime/deadline.ts';

/** Milliseconds that a process has until it asks for its first event. AWS gives 10 s, on machines that do nothing else. */
const INIT_TIMEOUT = 20_000;
/** Milliseconds between two looks at what an idle process holds. */
const WATCH_IDLE = 500;
/** What ends a process: bubblewrap and shells say so of one that a signal has ended. */
const BY_SIGNAL = 128;
const SIGKILL = 9;

export interface SandboxOptions {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error'>;
  readonly enclosure: Enclosure;
  /** What is started, once the address of the runtime API is in its environment. */
  readonly starting: Starting;
  readonly version: string;
  /** Seconds for one event. */
  readonly timeout: number;
  /** MB, the process and its children together. */
  readonly memory: number;
  readonly writeLog: (lines: readonly LogLine[]) => void;
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

type InvocationEnd = Omit<InvocationResult, 'logTail'>;

interface UnderWay {
  readonly requestId: string;
  readonly end: (ending: InvocationEnd) => void;
}

const jsonError = (errorType: string, errorMessage: string): InvocationEnd => ({
  payload: Buffer.from(JSON.stringify({ errorType, errorMessage })),
  failed: true,
});

const ABANDONED = jsonError('Sandbox.Aborted', 'The caller does not wait for the answer any more');

export class Sandbox implements RuntimeSession {
  readonly #options: SandboxOptions;
  readonly #output: FunctionOutput;
  readonly #ended = Promise.withResolvers<void>();
  #launched: Launched | undefined;
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
  /** Why the server ended it. */
  #tooMuch: string | undefined;

  private constructor(options: SandboxOptions) {
    this.#options = options;
    this.#output = new FunctionOutput({ now: () => options.clock.now(), writeLog: options.writeLog });
  }

  static async start(options: SandboxOptions): Promise<Sandbox> {
    const sandbox = new Sandbox(options);
    sandbox.#spawn(await options.enclosure.admit(sandbox));
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
    const { enclosure, starting, clock, log } = this.#options;
    const started = clock.monotonic();
    const { command, environment } = starting;
    const launched = enclosure.launch({ command, environment: { ...environment, AWS_LAMBDA_RUNTIME_API: address } });
    this.#launched = launched;
    const { child } = launched;
    child.stdout.on('data', (chunk: Buffer) => this.#output.write(chunk));
    child.stdout.on('error', () => undefined);
    const gone = (why: string): void => {
      this.#gone(why)
        .catch((error: unknown) =>
          log.error({ event: 'function-clean-up', step: 'end', err: error }, 'a function has left something'),
        )
        .finally(() => this.#ended.resolve());
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      // With a number it was started, and the error is of ending it.
      if (child.pid === undefined) gone(`it could not be started (${error.code})`);
    });
    child.once('exit', (code, signal) => gone(whyEnded(code, signal)));
    void this.#askedFirst.promise.then(() => (this.#initMs = clock.monotonic() - started));
    this.#watchLater();
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

  #end(requestId: string, ending: InvocationEnd): boolean {
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
    this.#look();
    // What the process wrote before it answered is in its pipe; a turn of the event loop reads it.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    this.#underWay = undefined;
    return { ...ending, logTail: this.#output.end(requestId, this.#report(duration, cold)) };
  }

  /** Waits for the first question; an error when it never comes. */
  async #ready(signal: AbortSignal | undefined): Promise<InvocationEnd | undefined> {
    const late = Promise.withResolvers<'late'>();
    const cancel = startDeadline(INIT_TIMEOUT, () => late.resolve('late'));
    const aborted = Promise.withResolvers<'aborted'>();
    const abort = (): void => aborted.resolve('aborted');
    signal?.addEventListener('abort', abort, { once: true });
    const ended = this.ended.then(() => 'ended');
    const outcome = await Promise.race([this.#askedFirst.promise, ended, late.promise, aborted.promise]);
    cancel();
    signal?.removeEventListener('abort', abort);
    if (outcome === undefined) return undefined;
    // The process goes on with its start: the next event finds it ready.
    if (outcome === 'aborted') return ABANDONED;
    if (outcome === 'late') {
      this.#kill();
      return jsonError('Sandbox.Timedout', `Initialization did not end within ${INIT_TIMEOUT / 1000} seconds`);
    }
    if (this.#initError !== undefined) return { payload: this.#initError, failed: true };
    return jsonError('Runtime.ExitError', `Runtime exited before it asked for an event: ${this.#reason()}`);
  }

  async #run(invocation: Invocation): Promise<InvocationEnd> {
    const { timeout, clock } = this.#options;
    const { requestId, signal, ...told } = invocation;
    const settled = Promise.withResolvers<InvocationEnd>();
    this.#underWay = { requestId, end: settled.resolve };
    const cancel = startDeadline(timeout * 1000, () => {
      const message = `${new Date(clock.now()).toISOString()} ${requestId} Task timed out after ${timeout.toFixed(2)} seconds`;
      this.#output.line(message);
      this.#kill();
      settled.resolve({ payload: Buffer.from(JSON.stringify({ errorMessage: message })), failed: true });
    });
    const abort = (): void => {
      this.#kill();
      settled.resolve(ABANDONED);
    };
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    // A process that has ended takes no event; one that has gone in between is told by `#gone`.
    if (this.#dead) settled.resolve(this.#exitError(requestId));
    else this.#hand({ requestId, ...told, deadline: clock.now() + timeout * 1000 });
    try {
      return await settled.promise;
    } finally {
      cancel();
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
    try {
      this.#launched?.kill();
    } catch (error) {
      this.#options.log.error({ event: 'function-clean-up', step: 'kill', err: error }, 'a function could not be ended');
    }
  }

  async #gone(why: string): Promise<void> {
    this.#why = why;
    try {
      // Asked before what it was in is given back.
      if (this.#launched?.isOverMemory() === true) this.#tooMuch ??= this.#memoryWords();
    } finally {
      this.#kill();
      await this.#endAll();
    }
  }

  async #endAll(): Promise<void> {
    try {
      await this.#launched?.end();
    } finally {
      const { requestId, end } = this.#underWay ?? {};
      if (requestId !== undefined) end?.(this.#exitError(requestId));
      this.#output.flush();
    }
  }

  #memoryWords(): string {
    return `it held more than ${this.#options.memory} MB`;
  }

  #exitError(requestId: string): InvocationEnd {
    return jsonError('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited with error: ${this.#reason()}`);
  }

  #reason(): string {
    return this.#tooMuch === undefined ? this.#why : `signal: killed (${this.#tooMuch})`;
  }

  /** Looks at what the process holds now, and ends it when that is too much or can't be seen. */
  #look(): void {
    if (this.#dead) return;
    try {
      this.#tooMuch = this.#excess();
    } catch (error) {
      this.#options.log.error({ event: 'function-watch', err: error }, 'a function could not be looked at');
      this.#tooMuch = 'what it held could not be seen';
    }
    if (this.#tooMuch !== undefined) this.#kill();
  }

  /** What it holds too much of, in words. */
  #excess(): string | undefined {
    const { memory, files, sockets } = this.#options.enclosure.bounds;
    const holding = this.#launched?.look();
    if (holding === undefined) return undefined;
    this.#mostBytes = Math.max(this.#mostBytes, holding.bytes);
    if (holding.bytes > memory || this.#launched?.isOverMemory() === true) return this.#memoryWords();
    if (holding.files > files) return `it held more than ${files} files in memory`;
    if (holding.sockets > sockets) return `it held more than ${sockets} sockets`;
    return holding.blind === undefined ? undefined : `what it held could not be seen: ${holding.blind}`;
  }

  #watchLater(): void {
    const { watchEvery } = this.#options.enclosure;
    const isAtWork = this.#underWay !== undefined || this.#initMs === 0;
    setTimeout(
      () => {
        if (this.#dead) return;
        // A reader of the log of a long run sees it as it goes.
        this.#output.flush();
        this.#look();
        this.#watchLater();
      },
      isAtWork ? watchEvery : Math.max(watchEvery, WATCH_IDLE),
    ).unref();
  }

  #report(duration: number, cold: boolean): string {
    const parts = [
      `Duration: ${duration.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(duration)} ms`,
      `Memory Size: ${this.#options.memory} MB`,
      `Max Memory Used: ${Math.ceil(this.#mostBytes / 1024 / 1024)} MB`,
      ...(cold && this.#initMs > 0 ? [`Init Duration: ${this.#initMs.toFixed(2)} ms`] : []),
    ];
    return `${parts.join('\t')}\t`;
  }
}

/** As Go's os package words it, and so Lambda. */
function whyEnded(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === 'SIGKILL' || code === BY_SIGNAL + SIGKILL) return 'signal: killed';
  if (signal !== null) return `signal: ${signal}`;
  const name =
    code !== null && code > BY_SIGNAL
      ? Object.entries(constants.signals).find(([, n]) => n === code - BY_SIGNAL)?.[0]
      : undefined;
  return name === undefined ? `exit status ${code}` : `signal: ${name}`;
}
