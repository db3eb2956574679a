/** Processes beside the scenario's own: started, asked, and ended with it. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../lib/peers.ts';
import { within } from './pace.ts';

/** Milliseconds for an answer of the watcher. */
const PATIENCE = 90_000;

/** A process of the bench that ends with this one. */
export function forkCompanion(file: string): ChildProcess {
  const child = fork(join(ROOT, 'bench/fleet', file), { serialization: 'advanced' });
  const abandoned = (): void => void child.kill('SIGKILL');
  process.once('exit', abandoned);
  child.once('exit', () => process.off('exit', abandoned));
  return child;
}

/** Sends an order to a process and gives its answer. One at a time. */
export async function ask<T>(child: ChildProcess, order: object | string): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const answered = (answer: unknown): void => resolve(answer as T);
  const ended = (code: number | null): void => reject(new Error(`a process of the bench ended with ${code}`));
  child.once('message', answered).once('exit', ended);
  try {
    child.send(order as object);
    return await within(promise, PATIENCE, 'an answer');
  } finally {
    child.off('message', answered).off('exit', ended);
  }
}
