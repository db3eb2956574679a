/**
 * Thingkeep beside Mosquitto and aedes, in one run, in turn, over mutual TLS with a certificate per device.
 *   node bench/compare.ts [--runs 3] [--seconds 3] [--only NAME] [--source CHECKOUT]
 * --source is a second Thingkeep, to compare commits.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeDevices } from './lib/devices.ts';
import { type Peer, startAedes, startMosquitto, startThingkeep } from './lib/peers.ts';
import { load, median } from './lib/run-load.ts';
import type { Order, Result } from './load.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string' },
    source: { type: 'string' },
  },
});
const seconds = Number(values.seconds);

interface Scenario {
  readonly name: string;
  readonly unit: string;
  readonly order: { readonly kind: Order['kind']; readonly load: object };
  readonly figure: (result: Result) => number;
  /** Whether more is better: ratios are always "how many times better". */
  readonly more: boolean;
}

const saturated = (name: string, publishers: number, subscribers: number, shape: string, qos: number): Scenario => ({
  name,
  unit: 'messages delivered/s',
  order: { kind: 'saturate', load: { publishers, subscribers, shape, qos, payload: 64, seconds, window: 4000 } },
  figure: (result) => result.rate,
  more: true,
});

const SCENARIOS: readonly Scenario[] = [
  saturated('pair 10:10, QoS 0', 10, 10, 'pair', 0),
  saturated('pair 10:10, QoS 1', 10, 10, 'pair', 1),
  saturated('fan-out 1:50, QoS 0', 1, 50, 'fan-out', 0),
  saturated('fan-in 10:1, QoS 0', 10, 1, 'fan-in', 0),
  {
    name: 'sparse: 400 devices, 20,000 messages/s',
    unit: 'CPU µs/message',
    order: { kind: 'sparse', load: { devices: 400, subscribers: 10, rate: 20_000, seconds } },
    figure: (result) => (result.cpu * 1000) / ((result.rate * result.elapsed) / 1000),
    more: false,
  },
  {
    name: 'connections',
    unit: 'connections/s',
    order: { kind: 'connections', load: { atATime: 16, seconds } },
    figure: (result) => result.rate,
    more: true,
  },
  {
    name: 'connections, cost',
    unit: 'CPU µs/connection',
    order: { kind: 'connections', load: { atATime: 16, seconds } },
    figure: (result) => (result.cpu * 1000) / ((result.rate * result.elapsed) / 1000),
    more: false,
  },
  {
    name: 'idle connections',
    unit: 'KB resident each',
    order: { kind: 'idle', load: { connections: 2000 } },
    figure: (result) => (result.memory[1] - result.memory[0]) / result.rate / 1024,
    more: false,
  },
];

const shown = (value: number): string =>
  Number.isNaN(value) ? '-' : value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-bench-'));
try {
  const data = join(folder, 'data');
  // By the other checkout, which may be older: it could not open a data folder of this one.
  const first = await startThingkeep(data, values.source);
  const credentials = readFileSync(join(data, 'credentials'), 'utf8');
  const secret = (name: string): string => new RegExp(`${name} = (\\S+)`).exec(credentials)?.[1] ?? '';
  const devices = await makeDevices(420, {
    endpoint: first.api,
    region: 'us-east-1',
    account: '000000000000',
    credentials: { accessKeyId: secret('aws_access_key_id'), secretAccessKey: secret('aws_secret_access_key') },
  });
  await first.stop();
  const otherData = join(folder, 'other-data');
  if (values.source !== undefined) cpSync(data, otherData, { recursive: true });
  const authority = join(data, 'ca');
  const ca = readFileSync(join(data, 'root-ca.pem'), 'utf8');
  const starts: (() => Promise<Peer>)[] = [
    () => startThingkeep(data),
    ...(values.source === undefined
      ? []
      : [async () => ({ ...(await startThingkeep(otherData, values.source)), name: 'other' })]),
    () => startMosquitto(join(folder, 'mosquitto'), authority),
    () => startAedes(authority),
  ];
  for (const scenario of SCENARIOS) {
    if (values.only !== undefined && !scenario.name.includes(values.only)) continue;
    const figures = new Map<string, number[]>();
    const notes = new Map<string, string>();
    for (let run = 0; run < Number(values.runs); run += 1) {
      for (const start of starts) {
        const peer = await start();
        try {
          const endpoint = { host: '127.0.0.1', port: peer.port, tls: { ca, devices } };
          const result = await load({ ...scenario.order, endpoint, pid: peer.pid });
          figures.set(peer.name, [...(figures.get(peer.name) ?? []), scenario.figure(result)]);
          notes.set(
            peer.name,
            `${Math.round((100 * result.cpu) / result.elapsed)}/${Math.round((100 * result.ownCpu) / result.elapsed)}`,
          );
        } finally {
          await peer.stop();
        }
      }
    }
    const cells = [...figures].map(
      ([name, all]) =>
        `${name} ${shown(median(all))} [${shown(Math.min(...all))}..${shown(Math.max(...all))}] cpu% broker/load ${notes.get(name)}`,
    );
    const ours = median(figures.get('thingkeep') ?? []);
    const theirs = median(figures.get('mosquitto') ?? []);
    const ratio = scenario.more ? ours / theirs : theirs / ours;
    process.stdout.write(
      `${scenario.name} (${scenario.unit})\n  ${cells.join('\n  ')}\n  thingkeep is ${shown(ratio)} times mosquitto\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
