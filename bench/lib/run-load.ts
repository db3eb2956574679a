/** One order for the load generator, and what a bench makes of several results. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Result } from '../load.ts';
import { ROOT } from './peers.ts';

/** Runs bench/load.ts, a process of its own, with a JSON order. */
export const load = (order: object): Promise<Result> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'bench/load.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('exit', (code) =>
      code === 0 ? resolve(JSON.parse(text) as Result) : reject(new Error(`the load generator ended with ${code}`)),
    );
    child.stdin.end(JSON.stringify(order));
  });

export const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
