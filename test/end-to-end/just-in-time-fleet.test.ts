/**
 * A fleet that nobody has registered comes at once (facts 4.4, 24.3): each device is registered once, a rule on the events
 * calls a function for each, others notice nothing, memory is bounded, and the end of the server loses nothing.
 */
// suite: long
// needs: bubblewrap root
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateTopicRuleCommand,
  GetRegistrationCodeCommand,
  ListCertificatesByCACommand,
  RegisterCACertificateCommand,
} from '@aws-sdk/client-iot';
import { AddPermissionCommand } from '@aws-sdk/client-lambda';
import { certificateIdOf } from '@thingkeep/x509/certificate.ts';
import { newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import { type FactoryCa, factoryCa, signedBy } from '../../packages/server/src/testing/factory-ca.ts';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { TestFunctions } from './functions.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import type { Fleet } from './unknown-devices.ts';
import { until, within } from './until.ts';

const DEADLINE = 300_000;
/** Devices that come at once, and those that are there when the server is killed. */
const [AT_ONCE, KILLED] = [2_000, 500];
/** MiB that the server may take for them beside what it has. */
const MOST_MEMORY = 300;

/** Says each certificate that it was called for. */
const TELL = "export const handler = async ({ certificateId }) => console.log('called for', certificateId);";

async function makeFunction(server: TestServer, functions: TestFunctions): Promise<void> {
  await functions.node('tell', TELL, { Timeout: 30 });
  const permission = { FunctionName: 'tell', StatementId: 's', Action: 'lambda:InvokeFunction' };
  await functions.lambda.send(new AddPermissionCommand({ ...permission, Principal: 'iot.amazonaws.com' }));
  const functionArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:tell`;
  const sql = "SELECT * FROM '$aws/events/certificates/registered/#'";
  const topicRulePayload = { sql, awsIotSqlVersion: '2016-03-23', actions: [{ lambda: { functionArn } }] };
  await server.iot.send(new CreateTopicRuleCommand({ ruleName: 'registered', topicRulePayload }));
}

/** Ids of the certificates that the function was called for. */
async function calledFor(functions: TestFunctions): Promise<Set<string>> {
  const found = new Set<string>();
  for (let nextToken: string | undefined; ; ) {
    const input = { logGroupName: '/aws/lambda/tell', filterPattern: '"called for"', nextToken };
    const page = await functions.logs.send(new FilterLogEventsCommand(input));
    for (const { message = '' } of page.events ?? []) found.add(/called for ([0-9a-f]{64})/.exec(message)?.[1] ?? '');
    nextToken = page.nextToken;
    if (nextToken === undefined) return found;
  }
}

async function registerCa(server: TestServer, ca: FactoryCa): Promise<string> {
  const { registrationCode = '' } = await server.iot.send(new GetRegistrationCodeCommand({}));
  const verificationCertificate = await signedBy(ca, registrationCode, { key: ca.key, now: Date.now() });
  const input = { caCertificate: ca.pem, verificationCertificate, setAsActive: true, allowAutoRegistration: true };
  return (await server.iot.send(new RegisterCACertificateCommand(input))).certificateId ?? '';
}

const fleetOf = async (ca: FactoryCa, count: number, prefix: string): Promise<Fleet['devices']> =>
  Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const key = newEcKey();
      const certPem = await signedBy(ca, 'Example Device', { key, now: Date.now() });
      return { clientId: `${prefix}-${n}`, certPem, keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
    }),
  );

const idOf = ({ certPem }: Fleet['devices'][number]): string => certificateIdOf(new X509Certificate(certPem).raw);

class RunningFleet implements AsyncDisposable {
  readonly #worker: Worker;

  constructor(server: TestServer, devices: Fleet['devices']) {
    const workerData: Fleet = { ca: readFileSync(server.rootCa, 'utf8'), port: server.ports.mqtt, devices };
    this.#worker = new Worker(new URL('unknown-devices.ts', import.meta.url), { workerData });
  }

  /** Resolves once each device was refused. */
  async refused(): Promise<void> {
    await within('the refusals', once(this.#worker, 'message'), DEADLINE);
  }

  comeTo(port: number): void {
    this.#worker.postMessage(port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Status by id of all certificates of the CA. */
async function statuses(server: TestServer, caCertificateId: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let marker: string | undefined; ; ) {
    const page = await server.iot.send(new ListCertificatesByCACommand({ caCertificateId, pageSize: 250, marker }));
    for (const { certificateId = '', status = '' } of page.certificates ?? []) {
      assert.ok(!found.has(certificateId));
      found.set(certificateId, status);
    }
    marker = page.nextMarker;
    if (marker === undefined) return found;
  }
}

/** Each device is registered and waits, nothing else is. */
async function areRegistered(server: TestServer, caId: string, devices: Fleet['devices']): Promise<void> {
  const found = await statuses(server, caId);
  assert.deepEqual(new Set(found.keys()), new Set(devices.map(idOf)));
  assert.deepEqual(new Set(found.values()), new Set(['PENDING_ACTIVATION']));
}

/**
 * Resolves once the function was called for each device. Lines of a log are not kept by a kill: only newer ones are asked for.
 */
async function areTold(server: TestServer, devices: Fleet['devices']): Promise<void> {
  using functions = new TestFunctions(server);
  const ids = devices.map(idOf);
  const areCalled = async (): Promise<true | undefined> => {
    // Reading all of a log costs the server more than a call.
    await setTimeout(1_000);
    const called = await calledFor(functions);
    return ids.every((id) => called.has(id)) ? true : undefined;
  };
  await until('a call for each', areCalled, DEADLINE);
}

/** A pair whose messages pass every 20 ms; gives the sorted latencies once it is ended. */
async function bystanders(server: TestServer): Promise<() => Promise<number[]>> {
  const publisher = await DeviceConnection.admitted(server, 4, 'publisher', await makeDevice(server, 'publisher', 'all'));
  const receiver = await DeviceConnection.admitted(server, 4, 'receiver', await makeDevice(server, 'receiver', 'all'));
  receiver.subscribe('beside', 1);
  assert.equal((await receiver.next()).cmd, 'suback');
  const sent: number[] = [];
  const latencies: number[] = [];
  const receive = async (): Promise<void> => {
    for (;;) {
      const seen = await receiver.next(60_000);
      if (seen.cmd === 'pingresp') continue;
      if (seen.cmd !== 'publish') assert.fail(`the receiver got ${seen.cmd}`);
      if (seen.payload.toString() === 'end') return;
      assert.equal(seen.payload.toString(), String(latencies.length), 'in order, each once');
      latencies.push(performance.now() - (sent[latencies.length] ?? Number.NaN));
    }
  };
  const received = receive();
  received.catch(() => undefined);
  const timer = setInterval(() => {
    if (sent.length % 1_000 === 999) receiver.send({ cmd: 'pingreq' });
    sent.push(performance.now());
    publisher.publish('beside', String(sent.length - 1), { qos: 0 });
  }, 20);
  return async () => {
    clearInterval(timer);
    publisher.publish('beside', 'end', { qos: 0 });
    await received;
    assert.equal(latencies.length, sent.length);
    publisher[Symbol.dispose]();
    receiver[Symbol.dispose]();
    return latencies.sort((a, b) => a - b);
  };
}

const residentOf = ({ pid }: TestServer): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

test(`${AT_ONCE} unknown devices at once; ${KILLED} more, and the server is killed in the middle`, async (t) => {
  const dataDir = temporaryFolder();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const args = ['--function-concurrency', '2'];
  const first = await startServer({ dataDir, args });
  t.after(() => first.signal('SIGKILL'));
  await makePolicy(first, 'all', ALLOW_ALL);
  using functions = new TestFunctions(first);
  await makeFunction(first, functions);
  const ca = await factoryCa('Example Signer', { now: Date.now() });
  const caId = await registerCa(first, ca);
  const devices = await fleetOf(ca, AT_ONCE, 'first');
  const end = await bystanders(first);
  const before = residentOf(first);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, residentOf(first));
  }, 100);
  t.after(() => clearInterval(watch));
  const begun = performance.now();
  await using fleet = new RunningFleet(first, devices);
  await fleet.refused();
  const registered = performance.now() - begun;
  assert.equal((await statuses(first, caId)).size, AT_ONCE, 'each is registered once');
  await areRegistered(first, caId, devices);
  await areTold(first, devices);
  const told = performance.now() - begun;
  clearInterval(watch);
  const latencies = await end();
  const p = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? Number.NaN).toFixed(1);
  t.diagnostic(`${AT_ONCE} registered in ${registered.toFixed(0)} ms, the function called for each after ${told.toFixed(0)} ms`);
  t.diagnostic(`beside: ${latencies.length} messages, p50 ${p(0.5)}, p99 ${p(0.99)}, most ${p(0.9999)} ms`);
  t.diagnostic(`memory ${before.toFixed(0)} to ${most.toFixed(0)} MiB`);
  assert.ok(most - before < MOST_MEMORY, `${most - before} MiB more`);

  const more = await fleetOf(ca, KILLED, 'second');
  await using second = new RunningFleet(first, more);
  await until('some to be registered', async () => {
    const { size } = await statuses(first, caId);
    return size > AT_ONCE + KILLED / 10 ? true : undefined;
  });
  await first.signal('SIGKILL');
  first.iot.destroy();
  first.iotData.destroy();
  await using again = await startServer({ dataDir, args });
  second.comeTo(again.ports.mqtt);
  await second.refused();
  await areRegistered(again, caId, [...devices, ...more]);
  await areTold(again, more);
});
