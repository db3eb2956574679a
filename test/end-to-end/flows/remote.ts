/**
 * Clients in a process of their own: requests as lines of JSON to its standard input, answers as lines of its standard output.
 * A request names a client by number; `connect` makes it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until, within } from '../until.ts';
import type { ConnectOptions, Driving, End, FlowClient, Incoming, Outgoing, Qos, Welcome } from './client.ts';

export type Verb = 'connect' | 'subscribe' | 'unsubscribe' | 'publish' | 'next' | 'ping' | 'ended' | 'disconnect' | 'drop';

export interface Request {
  readonly id: number;
  readonly client: number;
  readonly verb: Verb;
  readonly args: readonly unknown[];
}

export interface Answer {
  readonly id: number;
  readonly ok?: unknown;
  readonly error?: string;
}

/** Milliseconds: a start of Node with the SDK's native library, on a busy machine, included. */
const PATIENCE = 20_000;

export class Remote implements Driving {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  /** What it writes to standard error: its log. */
  readonly log: string[] = [];
  #ids = 0;
  #gone: Error | undefined;

  constructor(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => undefined);
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#answered(JSON.parse(line) as Answer));
    if (stderr !== null) createInterface({ input: stderr }).on('line', (line) => this.log.push(line));
    this.#child.once('close', (code) => {
      this.#gone = new Error(`${program} ended with ${code}: ${this.log.slice(-60).join('\n')}`);
      for (const { reject } of this.#waiting.values()) reject(this.#gone);
      this.#waiting.clear();
    });
  }

  #answered({ id, ok, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(ok);
    else waiting?.reject(new Error(error));
  }

  ask<T>(client: number, verb: Verb, ...args: readonly unknown[]): Promise<T> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    this.#ids += 1;
    const request: Request = { id: this.#ids, client, verb, args };
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(request.id, answer);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return within(`${verb} of a client in another process`, answer.promise as Promise<T>, PATIENCE);
  }

  async connect(options: ConnectOptions): Promise<RemoteClient> {
    this.#ids += 1;
    const client = this.#ids;
    return new RemoteClient(this, client, await this.ask<Welcome>(client, 'connect', options));
  }

  kill(): Promise<void> {
    const ended = once(this.#child, 'close').then(() => undefined);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve();
    this.#child.kill('SIGKILL');
    return ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

export class RemoteClient implements FlowClient {
  readonly welcome: Welcome;
  readonly remote: Remote;
  readonly #number: number;

  constructor(remote: Remote, number: number, welcome: Welcome) {
    this.remote = remote;
    this.#number = number;
    this.welcome = welcome;
  }

  subscribe(filter: string, qos: Qos): Promise<number> {
    return this.remote.ask(this.#number, 'subscribe', filter, qos);
  }

  unsubscribe(filter: string): Promise<void> {
    return this.remote.ask(this.#number, 'unsubscribe', filter);
  }

  publish(message: Outgoing): Promise<number | null> {
    return this.remote.ask(this.#number, 'publish', message);
  }

  next(): Promise<Incoming> {
    return this.remote.ask(this.#number, 'next');
  }

  /** The process answers, or says in its log that PINGRESP came. */
  async ping(): Promise<void> {
    const seen = this.remote.log.length;
    await this.remote.ask(this.#number, 'ping');
    await until('PINGRESP', () => this.remote.log.slice(seen).find((line) => /PINGRESP/.test(line)), PATIENCE);
  }

  ended(): Promise<End> {
    return this.remote.ask(this.#number, 'ended');
  }

  disconnect(options = {}): Promise<void> {
    return this.remote.ask(this.#number, 'disconnect', options);
  }

  drop(): Promise<void> {
    return this.remote.ask(this.#number, 'drop');
  }
}
