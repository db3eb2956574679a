/**
 * A disk that fails under a running server: who is refused is told why, the operator is told once, and nothing is acknowledged
 * falsely.
 */
// needs: cc openssl root
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateThingCommand, DescribeThingCommand } from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SignatureV4 } from '@smithy/signature-v4';
import { zipOfFiles } from '../../packages/server/src/functions/code/zip.fixture.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy } from './devices.ts';
import { failingDisk } from './failing-disk.ts';
import { certifyHost, type HostCertificate } from './host-certificates.ts';
import { LoopDisk } from './loop-disk.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const base = temporaryFolder();
after(() => rmSync(base, { recursive: true, force: true }));
const library = failingDisk(base);

const readiness = async (
  server: TestServer,
): Promise<{ status: number; body: { status: string; reasons?: { reason: string }[] } }> => {
  const answer = await fetch(`${server.url}/ready`);
  return { status: answer.status, body: (await answer.json()) as { status: string } };
};
const isAlive = async (server: TestServer): Promise<boolean> => (await fetch(`${server.url}/health`)).status === 200;
const thing = (name: string): CreateThingCommand => new CreateThingCommand({ thingName: name });

/** Certificate Manager has no client among our packages: a signed request of its protocol. */
async function importCertificate(server: TestServer, { certificate, privateKey }: HostCertificate): Promise<void> {
  const [Certificate, PrivateKey] = [certificate, privateKey].map((file) => readFileSync(file).toString('base64'));
  const body = Buffer.from(JSON.stringify({ Certificate, PrivateKey }));
  const url = new URL('/', server.url);
  const headers = {
    host: url.host,
    'x-amz-target': 'CertificateManager.ImportCertificate',
    'content-type': 'application/x-amz-json-1.1',
  };
  const signer = new SignatureV4({ service: 'acm', region: 'us-east-1', credentials: server.credentials(), sha256: Sha256 });
  const signed = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname: url.hostname,
    port: Number(url.port),
    path: '/',
    headers,
    body,
  });
  const answer = await fetch(url, { method: 'POST', headers: signed.headers, body });
  if (answer.status === 200) return;
  const { message, __type } = (await answer.json()) as { message: string; __type: string };
  throw Object.assign(new TypeError(`${__type}: ${message}`), { $metadata: { httpStatusCode: answer.status } });
}

/** Writes a file until the disk takes no more. */
function fill(path: string): void {
  for (const size of [1024 * 1024, 64 * 1024, 1024])
    for (let isFull = false; !isFull; )
      try {
        writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
      } catch {
        isFull = true;
      }
}

test('after a sync that failed the server ends, and has all that it acknowledged when it comes again', async () => {
  const dataDir = join(base, 'sync');
  mkdirSync(dataDir, { mode: 0o700 });
  const on = join(base, 'fail-sync');
  for (const from of [1, 2]) {
    const env = library({ folder: dataDir, from, times: 1, error: 'EIO', calls: 'sync', on });
    const server = await startServer({ dataDir, env });
    const acknowledged: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      await server.iot.send(thing(`before-${from}-${i}`));
      acknowledged.push(`before-${from}-${i}`);
    }
    writeFileSync(on, '');
    let failed = 0;
    for (let i = 0; i < 5; i += 1)
      await server.iot.send(thing(`after-${from}-${i}`)).then(
        () => acknowledged.push(`after-${from}-${i}`),
        () => (failed += 1),
      );
    assert.ok(failed > 0);
    assert.equal(await server.stop(), null, 'it ended by itself');
    assert.equal(server.log.filter(({ event }) => event === 'panic').length, 1);
    rmSync(on);
    await using again = await startServer({ dataDir });
    for (const thingName of acknowledged) await again.iot.send(new DescribeThingCommand({ thingName }));
  }
});

