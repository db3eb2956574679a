/** A Thingkeep of a scenario's own: started, stopped and started again on one folder, with its log kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../lib/peers.ts';
import { ask } from './companion.ts';
import type { Memory } from './memory-probe.ts';
import { within } from './pace.ts';

/** Milliseconds for a start, and for a stop. */
const PATIENCE = 60_000;

export interface Ended {
  /** Exit code; null when a signal ended the process. */
  readonly code: number | null;
  /** From the signal to the end. */
  readonly ms: number;
}

export interface Server {
  readonly pid: number;
  /** Port of MQTT over mutual TLS. */
  readonly port: number;
  /** URL of the API. */
  readonly api: string;
  /** URL of the metrics. */
  readonly metrics: string;
  /** Milliseconds from the process's start to the line that says it is ready. */
  readonly readyIn: number;
  /** Asks the probe that stages with `probe` put into the server's process. */
  memory(collect: boolean): Promise<Memory>;
  stop(): Promise<Ended>;
}

const PROBE = ['--expose-gc', '--import', join(ROOT, 'bench/fleet/memory-probe.ts')];

/** Starts a server on a folder; whatever it logs goes to `log`. */
export async function startServer(folder: string, log: string[], probe = false): Promise<Server> {
  const begin = performance.now();
  const flags = [
    '--data-dir',
    folder,
    '--api-port',
    '0',
    '--mqtt-port',
    '0',
    '--https-port',
    '0',
    '--metrics-bind',
    '127.0.0.1:0',
    '--log-level',
    'warn',
  ];
  const args = [
    '--max-semi-space-size=8',
    '--max-old-space-size-percentage=50',
    '--expose-gc',
    ...(probe ? PROBE : []),
    join(ROOT, 'packages/server/src/main.ts'),
    'start',
    ...flags,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', ...(probe ? (['ipc'] as const) : [])] });
  const abandoned = (): void => void child.kill('SIGKILL');
  process.once('exit', abandoned);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.stderr?.on('data', (chunk: Buffer) => log.push(...chunk.toString().split('\n').filter(Boolean)));
  const ready = await within(readyLine(child), PATIENCE, 'the start');
  const readyIn = performance.now() - begin;
  return {
    pid: child.pid ?? 0,
    port: Number(/mqtt \S+:(\d+)/.exec(ready)?.[1]),
    api: /api (\S+)/.exec(ready)?.[1] ?? '',
    metrics: /metrics (\S+)/.exec(ready)?.[1] ?? '',
    readyIn,
    memory: (collect) => ask<Memory>(child, collect ? 'collect' : 'look'),
    stop: async () => {
      const signalled = performance.now();
      child.kill('SIGTERM');
      const code = await within(ended, PATIENCE, 'the stop');
      process.off('exit', abandoned);
      return { code, ms: performance.now() - signalled };
    },
  };
}

const readyLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /Thingkeep is ready:.*\n/.exec(text);
      if (found !== null) resolve(found[0]);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
  });

/** One of the server's own metrics, by its name without the prefix; the values of one that has labels are added up. */
export async function metric(server: Server, name: string): Promise<number> {
  const text = await (await fetch(server.metrics)).text();
  const values = [...text.matchAll(new RegExp(`^thingkeep_${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
  return values.length === 0 ? Number.NaN : values.reduce((sum, [, value]) => sum + Number(value), 0);
}
