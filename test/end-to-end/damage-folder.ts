/** A data folder with some of everything, what a server answers on it, and ways to damage a copy of it. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  CreateTopicRuleCommand,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  GetPolicyCommand,
  GetTopicRuleCommand,
  ListAttachedPoliciesCommand,
  ListCertificatesCommand,
  ListPoliciesCommand,
  ListThingsCommand,
  ListTopicRulesCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { GetRetainedMessageCommand, ListRetainedMessagesCommand, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import type { TestServer } from './test-core.ts';

const QUEUED = 50;
const RETAINED = 30;
const FEW = 10;

/** Runs `work` for each number below `count`, some at a time. */
async function forEach(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 32 }, run));
}

/** Fills a server's folder. Gives the device whose session waits for messages. */
export async function fill(server: TestServer, things: number): Promise<Device> {
  const { iot, iotData } = server;
  await forEach(things, (i) =>
    iot.send(new CreateThingCommand({ thingName: `thing-${i}`, attributePayload: { attributes: { n: `${i}` } } })),
  );
  await makePolicy(server, 'guarded', [
    ...ALLOW_ALL,
    { Effect: 'Deny', Action: 'iot:Publish', Resource: arn('topic/forbidden/x') },
  ]);
  const device = await makeDevice(server, 'device', 'guarded');
  for (let i = 0; i < FEW; i += 1) {
    await makePolicy(server, `policy-${i}`, [{ Effect: 'Allow', Action: 'iot:Connect', Resource: arn(`client/${i}`) }]);
    const { certificateId } = await makeDevice(server, `other-${i}`, `policy-${i}`);
    if (i % 2 === 0) await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }));
    const actions = [{ republish: { topic: 'again', roleArn: 'arn:aws:iam::000000000000:role/r' } }];
    await iot.send(
      new CreateTopicRuleCommand({ ruleName: `rule${i}`, topicRulePayload: { sql: `SELECT * FROM 'r/${i}'`, actions } }),
    );
  }
  await forEach(RETAINED, (i) =>
    iotData.send(new PublishCommand({ topic: `kept/${i}`, retain: true, qos: 1, payload: Buffer.from(`kept ${i}`) })),
  );
  {
    using away = await DeviceConnection.admitted(server, 4, 'away', device, { clean: false });
    away.subscribe('queue/#', 1);
    await away.next();
    away.send({ cmd: 'disconnect' });
    await away.next();
  }
  for (let i = 0; i < QUEUED; i += 1)
    await iotData.send(new PublishCommand({ topic: 'queue/x', qos: 1, payload: Buffer.from(`message ${i}`) }));
  for (const name of readdirSync(server.dataDir)) if (/\.(crt|key)$/.test(name)) rmSync(join(server.dataDir, name));
  return device;
}

