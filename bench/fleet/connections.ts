/** Mutual TLS connections per second, made by a generator in C that leaves the processor to the broker, beside Mosquitto. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT, startMosquitto } from '../lib/peers.ts';
import { type Figure, figure, median } from './figures.ts';
import { cpuOf } from './process.ts';
import type { Given, Scenario, Stage } from './stage.ts';

const THREADS = 16;
const RUNS = 5;
const SECONDS = 5;

interface Made {
  readonly connections: number;
  readonly failures: number;
  readonly seconds: number;
  /** Seconds of CPU: the generator's own, and the broker's. */
  readonly cpu: number;
  readonly brokersCpu: number;
  readonly fault: string;
}

async function run(stage: Stage, { scale, say }: Given): Promise<Figure[]> {
  const program = await compile(stage.folder);
  const devices = join(stage.folder, 'devices');
  mkdirSync(devices);
  for (const [i, { cert, key }] of stage.devices.entries()) writeFileSync(join(devices, `${i}.pem`), key + cert, { mode: 0o600 });
  await stage.stop();
  const made = { thingkeep: [] as Made[], mosquitto: [] as Made[] };
  const seconds = Math.max(1, Math.round(SECONDS * Math.min(1, 2 * scale)));
  const load = (port: number, pid: number): Promise<Made> =>
    generate(program, [port, devices, THREADS, seconds].map(String), pid);
  for (let turn = 0; turn < Math.max(1, Math.round(RUNS * scale)); turn += 1) {
    say(`turn ${turn + 1}`);
    const ours = await stage.start();
    made.thingkeep.push(await load(ours.port, ours.pid));
    await stage.stop();
    const theirs = await startMosquitto(join(stage.folder, 'mosquitto'), join(stage.data, 'ca'));
    try {
      made.mosquitto.push(await load(theirs.port, theirs.pid));
    } finally {
      await theirs.stop();
    }
  }
  for (const fault of [...made.thingkeep, ...made.mosquitto].map((each) => each.fault).filter(Boolean)) say(`failed: ${fault}`);
  const middle = (name: keyof typeof made, of: (each: Made) => number): number => median(made[name].map(of));
  const rate = (name: keyof typeof made): number => middle(name, (each) => each.connections / each.seconds);
  return [
    ...(['thingkeep', 'mosquitto'] as const).flatMap((name) => [
      figure(`${name}: connections`, rate(name), 'a second'),
      figure(`${name}: failures`, Math.max(...made[name].map(({ failures }) => failures)), '', { most: 0 }),
      figure(
        `${name}: its CPU`,
        middle(name, (each) => (each.brokersCpu * 1e6) / each.connections),
        'µs/connection',
      ),
      figure(
        `${name}: its share of a core`,
        middle(name, (each) => (100 * each.brokersCpu) / each.seconds),
        '%',
      ),
      figure(
        `${name}: the generator's CPU`,
        middle(name, (each) => (each.cpu * 1e6) / each.connections),
        'µs/connection',
      ),
      figure(
        `${name}: the generator's share of a core`,
        middle(name, (each) => (100 * each.cpu) / each.seconds),
        '%',
      ),
    ]),
    figure('Thingkeep, times Mosquitto', rate('thingkeep') / rate('mosquitto'), '', { least: 1.2 }),
  ];
}

/** Compiles the generator; says what is missing where that fails. */
async function compile(folder: string): Promise<string> {
  const program = join(folder, 'handshakes');
  const source = join(ROOT, 'bench/fleet/handshakes.c');
  try {
    await promisify(execFile)('gcc', [
      '-O2',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-pthread',
      '-o',
      program,
      source,
      '-lssl',
      '-lcrypto',
    ]);
  } catch (error) {
    const { stderr = String(error) } = error as { stderr?: string };
    throw new Error(
      `the generator can't be compiled: it needs gcc and the headers of OpenSSL (Debian: gcc, libssl-dev)\n${stderr}`,
    );
  }
  return program;
}

/** Runs the generator; the broker's CPU is that between the generator's marker and its end. */
function generate(program: string, args: readonly string[], broker: number): Promise<Made> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const abandoned = (): void => void child.kill('SIGKILL');
  process.once('exit', abandoned);
  let text = '';
  let [begin, brokersCpu] = [0, 0];
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (begin === 0 && text.includes('begin\n')) begin = cpuOf(broker);
    if (text.includes('}\n')) brokersCpu = (cpuOf(broker) - begin) / 1000;
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      process.off('exit', abandoned);
      if (code !== 0) reject(new Error(`the generator ended with ${code}`));
      else resolve({ ...(JSON.parse(text.slice(text.indexOf('{'))) as Made), brokersCpu });
    });
  });
}

export const connections: Scenario = {
  about: 'mutual TLS connections per second beside Mosquitto, from a generator in C',
  stage: () => ({ certificates: THREADS }),
  run,
};
