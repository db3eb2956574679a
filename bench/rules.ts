/**
 * What rules cost: the saturated broker without rules, with 100 rules that match nothing of what is sent, with 100 of which
 * one matches a topic of ten or all of them, and a rule that filters, selects and republishes every message. In one run, in
 * turn, over mutual TLS.
 *   node bench/rules.ts [--runs 3] [--seconds 3]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateTopicRuleCommand, DeleteTopicRuleCommand, IoTClient } from '@aws-sdk/client-iot';
import { makeDevices } from './lib/devices.ts';
import { startThingkeep } from './lib/peers.ts';
import { load, median } from './lib/run-load.ts';

const { values } = parseArgs({ options: { runs: { type: 'string', default: '3' }, seconds: { type: 'string', default: '3' } } });
const seconds = Number(values.seconds);

/** 200 bytes of JSON, as sensors send them. */
const MESSAGE = JSON.stringify({
  deviceId: 'sensor-0042',
  temperature: 57.25,
  humidity: 41,
  status: 'ok',
  firmware: '1.14.2',
  battery: 3.71,
  location: { lat: 52.5163, lon: 13.3777 },
  uptime: 86_400,
  readings: [1, 2, 3, 4, 5, 6],
  note: 'nothing of note so far..',
});
const SQL = "SELECT temperature AS t, deviceId, location.lat AS lat FROM 'bench/+' WHERE temperature > 50 AND status = 'ok'";
/** Matches and lets nothing pass: what looking costs. */
const COLD = "SELECT * FROM 'bench/+' WHERE temperature > 90";
const MADE = '{"t":57.25,"deviceId":"sensor-0042","lat":52.5163}';
const roleArn = 'arn:aws:iam::000000000000:role/bench';
/** A rule that counts and does nothing: what a match costs, without an action. */
const NOBODY = { republish: { roleArn, topic: 'nobody/listens' } };

interface Case {
  readonly name: string;
  readonly rules: readonly { readonly sql: string; readonly topic?: string }[];
  readonly made?: string;
}

const elsewhere = Array.from({ length: 99 }, (_, i) => ({ sql: `SELECT * FROM 'elsewhere/${i}/+'` }));
const CASES: readonly Case[] = [
  { name: 'no rules', rules: [] },
  { name: '100 rules, none matches', rules: [...elsewhere, { sql: "SELECT * FROM 'else'" }] },
  { name: '100 rules, 1 matches one topic of ten', rules: [...elsewhere, { sql: COLD.replace('+', '09') }] },
  { name: '100 rules, 1 matches all topics', rules: [...elsewhere, { sql: COLD }] },
  { name: 'WHERE, SELECT and republish of every message', rules: [{ sql: SQL, topic: 'bench/made/${topic(2)}' }], made: MADE },
];

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-bench-'));
const server = await startThingkeep(join(folder, 'data'));
try {
  const credentials = readFileSync(join(folder, 'data/credentials'), 'utf8');
  const secret = (name: string): string => new RegExp(`${name} = (\\S+)`).exec(credentials)?.[1] ?? '';
  const client = {
    endpoint: server.api,
    region: 'us-east-1',
    credentials: { accessKeyId: secret('aws_access_key_id'), secretAccessKey: secret('aws_secret_access_key') },
  };
  const devices = await makeDevices(20, { ...client, account: '000000000000' });
  const iot = new IoTClient(client);
  const ca = readFileSync(join(folder, 'data/root-ca.pem'), 'utf8');
  const endpoint = { host: '127.0.0.1', port: server.port, tls: { ca, devices } };
  const figures = new Map<Case, { rate: number; cpu: number }[]>();
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const each of CASES) {
      for (const [i, { sql, topic }] of each.rules.entries()) {
        const action = topic === undefined ? NOBODY : { republish: { roleArn, topic } };
        const topicRulePayload = { sql, actions: [action], awsIotSqlVersion: '2016-03-23' };
        await iot.send(new CreateTopicRuleCommand({ ruleName: `bench_${i}`, topicRulePayload }));
      }
      const made = each.made === undefined ? {} : { made: each.made };
      const shape = { publishers: 10, subscribers: 10, shape: 'pair', qos: 0, payload: MESSAGE, seconds, window: 4000, ...made };
      const result = await load({ kind: 'saturate', endpoint, pid: server.pid, load: shape });
      const messages = (result.rate * result.elapsed) / 1000;
      figures.set(each, [...(figures.get(each) ?? []), { rate: result.rate, cpu: (result.cpu * 1000) / messages }]);
      for (const i of each.rules.keys()) await iot.send(new DeleteTopicRuleCommand({ ruleName: `bench_${i}` }));
    }
  }
  const base = median((figures.get(CASES[0] as Case) ?? []).map(({ rate }) => rate));
  for (const [{ name }, all] of figures) {
    const rates = all.map(({ rate }) => rate);
    const rate = median(rates);
    const spread = `[${Math.round(Math.min(...rates)).toLocaleString('en')}..${Math.round(Math.max(...rates)).toLocaleString('en')}]`;
    const cpu = median(all.map((one) => one.cpu)).toPrecision(3);
    process.stdout.write(
      `${name}: ${Math.round(rate).toLocaleString('en')} messages/s ${spread}, ${cpu} µs of CPU each, ${(rate / base).toFixed(3)} of no rules\n`,
    );
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