/** An error of the server's that a person can read, as a word in the place of an answer. */
const told = (error: unknown): string => {
  const { name, message } = error as Error;
  assert.match(message, /damaged|does not|can't|not found|could not/i, `${name}: ${message}`);
  return `refused: ${name}`;
};

/** What the server answers, by question. Of an answer that it refuses stands that it was refused. */
export async function answers(server: TestServer, device: Device, csr: string): Promise<Map<string, string>> {
  const { iot, iotData } = server;
  const found = new Map<string, string>();
  const ask = async (question: string, answer: Promise<unknown>): Promise<void> => {
    found.set(question, JSON.stringify(await answer.catch(told)));
  };
  for (let nextToken: string | undefined; ; ) {
    const page = await iot.send(new ListThingsCommand({ maxResults: 250, nextToken }));
    for (const { thingName, attributes, version } of page.things ?? [])
      found.set(`thing ${thingName}`, JSON.stringify([attributes, version]));
    nextToken = page.nextToken;
    if (nextToken === undefined) break;
  }
  await ask(
    'one thing',
    iot.send(new DescribeThingCommand({ thingName: 'thing-7' })).then(({ attributes }) => attributes),
  );
  for (const { policyName } of (await iot.send(new ListPoliciesCommand({}))).policies ?? [])
    await ask(
      `policy ${policyName}`,
      iot.send(new GetPolicyCommand({ policyName })).then((out) => out.policyDocument),
    );
  for (const { certificateId = '', certificateArn } of (await iot.send(new ListCertificatesCommand({}))).certificates ?? []) {
    const described = iot.send(new DescribeCertificateCommand({ certificateId }));
    await ask(
      `certificate ${certificateId}`,
      described.then(({ certificateDescription: it }) => [it?.status, it?.certificatePem]),
    );
    const attached = iot.send(new ListAttachedPoliciesCommand({ target: certificateArn }));
    await ask(
      `attached ${certificateId}`,
      attached.then(({ policies }) => policies),
    );
  }
  for (const { ruleName } of (await iot.send(new ListTopicRulesCommand({}))).rules ?? [])
    await ask(
      `rule ${ruleName}`,
      iot.send(new GetTopicRuleCommand({ ruleName })).then(({ rule }) => rule?.sql),
    );
  for (const { topic } of (await iotData.send(new ListRetainedMessagesCommand({}))).retainedTopics ?? []) {
    const message = iotData.send(new GetRetainedMessageCommand({ topic }));
    await ask(
      `retained ${topic}`,
      message.then(({ payload = [] }) => Buffer.from(payload).toString()),
    );
  }
  await ask(
    'a new certificate',
    iot
      .send(new CreateCertificateFromCsrCommand({ certificateSigningRequest: csr, setAsActive: false }))
      .then(async ({ certificateId, certificatePem = '' }) => {
        await iot.send(new DeleteCertificateCommand({ certificateId }));
        return new X509Certificate(certificatePem).subject;
      }),
  );
  await ask('the queue', queued(server, device));
  await ask('a forbidden publish', forbidden(server, device));
  return found;
}

/** Messages of the session that was away; its acknowledgements are not sent, so that they stay. */
async function queued(server: TestServer, device: Device): Promise<unknown> {
  const { device: away, answer } = await DeviceConnection.connect(server, 4, 'away', device, { clean: false });
  using _ = away;
  if (answer.cmd !== 'connack' || answer.returnCode !== 0) return 'refused';
  const seen: string[] = [];
  away.send({ cmd: 'pingreq' });
  for (let pings = 0; pings < 3; ) {
    const next = await away.next();
    if (next.cmd === 'publish') seen.push(next.payload.toString());
    else if (next.cmd === 'pingresp') {
      pings += 1;
      if (pings < 3) away.send({ cmd: 'pingreq' });
    } else return 'refused';
  }
  return [answer.sessionPresent, ...seen];
}

async function forbidden(server: TestServer, device: Device): Promise<string> {
  const { device: bold, answer } = await DeviceConnection.connect(server, 4, 'bold', device);
  using _ = bold;
  if (answer.cmd !== 'connack' || answer.returnCode !== 0) return 'refused';
  bold.publish('forbidden/x', 'x', { qos: 1 });
  return (await bold.next()).cmd;
}

export interface Damaged {
  readonly file: string;
  readonly what: string;
}

/** Files of a folder, those below its folders too; the copy of the access keys, which is the clients', left out. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path !== join(folder, 'credentials'))
    .filter((path) => statSync(path).size > 0)
    .sort();
}

/** Damages one file: a flipped bit, a cut, or a sector of zeros. `draw` gives a whole number below another. */
export function damage(folder: string, draw: (below: number) => number): Damaged {
  const files = filesOf(folder);
  const sizes = files.map((path) => statSync(path).size);
  let file = files[draw(files.length)] ?? '';
  // Half of the tries go where most bytes are.
  if (draw(2) === 0) {
    let left = draw(sizes.reduce((sum, size) => sum + size, 0));
    for (const [i, path] of files.entries()) {
      file = path;
      left -= sizes[i] ?? 0;
      if (left < 0) break;
    }
  }
  const size = statSync(file).size;
  const handle = openSync(file, 'r+');
  const kind = draw(10);
  let what = '';
  if (kind < 7) {
    // Most of a log is of earlier generations: half of the tries go to what is not.
    const range = file.endsWith('-wal') && draw(2) === 0 ? Math.min(size, 256 * 1024) : size;
    const [at, bit] = [draw(range), draw(8)];
    const byte = Buffer.alloc(1);
    readSync(handle, byte, 0, 1, at);
    writeSync(handle, Buffer.of((byte[0] ?? 0) ^ (1 << bit)), 0, 1, at);
    what = `bit ${bit} of byte ${at} of ${size}`;
  } else if (kind < 9) {
    const length = draw(size);
    ftruncateSync(handle, length);
    what = `cut from ${size} to ${length} bytes`;
  } else {
    const at = draw(Math.ceil(size / 512)) * 512;
    writeSync(handle, Buffer.alloc(Math.min(512, size - at)), 0, undefined, at);
    what = `zeros from byte ${at} of ${size}`;
  }
  closeSync(handle);
  return { file: relative(folder, file), what };
}
