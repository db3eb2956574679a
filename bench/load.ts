/** The load generator, a process of its own: takes a JSON order on standard input, prints a JSON result. */
import { readFileSync } from 'node:fs';
import type { Endpoint } from './lib/connection.ts';
import { type Saturation, saturate } from './lib/saturate.ts';
import { connections, idle, type Sparse, sparse } from './lib/sparse.ts';

export type Order = { readonly endpoint: Endpoint; readonly pid: number } & (
  | { readonly kind: 'saturate'; readonly load: Saturation }
  | { readonly kind: 'sparse'; readonly load: Sparse }
  | { readonly kind: 'connections'; readonly load: { atATime: number; seconds: number } }
  | { readonly kind: 'idle'; readonly load: { connections: number } }
);

export interface Result {
  /** Messages or connections per second; for idle, their number. */
  readonly rate: number;
  /** Processor time of the broker between begin and end, milliseconds. */
  readonly cpu: number;
  /** Of the load generator itself. */
  readonly ownCpu: number;
  /** Resident memory of the broker at begin and end, bytes. */
  readonly memory: readonly [number, number];
  readonly elapsed: number;
}

const order = JSON.parse(readFileSync(0, 'utf8')) as Order;

/** User and system time of a process in clock ticks of 10 ms (proc(5)). */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};
const memoryOf = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

const marks: { cpu: number; own: number; memory: number; at: number }[] = [];
const measured = (): void => {
  const own = process.cpuUsage();
  marks.push({ cpu: cpuOf(order.pid), own: (own.user + own.system) / 1000, memory: memoryOf(order.pid), at: performance.now() });
};

const run = (): Promise<number> => {
  switch (order.kind) {
    case 'saturate':
      return saturate(order.endpoint, order.load, measured);
    case 'sparse':
      return sparse(order.endpoint, order.load, measured);
    case 'connections':
      return connections(order.endpoint, order.load, measured);
    case 'idle':
      return idle(order.endpoint, order.load, measured);
  }
};

const rate = await run();
const [begin, end] = marks;
if (begin === undefined || end === undefined) throw new Error('nothing was measured');
const result: Result = {
  rate,
  cpu: end.cpu - begin.cpu,
  ownCpu: end.own - begin.own,
  memory: [begin.memory, end.memory],
  elapsed: end.at - begin.at,
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