for (const error of ['ENOSPC', 'EROFS', 'EIO'] as const)
  test(`while writes fail with ${error} each is refused with 503, /ready says so, and all is well after`, async () => {
    const dataDir = join(base, error);
    mkdirSync(dataDir, { mode: 0o700 });
    const on = join(base, `fail-${error}`);
    await using server = await startServer({ dataDir, env: library({ folder: dataDir, from: 1, error, calls: 'write', on }) });
    await server.iot.send(thing('lamp'));
    assert.deepEqual((await readiness(server)).status, 200);
    writeFileSync(on, '');
    await assert.rejects(server.iot.send(thing('more')), {
      name: 'ServiceUnavailableException',
      message: /disk (is full|can not be written|is nearly full)/,
    });
    const { body } = await until('not ready', async () => {
      const now = await readiness(server);
      return now.status === 503 ? now : undefined;
    });
    assert.deepEqual(
      body.reasons?.map(({ reason }) => reason),
      ['store'],
    );
    assert.equal(JSON.stringify(body).includes(dataDir), false);
    assert.ok(await isAlive(server));
    const metrics = await (await fetch(server.metrics)).text();
    assert.match(metrics, /^thingkeep_ready 0$/m);
    assert.match(metrics, /^thingkeep_unready\{reason="store"\} 1$/m);
    assert.equal((await fetch(new URL('/ready', server.metrics))).status, 503);
    rmSync(on);
    await until('ready', async () => ((await readiness(server)).status === 200 ? true : undefined));
    await server.iot.send(thing('more'));
    for (const event of ['not-ready', 'ready']) assert.equal(server.log.filter((line) => line.event === event).length, 1, event);
  });

test('on a full disk every service answers 503 in its own form, and the log stays short', async (t) => {
  const at = join(base, 'full');
  mkdirSync(at);
  using disk = LoopDisk.make(at, 48);
  if (disk === undefined) return t.diagnostic('this machine mounts no loop device');
  const dataDir = join(disk.folder, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const server = await startServer({ dataDir, args: ['--disk-floor', '0'] });
  try {
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'device', 'all');
    using client = await DeviceConnection.admitted(server, 5, 'device', device);
    const certificate = await certifyHost(base, 'devices.example.com');
    const options = { endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 };
    const [iam, logs, lambda] = [new IAMClient(options), new CloudWatchLogsClient(options), new LambdaClient(options)];
    await logs.send(new CreateLogGroupCommand({ logGroupName: 'g' }));
    await logs.send(new CreateLogStreamCommand({ logGroupName: 'g', logStreamName: 's' }));
    const filler = join(disk.folder, 'filler');
    fill(filler);
    assert.ok(statSync(filler).size > 0);
    let serial = 0;
    const events = [{ timestamp: Date.now(), message: 'x'.repeat(10_000) }];
    const zip = zipOfFiles({ 'a.py': `# ${'x'.repeat(1000)}\ndef f(event, context):\n  return 1\n` });
    const calls: Record<string, () => Promise<unknown>> = {
      'iot CreateThing': () => server.iot.send(thing(`t${serial}`)),
      'iot-data Publish': () =>
        server.iotData.send(new PublishCommand({ topic: `r/${serial}`, payload: Buffer.alloc(50_000, 1), retain: true })),
      'iam CreateUser': () => iam.send(new CreateUserCommand({ UserName: `u${serial}` })),
      'logs CreateLogGroup': () => logs.send(new CreateLogGroupCommand({ logGroupName: `g${serial}` })),
      'logs PutLogEvents': () => logs.send(new PutLogEventsCommand({ logGroupName: 'g', logStreamName: 's', logEvents: events })),
      'acm ImportCertificate': () => importCertificate(server, certificate),
      'lambda CreateFunction': () =>
        lambda.send(
          new CreateFunctionCommand({
            FunctionName: `f${serial}`,
            Runtime: 'python3.13',
            Handler: 'a.f',
            Role: 'arn:aws:iam::000000000000:role/r',
            Code: { ZipFile: zip },
          }),
        ),
    };
    const before = server.lines.length;
    for (const [what, call] of Object.entries(calls)) {
      let status: number | undefined;
      let text = '';
      // A log that was written before has room for some more.
      for (let i = 0; i < 500 && status === undefined; i += 1) {
        serial += 1;
        await call().catch((error: { $metadata?: { httpStatusCode?: number }; message: string }) => {
          status = error.$metadata?.httpStatusCode;
          text = error.message;
        });
      }
      assert.deepEqual([status, /disk/.test(text)], [503, true], `${what}: ${status} ${text}`);
    }
    client.publish('r/device', 'x', { qos: 1, retain: true });
    assert.equal(((await client.next()) as { reasonCode?: number }).reasonCode, 0x97);
    // The end of its connection is to be stored: that is tried again and again.
    client.socket.destroy();
    for (let i = 0; i < 300; i += 1) await server.iot.send(thing(`more-${i}`)).catch(() => undefined);
    for (const failed of ['a commit of the journal failed', 'the audit log is behind'])
      assert.equal(server.log.filter(({ msg }) => msg === failed).length, 0, failed);
    assert.ok(await isAlive(server));
    const written = server.lines.slice(before).join('\n').length;
    assert.ok(written < 40_000, `${written} bytes of log`);
    t.diagnostic(`${written} bytes of log`);
    rmSync(filler);
    await until('ready', async () => ((await readiness(server)).status === 200 ? true : undefined));
    await server.iot.send(thing('after'));
    for (const each of [iam, logs, lambda]) each.destroy();
    assert.equal(await server.stop(), 0);
  } finally {
    await server.signal('SIGKILL');
  }
});

