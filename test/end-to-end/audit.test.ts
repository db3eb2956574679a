/**
 * The audit log of a running server: every call that changes something is in it, with who, what, from where and the
 * result, and without a secret; `thingkeep audit verify` says whether somebody has touched it.
 */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateAccessKeyCommand, CreateLoginProfileCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  DeleteThingCommand,
  DescribeThingCommand,
  IoTClient,
  ListThingsCommand,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { auditFiles } from '../../packages/server/src/audit/files.ts';
import { startServer, temporaryFolder, type TestServer, thingkeep } from './test-core.ts';
import { until } from './until.ts';

type Line = Readonly<Record<string, unknown>>;

const linesOf = (dataDir: string): Line[] =>
  auditFiles(join(dataDir, 'audit')).flatMap(({ path }) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line),
  );

/** Changes with their results. */
function changesOf(dataDir: string): [operation: unknown, principal: unknown, result: unknown][] {
  const lines = linesOf(dataDir);
  const results = new Map(lines.filter(({ of }) => of !== undefined).map(({ of, result }) => [of, result]));
  return lines
    .filter(({ operation }) => operation !== undefined)
    .map(({ number, operation, principal, result }) => [
      operation,
      String(principal).replace(/^arn:aws:iam::\d+:/, ''),
      result ?? results.get(number),
    ]);
}

const verify = (dataDir: string) => thingkeep(['audit', 'verify', '--data-dir', dataDir]);

test('who, what, from where and with which result; reads and messages are not in it, and no secret is', async () => {
  await using server = await startServer();
  const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials() });
  await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
  await server.iot.send(new DescribeThingCommand({ thingName: 'lamp' }));
  await server.iot.send(new ListThingsCommand({}));
  await server.iotData.send(new PublishCommand({ topic: 'a', payload: Buffer.from('x') }));
  await server.iotData.send(new PublishCommand({ topic: 'a', payload: Buffer.from('x'), retain: true }));
  const devicePort = new IoTDataPlaneClient({
    endpoint: `https://localhost:${server.ports.https}`,
    region: 'us-east-1',
    credentials: server.credentials(),
    requestHandler: { httpsAgent: { ca: readFileSync(server.rootCa) } },
  });
  await devicePort.send(new PublishCommand({ topic: 'a', payload: Buffer.from('x'), retain: true }));
  devicePort.destroy();
  const { keyPair } = await server.iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iam.send(new CreateUserCommand({ UserName: 'ann' }));
  await iam.send(new CreateLoginProfileCommand({ UserName: 'ann', Password: 'correct-horse-9-Battery' }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
  const ann = new IoTClient({
    endpoint: server.url,
    region: 'us-west-2',
    credentials: { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' },
    maxAttempts: 1,
  });
  await assert.rejects(ann.send(new DeleteThingCommand({ thingName: 'lamp' })), { name: 'AccessDeniedException' });
  await assert.rejects(server.iot.send(new DeleteThingCommand({ thingName: 'lamp', expectedVersion: 7 })), {
    name: 'VersionConflictException',
  });
  ann.destroy();
  iam.destroy();
  await until('the last result', () => (changesOf(server.dataDir).at(-1)?.[2] === undefined ? undefined : true));
  assert.deepEqual(changesOf(server.dataDir), [
    ['CreateThing', 'root', 'OK'],
    ['Publish', 'root', 'OK'],
    ['Publish', 'root', 'OK'],
    ['CreateKeysAndCertificate', 'root', 'OK'],
    ['CreateUser', 'root', 'OK'],
    ['CreateLoginProfile', 'root', 'OK'],
    ['CreateAccessKey', 'root', 'OK'],
    ['DeleteThing', 'user/ann', 'AccessDeniedException'],
    ['DeleteThing', 'root', 'VersionConflictException'],
  ]);
  const refused = linesOf(server.dataDir).find(({ principal }) => String(principal).endsWith('user/ann'));
  assert.deepEqual(
    [refused?.region, refused?.sourceIp, refused?.accountId, refused?.service, refused?.accessKeyId, refused?.input],
    ['us-west-2', '127.0.0.1', '000000000000', 'iot', AccessKey?.AccessKeyId, { thingName: 'lamp' }],
  );
  const text = JSON.stringify(linesOf(server.dataDir));
  for (const secret of [
    keyPair?.PrivateKey?.slice(40, 80),
    AccessKey?.SecretAccessKey,
    'correct-horse',
    server.credentials().secretAccessKey,
  ])
    assert.ok(secret !== undefined && !text.includes(secret));
  assert.deepEqual(await verify(server.dataDir).then(({ code, stdout }) => [code, stdout]), [
    0,
    'whole: 17 lines, numbers 1 to 17\n',
  ]);
});

test('what is done to the files is found, while the server runs, after a kill -9 and after a stop', async () => {
  const dataDir = temporaryFolder();
  try {
    let server: TestServer = await startServer({ dataDir });
    for (let i = 0; i < 5; i += 1) await server.iot.send(new CreateThingCommand({ thingName: `thing-${i}` }));
    const path = auditFiles(join(dataDir, 'audit'))[0]?.path ?? '';
    const good = readFileSync(path, 'utf8');
    await server.signal('SIGKILL');
    const killed = await verify(dataDir);
    assert.equal(killed.code, 0, killed.stdout + killed.stderr);
    for (const [bad, expected] of [
      [good.replace('thing-2', 'thing-3'), /number 5, was changed\nDAMAGED/],
      [good.split('\n').slice(0, 4).concat('').join('\n'), /the end of the log was cut off\nDAMAGED/],
      [good.split('\n').slice(2).join('\n'), /lines were removed\nDAMAGED/],
    ] as const) {
      writeFileSync(path, bad);
      const stopped = await verify(dataDir);
      assert.equal(stopped.code, 1);
      assert.match(stopped.stdout, expected);
    }
    writeFileSync(path, good);
    server = await startServer({ dataDir });
    assert.equal((await verify(dataDir)).code, 0);
    writeFileSync(path, readFileSync(path, 'utf8').replace('thing-1', 'thing-7'));
    assert.match((await verify(dataDir)).stdout, /number 3, was changed/);
    assert.equal(await server.stop(), 0);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('an action that is none, and a folder without a log, are one line', async () => {
  for (const [args, expected] of [
    [['audit'], /audit verify is the only action/],
    [['audit', 'forget'], /audit verify is the only action/],
  ] as const) {
    const { code, stderr } = await thingkeep(args);
    assert.equal(code, 2);
    assert.match(stderr, expected);
  }
});
