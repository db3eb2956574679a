/**
 * The process of native code, seen from the kit. A crash in a module is an ElementError of the call that was under way, and the
 * next call begins another process: whoever keeps something in it (a session) sees by `generation` that it is gone.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ElementError } from '../elements/contract.ts';
import { bytesIn, MAX_MESSAGE, type NativeAnswer } from './messages.ts';
import type { NativeCalls } from './native-calls.ts';
import { NativeFault } from './native-fault.ts';

/** Milliseconds that a call may take: keys on slow chips take some seconds, and a user presses a button. */
const PATIENCE = 60_000;
/** Milliseconds that the process has for its end. */
const END_PATIENCE = 2_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Answered<Name extends keyof NativeCalls> = Awaited<ReturnType<NativeCalls[Name]>>;

const own = import.meta.url;
/** Sources are TypeScript in a checkout, and JavaScript where the kit is installed. */
const MAIN = fileURLToPath(new URL(`./native-main${own.slice(own.lastIndexOf('.'))}`, own));

export class NativeProcess implements AsyncDisposable {
  #child: ChildProcess | undefined;
  #generation = 0;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #execArgv: string[];
  readonly #patience: number;

  constructor({ execArgv = [], patience = PATIENCE }: { execArgv?: string[]; patience?: number } = {}) {
    this.#execArgv = execArgv;
    this.#patience = patience;
  }

  /** Counts the processes that there were; 0 before the first. It grows when a process has ended, too. */
  get generation(): number {
    return this.#generation;
  }

  /** Id of the process that runs now; undefined where there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #start(): ChildProcess {
    this.#generation += 1;
    const child = fork(MAIN, [], {
      serialization: 'advanced',
      execArgv: this.#execArgv,
      // What modules print is theirs; the terminal's signals are for the kit.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (answer: NativeAnswer) => this.#take(answer));
    const ended = (what: string): void => {
      if (this.#child === child) this.#child = undefined;
      this.#generation += 1;
      this.#failAll(what);
    };
    child.once('exit', (code, signal) => ended(`the process of native code has ended (${signal ?? `exit code ${code}`})`));
    child.on('error', (error) => ended(`the process of native code can not be used: ${error.message}`));
    return child;
  }

  #failAll(what: string): void {
    for (const { reject } of this.#waiting.values())
      reject(
        new ElementError('communication', what, { hint: 'the next call begins a new one; see whether the module is whole' }),
      );
    this.#waiting.clear();
  }

  #take(answer: NativeAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (!('fault' in answer)) {
      waiting?.resolve(answer.value);
      return;
    }
    const { kind, message, code } = answer.fault;
    waiting?.reject(
      kind === 'library'
        ? new ElementError('missing-library', message, { hint: 'npm install koffi@3 in the folder where thingkit is installed' })
        : new NativeFault(kind, message, code),
    );
  }

  /** Throws NativeFault as the call says, and ElementError where the process does not live through it. */
  async call<Name extends keyof NativeCalls>(name: Name, ...args: Parameters<NativeCalls[Name]>): Promise<Answered<Name>> {
    if (bytesIn(args) > MAX_MESSAGE)
      throw new ElementError('invalid', `a call of native code takes ${MAX_MESSAGE} bytes at most`);
    this.#child ??= this.#start();
    const child = this.#child;
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => {
      this.#failAll(`${name} has not returned within ${this.#patience / 1000} s; its process was ended`);
      child.kill('SIGKILL');
    }, this.#patience);
    // The process lives without holding the kit, but for a call under way.
    child.ref();
    child.channel?.ref();
    child.send({ id, name, args }, (error) => {
      if (error !== null && this.#waiting.delete(id)) reject(new ElementError('communication', error.message, { cause: error }));
    });
    try {
      return (await promise) as Answered<Name>;
    } finally {
      clearTimeout(timer);
      if (this.#waiting.size === 0) {
        child.unref();
        child.channel?.unref();
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.ref();
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE);
    await exited;
    clearTimeout(timer);
  }
}