test('a file system that has become read-only refuses what is to be stored, and loses nothing', async (t) => {
  const at = join(base, 'read-only');
  mkdirSync(at);
  using disk = LoopDisk.make(at, 48);
  if (disk === undefined) return t.diagnostic('this machine mounts no loop device');
  const dataDir = join(disk.folder, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const server = await startServer({ dataDir, args: ['--disk-floor', '0'] });
  try {
    await server.iot.send(thing('lamp'));
    // As the kernel does after an error of the disk: files that are open for writing are no hindrance.
    execFileSync('mount', ['-o', 'remount,abort', disk.folder], { stdio: 'ignore' });
    await assert.rejects(server.iot.send(thing('more')));
    await until('not ready', async () => ((await readiness(server)).status === 503 ? true : undefined));
    assert.ok(await isAlive(server));
    await server.iot.send(new DescribeThingCommand({ thingName: 'lamp' }));
    await assert.rejects(server.iot.send(thing('more')), { name: 'ServiceUnavailableException' });
    assert.equal(server.log.filter(({ event }) => event === 'panic').length, 0);
  } finally {
    await server.signal('SIGKILL');
  }
  disk.repair();
  const again = await startServer({ dataDir, args: ['--disk-floor', '0'] });
  try {
    await again.iot.send(new DescribeThingCommand({ thingName: 'lamp' }));
    await assert.rejects(again.iot.send(new DescribeThingCommand({ thingName: 'more' })), { name: 'ResourceNotFoundException' });
    assert.equal(await again.stop(), 0);
  } finally {
    await again.signal('SIGKILL');
  }
});

test('a key file that goes away is told, and its return', async () => {
  await using server = await startServer();
  const file = join(server.dataDir, 'ca', 'device-issuer.pem');
  const bytes = readFileSync(file);
  rmSync(file);
  const { body } = await until('not ready', async () => {
    const now = await readiness(server);
    return now.status === 503 ? now : undefined;
  });
  assert.deepEqual(
    body.reasons?.map(({ reason }) => reason),
    ['keys'],
  );
  writeFileSync(file, bytes, { mode: 0o600 });
  await until('ready', async () => ((await readiness(server)).status === 200 ? true : undefined));
});
