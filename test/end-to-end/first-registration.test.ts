/**
 * A certificate that several accounts have registered: the registration that was ACTIVE first is the device's, unless the
 * host name that it asks for is another account's (developer guide, pages x509-client-certs and multiple-account registration).
 */
// needs: curl
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AttachPolicyCommand,
  CreateAuthorizerCommand,
  CreateDomainConfigurationCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateRoleAliasCommand,
  DeleteCertificateCommand,
  DetachPolicyCommand,
  IoTClient,
  RegisterCertificateWithoutCACommand,
  UpdateAuthorizerCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { ask } from './ask-credentials.ts';
import { DeviceConnection, type DeviceOptions } from './device-connection.ts';
import { HttpFunction } from './http-function.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';

const OWNER = '555555555555';
const SECRET = 'ownerownerownerownerownerownerownerowner';
const PROFILES = `[default]
aws_access_key_id = AKIAAAAAAAAAAAAAAAAA
aws_secret_access_key = strangerstrangerstrangerstrangerstranger
[owner]
aws_account_id = ${OWNER}
aws_access_key_id = AKIAOOOOOOOOOOOOOOOO
aws_secret_access_key = ${SECRET}
`;

interface Bench extends AsyncDisposable {
  readonly server: TestServer;
  readonly owner: IoTClient;
  /** Of the account whose number comes first. */
  readonly stranger: IoTClient;
  /** The owner's account in a region that comes first in the alphabet. */
  readonly farOff: IoTClient;
}

async function open(args: readonly string[] = []): Promise<Bench> {
  const dataDir = temporaryFolder();
  writeFileSync(join(dataDir, 'credentials'), PROFILES, { mode: 0o600 });
  const server = await startServer({ dataDir, args });
  const client = (region: string, accessKeyId: string, secretAccessKey: string) =>
    new IoTClient({ endpoint: server.url, region, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey } });
  const owner = client('us-east-1', 'AKIAOOOOOOOOOOOOOOOO', SECRET);
  const farOff = client('ap-south-1', 'AKIAOOOOOOOOOOOOOOOO', SECRET);
  const stranger = server.iot;
  return {
    server,
    owner,
    stranger,
    farOff,
    [Symbol.asyncDispose]: async () => {
      owner.destroy();
      farOff.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

const all = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }] });

/** The policy `all` on the certificate, in the account and region of the client. */
async function allowAll(iot: IoTClient, target: string): Promise<void> {
  await iot.send(new CreatePolicyCommand({ policyName: 'all', policyDocument: all })).catch(() => undefined);
  await iot.send(new AttachPolicyCommand({ policyName: 'all', target }));
}

async function issue(iot: IoTClient) {
  const {
    certificateId = '',
    certificateArn = '',
    certificatePem: certPem = '',
    keyPair,
  } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await allowAll(iot, certificateArn);
  return { certificateId, certificateArn, certPem, keyPem: keyPair?.PrivateKey ?? '' };
}

async function register(iot: IoTClient, certificatePem: string, status: 'ACTIVE' | 'INACTIVE' = 'ACTIVE'): Promise<string> {
  const { certificateArn = '' } = await iot.send(new RegisterCertificateWithoutCACommand({ certificatePem, status }));
  await allowAll(iot, certificateArn);
  return certificateArn;
}

const activate = (iot: IoTClient, certificateId: string, newStatus: 'ACTIVE' | 'INACTIVE' = 'ACTIVE') =>
  iot.send(new UpdateCertificateCommand({ certificateId, newStatus }));

async function forget(iot: IoTClient, certificateId: string, target: string): Promise<void> {
  await activate(iot, certificateId, 'INACTIVE');
  await iot.send(new DetachPolicyCommand({ policyName: 'all', target }));
  await iot.send(new DeleteCertificateCommand({ certificateId }));
}

/** Whether the device is let in. */
async function admits(server: TestServer, device: DeviceOptions, tls: object = {}): Promise<boolean> {
  const { device: connection, answer } = await DeviceConnection.connect(server, 5, 'd', { ...device, tls });
  connection.socket.destroy();
  return answer.cmd === 'connack' && answer.reasonCode === 0;
}

test('who registers an ACTIVE certificate again takes no connection over, in another account or region', async () => {
  await using bench = await open();
  const { server, owner, stranger, farOff } = bench;
  const device = await issue(owner);
  const live = await DeviceConnection.admitted(server, 5, 'lamp', device);
  live.subscribe('news/#');
  assert.equal((await live.next()).cmd, 'suback');
  const [taken, far] = [await register(stranger, device.certPem), await register(farOff, device.certPem)];
  assert.ok(await live.nothingCame(), 'the live connection stays, where it is');
  // A new connection of the same id takes the old one over only within one account and region.
  const again = await DeviceConnection.admitted(server, 5, 'lamp', device);
  const end = await live.next();
  assert.equal(end.cmd === 'disconnect' ? end.reasonCode : end.cmd, 0x8e, 'taken over by itself');
  again.subscribe('news/#');
  assert.equal((await again.next()).cmd, 'suback');
  // The owner's deactivation stops the device; it does not hand it over.
  await activate(owner, device.certificateId, 'INACTIVE');
  assert.equal((await again.next()).cmd, 'disconnect');
  assert.equal(await admits(server, device), false);
  const refusal = await server.logged(({ event, check }) => event === 'refused' && check === 'certificate-not-active');
  assert.equal(refusal.accountId, OWNER);
  // Nor does its deletion, until another account says anew that the certificate is its own.
  await owner.send(new DetachPolicyCommand({ policyName: 'all', target: device.certificateArn }));
  await owner.send(new DeleteCertificateCommand({ certificateId: device.certificateId }));
  assert.equal(await admits(server, device), false);
  await activate(stranger, device.certificateId);
  assert.equal(await admits(server, device), true);
  for (const arn of [taken, far]) assert.match(arn, new RegExp(`${device.certificateId}$`));
});

