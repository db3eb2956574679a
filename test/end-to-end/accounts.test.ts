/**
 * Accounts and their root keys: made, listed and renewed by `thingkeep accounts`, while the server runs or not; what
 * a client tool writes into the clients' copy gives nobody the root's permissions.
 */
// needs: aws openssl root
import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { chownSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateThingCommand, IoTClient, ListThingsCommand, RegisterCertificateWithoutCACommand } from '@aws-sdk/client-iot';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import mqtt from 'mqtt';
import { auditFiles } from '../../packages/server/src/audit/files.ts';
import { signRequest } from '../../packages/server/src/api/sign-request.ts';
import { aws, awsJson, awsOutcome } from './aws-command.ts';
import { selfSigned } from './certificates.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { type Credentials, presign } from './presign.ts';
import { startServer, temporaryFolder, type TestServer, thingkeep } from './test-core.ts';
import { within } from './until.ts';

const OTHER = '222222222222';

interface Key extends Credentials {
  readonly accountId: string;
  readonly profile: string;
}

const dataDir = temporaryFolder();
let server: TestServer;
before(async () => {
  server = await startServer({ dataDir });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

async function accounts(...args: string[]): Promise<readonly Key[]> {
  const { code, stdout, stderr } = await thingkeep(['accounts', ...args, '--data-dir', dataDir, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Key[];
}

const restart = async (): Promise<void> => {
  assert.equal(await server.stop(), 0);
  server = await startServer({ dataDir });
};

const clientOf = (credentials: Credentials) => ({
  endpoint: server.url,
  region: 'us-east-1',
  credentials: { ...credentials },
  maxAttempts: 1,
});

/** ARN of a key's identity; undefined when the key is refused. */
async function identityOf(credentials: Credentials): Promise<string | undefined> {
  const sts = new STSClient(clientOf(credentials));
  try {
    return (await sts.send(new GetCallerIdentityCommand({}))).Arn;
  } catch (error) {
    assert.equal((error as Error).name, 'InvalidClientTokenId');
    return undefined;
  } finally {
    sts.destroy();
  }
}

test('an account that is made while the server runs has a key at once, and data of its own', async () => {
  const [key, ...more] = await accounts('create', OTHER, '--profile', 'other');
  assert(key !== undefined);
  assert.deepEqual([key.accountId, key.profile, more], [OTHER, 'other', []]);
  assert.equal(await identityOf(key), `arn:aws:iam::${OTHER}:root`);
  using iot = { client: new IoTClient(clientOf(key)), [Symbol.dispose]: () => iot.client.destroy() };
  await iot.client.send(new CreateThingCommand({ thingName: 'theirs' }));
  const { things } = await server.iot.send(new ListThingsCommand({}));
  assert.deepEqual(things, []);
  const listed = await accounts('list');
  assert.deepEqual(
    listed.map(({ accountId, profile }) => [accountId, profile]),
    [
      ['000000000000', 'default'],
      [OTHER, 'other'],
    ],
  );
  assert.ok(!JSON.stringify(listed).includes(key.secretAccessKey), 'the list shows no secret');
  assert.deepEqual(await accounts('keys', OTHER), [key]);
});

test('what can not be done is one line and an exit code', async () => {
  for (const [args, expected] of [
    [['create', OTHER], /account 222222222222 is there/],
    [['create', '333333333333', '--profile', 'default'], /there is a profile default already/],
    [['create', '12'], /not an account id of 12 digits/],
    [['keys', '444444444444'], /there is no account 444444444444/],
    [['keys'], /an account id is missing/],
    [['remove', OTHER], /unknown action remove/],
    [[], /an action is missing/],
  ] as const) {
    const { code, stdout, stderr } = await thingkeep(['accounts', ...args, '--data-dir', dataDir]);
    assert.deepEqual([code, stdout, stderr.split('\n').length], [2, '', 2], stderr);
    assert.match(stderr, expected);
  }
});

test('a certificate goes to another account with aws: its device connects there, and nothing of its owner follows', async () => {
  const [key] = await accounts('keys', OTHER);
  assert(key !== undefined);
  const { AWS_SHARED_CREDENTIALS_FILE: _, ...env } = server.env;
  const theirs = { ...env, AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey };
  await makePolicy(server, 'ours', ALLOW_ALL);
  const device = await makeDevice(server, 'moving', 'ours');
  const pair = { certPem: device.certPem, keyPem: device.keyPem };
  const { certificateId, certificateArn } = device;
  using before = await DeviceConnection.admitted(server, 5, 'moving', pair);
  const id = ['--certificate-id', certificateId];
  await aws(server.env, 'iot', 'update-certificate', ...id, '--new-status', 'INACTIVE');
  assert.equal((await before.next()).cmd, 'disconnect');
  await aws(server.env, 'iot', 'detach-policy', '--policy-name', 'ours', '--target', certificateArn);
  await aws(server.env, 'iot', 'transfer-certificate', ...id, '--target-aws-account', OTHER, '--transfer-message', 'yours');
  const listed = async (of: Record<string, string>): Promise<unknown> =>
    awsJson(of, 'iot', 'list-certificates', '--query', `certificates[?certificateId=='${certificateId}'].status`);
  assert.deepEqual([await listed(server.env), await listed(theirs)], [['PENDING_TRANSFER'], ['PENDING_TRANSFER']]);
  const { outgoingCertificates } = await awsJson<{ outgoingCertificates: { transferredTo: string }[] }>(
    ...([server.env, 'iot', 'list-outgoing-certificates'] as const),
  );
  assert.deepEqual(
    outgoingCertificates.map(({ transferredTo }) => transferredTo),
    [OTHER],
  );
  await aws(theirs, 'iot', 'accept-certificate-transfer', ...id, '--set-as-active');
  assert.deepEqual([await listed(server.env), await listed(theirs)], [[], ['ACTIVE']]);
  const connect = async (): Promise<unknown> => {
    const { device: late, answer } = await DeviceConnection.connect(server, 5, 'moving', pair);
    using _late = late;
    return answer.cmd === 'connack' && answer.reasonCode;
  };
  assert.equal(await connect(), 0x87, 'the policy of its owner before does not count');
  const document = policyDocument(ALLOW_ALL);
  await aws(theirs, 'iot', 'create-policy', '--policy-name', 'ours', '--policy-document', document);
  const target = certificateArn.replace('000000000000', OTHER);
  await aws(theirs, 'iot', 'attach-policy', '--policy-name', 'ours', '--target', target);
  assert.equal(await connect(), 0);
  const late = await awsOutcome({ env: server.env }, 'iot', 'cancel-certificate-transfer', ...id);
  assert.match(late.stderr, /TransferAlreadyCompletedException/);
});

test('thingkeep certificates lists what expires soon: of one account, of all for the operator, with an exit code', async () => {
  const [key] = await accounts('keys', OTHER);
  assert(key !== undefined);
  const expiring = (...args: string[]) => thingkeep(['certificates', ...args, '--data-dir', dataDir]);
  const none = await expiring();
  assert.deepEqual([none.code, none.stdout], [0, '']);
  assert.match(none.stderr, /^no certificate of account 000000000000 expires within 30 days$/m);
  using iot = { client: new IoTClient(clientOf(key)), [Symbol.dispose]: () => iot.client.destroy() };
  const { certPem: certificatePem } = await selfSigned('short');
  const { certificateArn } = await iot.client.send(new RegisterCertificateWithoutCACommand({ certificatePem }));
  assert.equal((await expiring('--expiring', '90d')).code, 0, 'another account’s is not shown');
  const theirs = await expiring('--expiring', '2d', '--account-id', OTHER, '--json');
  assert.equal(theirs.code, 1);
  const { notAfter, certificateId, ...found } = JSON.parse(theirs.stdout) as Record<string, string>;
  const about = { type: 'device', certificateArn, accountId: OTHER, region: 'us-east-1', status: 'INACTIVE' };
  assert.deepEqual(found, about);
  const all = await expiring('--all-accounts');
  assert.deepEqual([all.code, all.stdout], [1, `${notAfter}  INACTIVE  device  ${certificateArn}\n`]);
  assert.match(certificateId ?? '', /^[0-9a-f]{64}$/);
  for (const [args, expected] of [
    [['--expiring', 'soon'], /"soon" is not a number of days, such as 30d/],
    [['--all-accounts', '--account-id', OTHER], /Only the root of the account that runs the server/],
    [['--account-id', '999999999999'], /there is no account 999999999999/],
  ] as const) {
    const { code, stdout, stderr } = await expiring(...args);
    assert.deepEqual([code, stdout], [2, ''], stderr);
    assert.match(stderr, expected);
  }
});

test('a renewed key is refused at once, and its live connection ends', async () => {
  const [key] = await accounts('keys', OTHER);
  assert(key !== undefined);
  const url = await presign(`ws://127.0.0.1:${server.ports.api}`, key);
  const client = await within('CONNACK', mqtt.connectAsync(url, { clientId: 'live', reconnectPeriod: 0 }, false));
  const closed = within('the end', once(client as unknown as EventEmitter, 'close'));
  const [fresh] = await accounts('keys', OTHER, '--new');
  assert(fresh !== undefined);
  await closed;
  client.end(true);
  assert.equal(await identityOf(key), undefined);
  assert.equal(await identityOf(fresh), `arn:aws:iam::${OTHER}:root`);
});

test('accounts are made and renewed without a server, and count at its next start', async () => {
  assert.equal(await server.stop(), 0);
  const [third] = await accounts('create', '333333333333');
  const [renewed] = await accounts('keys', '333333333333', '--new');
  server = await startServer({ dataDir });
  assert(third !== undefined && renewed !== undefined);
  assert.equal(await identityOf(third), undefined);
  assert.equal(await identityOf(renewed), 'arn:aws:iam::333333333333:root');
});

test('aws configure writes a limited user’s key into the copy: it is that user’s key after a restart too', async () => {
  using iam = { client: new IAMClient(clientOf(server.credentials())), [Symbol.dispose]: () => iam.client.destroy() };
  await iam.client.send(new CreateUserCommand({ UserName: 'narrow' }));
  const { AccessKey } = await iam.client.send(new CreateAccessKeyCommand({ UserName: 'narrow' }));
  const narrow = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  const root = server.credentials();
  await aws(server.env, 'configure', 'set', 'aws_access_key_id', narrow.accessKeyId);
  await aws(server.env, 'configure', 'set', 'aws_secret_access_key', narrow.secretAccessKey);
  assert.match(readFileSync(join(dataDir, 'credentials'), 'utf8'), new RegExp(narrow.accessKeyId));
  await restart();
  assert.equal(await identityOf(narrow), 'arn:aws:iam::000000000000:user/narrow');
  using limited = { client: new IAMClient(clientOf(narrow)), [Symbol.dispose]: () => limited.client.destroy() };
  await assert.rejects(limited.client.send(new ListUsersCommand({})), { name: 'AccessDenied' });
  assert.equal(await identityOf(root), 'arn:aws:iam::000000000000:root');
  const { code, stderr } = await thingkeep(['refusals', '--data-dir', dataDir]);
  assert.equal(code, 0, stderr);
  rmSync(join(dataDir, 'credentials'));
  await restart();
  assert.deepEqual(server.credentials(), root, 'the copy is made anew when it is missing');
});

test('keys are made for the root of the account that runs the server alone', async () => {
  using iam = { client: new IAMClient(clientOf(server.credentials())), [Symbol.dispose]: () => iam.client.destroy() };
  await iam.client.send(new CreateUserCommand({ UserName: 'wide' }));
  const PolicyDocument = policyDocument([{ Effect: 'Allow', Action: '*', Resource: '*' }]);
  await iam.client.send(new PutUserPolicyCommand({ UserName: 'wide', PolicyName: 'all', PolicyDocument }));
  const { AccessKey } = await iam.client.send(new CreateAccessKeyCommand({ UserName: 'wide' }));
  const wide = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  const [other] = await accounts('keys', OTHER);
  assert(other !== undefined);
  for (const [key, status] of [
    [wide, 403],
    [other, 403],
    [server.credentials(), 200],
  ] as const) {
    const url = new URL(`/admin/root-keys?account-id=${OTHER}`, server.url);
    const signed = { method: 'POST', url, region: 'us-east-1', service: 'thingkeep', now: Date.now(), key };
    assert.equal((await fetch(url, { method: 'POST', headers: signRequest(signed) })).status, status);
  }
});

test('accounts before the first start: of a fresh folder, and of one of an earlier release, no key is lost', async () => {
  for (const earlier of [false, true]) {
    const folder = temporaryFolder();
    const old = '[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = old-secret\n';
    if (earlier) writeFileSync(join(folder, 'credentials'), old, { mode: 0o600 });
    for (const args of [
      ['create', OTHER],
      ['keys', OTHER, '--new'],
      ['create', '333333333333'],
    ]) {
      const { code, stderr } = await thingkeep(['accounts', ...args, '--data-dir', folder]);
      assert.equal(code, 0, stderr);
    }
    await using started = await startServer({ dataDir: folder });
    const home = earlier ? { accessKeyId: 'AKIAOLD', secretAccessKey: 'old-secret' } : started.credentials();
    const sts = new STSClient({ endpoint: started.url, region: 'us-east-1', credentials: home, maxAttempts: 1 });
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Arn, 'arn:aws:iam::000000000000:root');
    sts.destroy();
    const { stdout } = await thingkeep(['accounts', 'list', '--data-dir', folder]);
    const listed = stdout
      .trim()
      .split('\n')
      .map((line) => line.slice(0, 12));
    assert.deepEqual(new Set(listed), new Set(['000000000000', OTHER, '333333333333']));
    rmSync(folder, { recursive: true, force: true });
  }
});

test('each change of the keys is in the audit log, with the account, whether a server made it or not', async () => {
  await accounts('create', '555555555555');
  assert.equal(await server.stop(), 0);
  await accounts('keys', '555555555555', '--new');
  await thingkeep(['accounts', 'create', '555555555555', '--data-dir', dataDir]);
  server = await startServer({ dataDir });
  const lines = auditFiles(join(dataDir, 'audit'))
    .flatMap(({ path }) => readFileSync(path, 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as { number: number; operation?: string; of?: number; result?: string; input?: object });
  const made = lines.filter(({ input }) => JSON.stringify(input ?? {}).includes('555555555555'));
  assert.deepEqual(
    made.map(({ number, operation }) => [operation, lines.find(({ of }) => of === number)?.result]),
    [
      ['PostAccounts', 'OK'],
      ['PostRootKeys', 'OK'],
      ['PostAccounts', 'ConfigError'],
    ],
  );
  const { code, stdout } = await thingkeep(['audit', 'verify', '--data-dir', dataDir]);
  assert.equal(code, 0, stdout);
});

test('root changes no keys in the folder of another user while no server runs: the server could not read them', async () => {
  const folder = temporaryFolder();
  chownSync(folder, 12_345, 12_345);
  const { code, stderr } = await thingkeep(['accounts', 'create', OTHER, '--data-dir', folder]);
  assert.equal(code, 2);
  assert.match(stderr, /belongs to user 12345: run this as that user, or while the server runs/);
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true, force: true });
});
