/**
 * The index in a thread of its own, so that a search over a million documents holds no message up. One call is under way
 * at a time; the account that has had least time comes next. A thread that ends, or that gives no answer in time, fails its
 * call, and another begins.
 */
import { Worker } from 'node:worker_threads';
import { placeKey } from '@thingkeep/wire/arn.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import { CallQueue } from './call-queue.ts';
import type { IndexAnswer, IndexCall, IndexCallName, IndexCalls } from './calls.ts';
import type { IndexKey } from './index-file.ts';

/** Milliseconds that a call has. */
const MAX_TIME = 30_000;
/** Calls of an account that wait at most. */
const MAX_WAITING = 50;

type Result<Name extends IndexCallName> = ReturnType<IndexCalls[Name]>;
type MoreArgs<Name extends IndexCallName> = Parameters<IndexCalls[Name]> extends [IndexKey, ...infer Rest] ? Rest : never;

interface WaitingCall {
  readonly name: IndexCallName;
  readonly args: readonly unknown[];
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** The call that the thread does. */
interface CurrentCall extends WaitingCall {
  readonly owner: string;
  readonly id: number;
  /** Since when; undefined while the thread looks through its file. */
  began: number | undefined;
  late: NodeJS.Timeout | undefined;
}

export interface IndexThreadOptions {
  /** The index file. */
  readonly path: string;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Hears that the file is new though it was there before: everything is to be indexed again. */
  readonly onNew: () => void;
  readonly log: { warn(members: object, text: string): void };
}

const unavailable = (): Error => new ThingkeepError('ServiceUnavailableException', 'The index could not answer.');

const throttled = (): Error => new ThingkeepError('ThrottlingException', 'Too many queries of this account wait for the index.');

export class IndexThread implements AsyncDisposable {
  readonly #options: IndexThreadOptions;
  readonly #waiting = new CallQueue<WaitingCall>();
  #worker: Worker | undefined;
  /** Whether a thread has begun before. */
  #hadThread = false;
  #current: CurrentCall | undefined;
  #lastId = 0;
  #closed = false;

  constructor(options: IndexThreadOptions) {
    this.#options = options;
  }

  /** Begins the thread; says whether its file is new. */
  async open(): Promise<boolean> {
    const worker = this.#begin();
    worker.ref();
    const first = await new Promise<IndexAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    worker.unref();
    return 'isNew' in first && first.isNew;
  }

  /** Has the thread do a call about an index; fails with ThrottlingException where the account has too many waiting. */
  call<Name extends IndexCallName>(name: Name, key: IndexKey, ...args: MoreArgs<Name>): Promise<Result<Name>> {
    return this.#enqueue(placeKey(key), MAX_WAITING, name, [key, ...args]);
  }

  /**
   * A call of the server's own about an index. It has a share of the time beside the account's searches, and is not
   * refused: an index has an update, a build, a metric and its dynamic groups' searches under way at most.
   */
  callForServer<Name extends IndexCallName>(name: Name, key: IndexKey, ...args: MoreArgs<Name>): Promise<Result<Name>> {
    return this.#enqueue(`server/${placeKey(key)}`, Number.POSITIVE_INFINITY, name, [key, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (let next = this.#waiting.take(); next !== undefined; next = this.#waiting.take()) next.call.reject(unavailable());
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage('close');
    await ended;
  }

  #enqueue<R>(owner: string, max: number, name: IndexCallName, args: readonly unknown[]): Promise<R> {
    if (this.#closed) return Promise.reject(unavailable());
    return new Promise<R>((resolve, reject) => {
      const taken = this.#waiting.add(owner, { name, args, resolve, reject }, max);
      if (!taken) return reject(throttled());
      return this.#next();
    });
  }

  #next(): void {
    if (this.#current !== undefined || this.#closed) return;
    const next = this.#waiting.take();
    if (next === undefined) return;
    const { owner, call } = next;
    this.#lastId += 1;
    const id = this.#lastId;
    this.#current = { ...call, owner, id, began: undefined, late: undefined };
    // A thread that begins looks through its file first, which may take long: its call's time begins after that.
    if (this.#worker !== undefined) this.#startTime(this.#current);
    const worker = this.#worker ?? this.#begin();
    // What is asked is answered before the process ends; a thread without a call keeps no server alive.
    worker.ref();
    worker.postMessage({ id, name: call.name, args: call.args } satisfies IndexCall);
  }

  #begin(): Worker {
    const own = import.meta.url;
    const worker = new Worker(new URL(`./thread${own.slice(own.lastIndexOf('.'))}`, own), {
      env: {},
      execArgv: [],
      workerData: { path: this.#options.path },
    });
    this.#worker = worker;
    const isAnother = this.#hadThread;
    this.#hadThread = true;
    worker.on('message', (answer: IndexAnswer) => {
      if (!('isNew' in answer)) return this.#answered(answer);
      if (this.#current !== undefined && this.#current.began === undefined) this.#startTime(this.#current);
      if (answer.isNew && isAnother) this.#options.onNew();
    });
    worker.on('error', (error) => this.#options.log.warn({ err: error, event: 'index-thread-failed' }, 'the index has failed'));
    worker.once('exit', () => this.#ended(worker));
    worker.unref();
    return worker;
  }

  #startTime(call: CurrentCall): void {
    call.began = this.#options.clock.monotonic();
    call.late = setTimeout(() => void this.#worker?.terminate(), MAX_TIME).unref();
  }

  /** The call is over: its time is its owner's. */
  #endTime({ owner, began, late }: CurrentCall): void {
    clearTimeout(late);
    if (began !== undefined) this.#waiting.charge(owner, this.#options.clock.monotonic() - began);
    this.#current = undefined;
  }

  #answered(answer: Exclude<IndexAnswer, { isNew: boolean }>): void {
    const call = this.#current;
    if (call === undefined || call.id !== answer.id) return;
    this.#endTime(call);
    this.#worker?.unref();
    if ('fault' in answer) {
      this.#options.log.warn({ event: 'index-call-failed', call: call.name, fault: answer.fault }, 'the index could not answer');
      call.reject(unavailable());
    } else call.resolve(answer.result as never);
    this.#next();
  }

  #ended(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined;
    const call = this.#current;
    if (call === undefined) return;
    this.#endTime(call);
    call.reject(unavailable());
    this.#next();
  }
}
