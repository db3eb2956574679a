/** The watcher from outside: started, asked what it has seen, and ended. */
import type { ChildProcess } from 'node:child_process';
import { ask, forkCompanion } from './companion.ts';
import type { Watched, WatcherOrder } from './watcher.ts';

export class Bystander implements Disposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(order: WatcherOrder): Promise<Bystander> {
    const child = forkCompanion('watcher.ts');
    const devices = order.endpoint.tls?.devices.slice(-8) ?? [];
    const tls = order.endpoint.tls === undefined ? undefined : { ...order.endpoint.tls, devices };
    await ask(child, { ...order, endpoint: { ...order.endpoint, tls } });
    return new Bystander(child);
  }

  /** What was seen since the last time. */
  take(): Promise<Watched> {
    return ask<Watched>(this.#child, 'take');
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