test('the first that was ACTIVE stands, whoever has registered it INACTIVE before; it may be brought back', async () => {
  await using bench = await open();
  const { server, owner, stranger } = bench;
  const { certPem, keyPem, certificateId, certificateArn } = await issue(owner);
  const device = { certPem, keyPem };
  await forget(owner, certificateId, certificateArn);
  await register(stranger, certPem, 'INACTIVE');
  assert.equal(await admits(server, device), false);
  await register(owner, certPem);
  assert.equal(await admits(server, device), true);
  await activate(stranger, certificateId);
  await activate(owner, certificateId, 'INACTIVE');
  assert.equal(await admits(server, device), false);
  await activate(owner, certificateId);
  assert.equal(await admits(server, device), true);
});

test('an account moves a device between its own regions: INACTIVE in one, then ACTIVE in another', async () => {
  await using bench = await open();
  const { server, owner, farOff, stranger } = bench;
  const { certPem, keyPem, certificateId } = await issue(owner);
  const device = { certPem, keyPem };
  await register(farOff, certPem);
  await register(stranger, certPem);
  await activate(owner, certificateId, 'INACTIVE');
  await activate(stranger, certificateId);
  assert.equal(await admits(server, device), false, 'not by having been ACTIVE there before, nor to another account');
  await activate(farOff, certificateId);
  assert.equal(await admits(server, device), true);
  await activate(owner, certificateId);
  await activate(farOff, certificateId, 'INACTIVE');
  assert.equal(await admits(server, device), false);
  await activate(owner, certificateId);
  assert.equal(await admits(server, device), true);
});

test('the host name of a domain configuration says which account is meant, and no other counts there', async () => {
  await using bench = await open();
  const { server, owner, stranger } = bench;
  const { certPem, keyPem } = await issue(owner);
  const device = { certPem, keyPem };
  const domain = { domainConfigurationName: 'd', domainName: 'stranger.example' };
  await stranger.send(new CreateDomainConfigurationCommand(domain));
  const named = { servername: 'stranger.example' };
  assert.equal(await admits(server, device, named), false, 'not registered in the account of the host name');
  const target = await register(stranger, certPem);
  assert.equal(await admits(server, device, named), true);
  await stranger.send(new DetachPolicyCommand({ policyName: 'all', target }));
  assert.equal(await admits(server, device, named), false, 'by the policies of that account');
  assert.equal(await admits(server, device), true);
});

test('credentials that a device was given are of the first registration, and end with it alone', async () => {
  await using bench = await open();
  const { server, owner, stranger } = bench;
  const device = await issue(owner);
  const alias = { roleAlias: 'fleet', roleArn: `arn:aws:iam::${OWNER}:role/x`, credentialDurationSeconds: 900 };
  await owner.send(new CreateRoleAliasCommand(alias));
  const files = { cert: join(server.dataDir, 'd.crt'), key: join(server.dataDir, 'd.key') };
  writeFileSync(files.cert, device.certPem);
  writeFileSync(files.key, device.keyPem);
  const given = { ...device, ...files };
  assert.equal((await ask(server, 'fleet', given)).status, 200);
  await register(stranger, device.certPem);
  assert.equal((await ask(server, 'fleet', given)).status, 200);
  await activate(owner, device.certificateId, 'INACTIVE');
  assert.equal((await ask(server, 'fleet', given)).status, 403);
});

test('the name of an authorizer is that of the account that had it first, and the home account takes it from nobody', async () => {
  await using bench = await open(['--outgoing-allow', '127.0.0.1']);
  const { server, owner, stranger } = bench;
  const answer = () => ({ isAuthenticated: true, principalId: 'p', policyDocuments: [JSON.parse(all)] });
  await using owners = await HttpFunction.open(answer);
  await using strangers = await HttpFunction.open(answer);
  const create = (iot: IoTClient, { url }: HttpFunction, status: 'ACTIVE' | 'INACTIVE') => {
    const input = { authorizerName: 'acme', authorizerFunctionArn: url, signingDisabled: true, status };
    return iot.send(new CreateAuthorizerCommand(input));
  };
  const set = (iot: IoTClient, status: 'ACTIVE' | 'INACTIVE') =>
    iot.send(new UpdateAuthorizerCommand({ authorizerName: 'acme', status }));
  const asked = async (): Promise<boolean> => {
    const port = server.ports.https;
    const credentials = { username: 'x?x-amz-customauthorizer-name=acme', password: Buffer.from('secret') };
    const tls = { ALPNProtocols: ['mqtt'] };
    const { device, answer } = await DeviceConnection.connect(server, 5, 'd', { port, tls }, credentials);
    device.socket.destroy();
    return answer.cmd === 'connack' && answer.reasonCode === 0;
  };
  await create(owner, owners, 'ACTIVE');
  assert.equal(await asked(), true);
  await create(stranger, strangers, 'INACTIVE');
  assert.equal(await asked(), true, 'beside one at home that is INACTIVE');
  await set(stranger, 'ACTIVE');
  assert.equal(await asked(), true, 'beside one at home that is ACTIVE');
  assert.equal(owners.invocations.length, 3);
  await set(owner, 'INACTIVE');
  assert.equal(await asked(), false);
  const refusal = await server.logged(({ event, check }) => event === 'refused' && check === 'authorizer');
  assert.equal(refusal.accountId, OWNER);
  assert.equal(strangers.invocations.length, 0, 'the credentials are shown to nobody else');
});
