/**
 * Temporary credentials for devices by a role that IAM keeps: the role says what they may do, for the thing that asks
 * (fact 11.2; developer guide, page authorizing-direct-aws). The answers to a role that can't be assumed are those that
 * awslabs' session helper has seen on AWS (aws-iot-core-credential-provider-session-helper, docs/dev_notes.md).
 */
// needs: aws curl
import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { after, before, test } from 'node:test';
import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AttachThingPrincipalCommand,
  CreateRoleAliasCommand,
  CreateThingCommand,
  CreateThingTypeCommand,
  UpdateCertificateCommand,
  UpdateRoleAliasCommand,
} from '@aws-sdk/client-iot';
import mqtt from 'mqtt';
import { ask } from './ask-credentials.ts';
import { awsJson, awsOutcome } from './aws-command.ts';
import { ACCOUNT, allow, arn, type Device, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { type Credentials, presign } from './presign.ts';
import { startServer, type TestServer } from './test-core.ts';
import { within } from './until.ts';

const trust = (Service: string, alias: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT }, ArnEquals: { 'aws:SourceArn': arn(`rolealias/${alias}`) } },
      },
    ],
  });

const PROVIDER = 'credentials.iot.amazonaws.com';
const ROBOTS = [
  allow('iot:Connect', arn('client/${credentials-iot:ThingName}')),
  allow('iot:Publish', arn('topic/${credentials-iot:ThingTypeName}/${credentials-iot:ThingName}/*')),
  allow('iot:DescribeThing', arn('thing/${credentials-iot:ThingName}')),
  allow('iot:DescribeCertificate', arn('cert/${credentials-iot:AwsCertificateId}')),
];

let server: TestServer;
let iam: IAMClient;
before(async () => {
  server = await startServer();
  iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 });
  await server.iot.send(new CreateThingTypeCommand({ thingTypeName: 'arm' }));
  // The certificates themselves may do nothing but ask.
  await makePolicy(server, 'asks', [allow('iot:AssumeRoleWithCertificate', '*')]);
});
after(async () => {
  iam.destroy();
  await server[Symbol.asyncDispose]();
});

/** A role for devices, an alias of the same name, and a device that is a thing of that name too. */
async function makeRobot(name: string, credentialDurationSeconds = 900): Promise<{ device: Device; roleArn: string }> {
  await iam.send(new CreateRoleCommand({ RoleName: name, Path: '/robots/', AssumeRolePolicyDocument: trust(PROVIDER, name) }));
  await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'robots', PolicyDocument: policyDocument(ROBOTS) }));
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/robots/${name}`;
  await server.iot.send(new CreateRoleAliasCommand({ roleAlias: name, roleArn, credentialDurationSeconds }));
  const device = await makeDevice(server, name, 'asks');
  await server.iot.send(new CreateThingCommand({ thingName: name, thingTypeName: 'arm' }));
  await server.iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: device.certificateArn }));
  return { device, roleArn };
}

async function credentialsOf(name: string, device: Device, ...more: string[]): Promise<Required<Credentials>> {
  const { status, credentials, message } = await ask(server, name, device, ...more);
  assert.equal(status, 200, message);
  assert(credentials !== undefined);
  const { expiration: _asText, ...keys } = credentials;
  return keys;
}

const asThing = (name: string): string[] => ['-H', `x-amzn-iot-thingname: ${name}`];

const environment = ({ accessKeyId, secretAccessKey, sessionToken }: Required<Credentials>): Record<string, string> => ({
  ...server.env,
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
});

/** What the aws command says went wrong; empty when nothing did. */
async function outcome(credentials: Required<Credentials>, ...args: string[]): Promise<string> {
  const { code, stderr } = await awsOutcome({ env: environment(credentials) }, ...args);
  return code === 0 ? '' : stderr;
}
const publish = (credentials: Required<Credentials>, topic: string) =>
  outcome(credentials, 'iot-data', 'publish', '--topic', topic, '--qos', '1');

test('the role says what the credentials may do, on every plane, with the variables of the device', async () => {
  const { device } = await makeRobot('ada');
  const credentials = await credentialsOf('ada', device, ...asThing('ada'));
  const identity = await awsJson<Record<string, string>>(environment(credentials), 'sts', 'get-caller-identity');
  assert.equal(identity.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/ada/${device.certificateId}`);
  assert.equal(await publish(credentials, 'arm/ada/state'), '');
  assert.match(await publish(credentials, 'arm/eve/state'), /ForbiddenException.*not authorized to perform: iot:Publish/);
  assert.equal(await outcome(credentials, 'iot', 'describe-thing', '--thing-name', 'ada'), '');
  assert.match(await outcome(credentials, 'iot', 'describe-thing', '--thing-name', 'eve'), /AccessDeniedException/);
  assert.equal(await outcome(credentials, 'iot', 'describe-certificate', '--certificate-id', device.certificateId), '');
  assert.match(await outcome(credentials, 'iot', 'list-things'), /AccessDeniedException/);
  // Who does not say which thing it is has no variables of a thing.
  const nameless = await credentialsOf('ada', device);
  assert.match(await publish(nameless, 'arm/ada/state'), /ForbiddenException/);
  assert.equal(await outcome(nameless, 'iot', 'describe-certificate', '--certificate-id', device.certificateId), '');
});

test('a role that can’t be assumed, or not for so long: AWS’s answers, and the owner finds why', async () => {
  const { device, roleArn } = await makeRobot('bob', 3_601);
  const refused = async (message: string, why: RegExp): Promise<void> => {
    assert.deepEqual(await ask(server, 'bob', device, ...asThing('bob')), { status: 400, message });
    const entry = await server.logged(({ event, reason }) => event === 'refused' && why.test(String(reason)));
    assert.deepEqual([entry.check, entry.certificateId], ['credentials', device.certificateId]);
  };
  const change = (to: object) => server.iot.send(new UpdateRoleAliasCommand({ roleAlias: 'bob', ...to }));
  await refused(
    'The requested CredentialDurationSeconds exceeds the MaxSessionDuration set for the role',
    /MaxSessionDuration set for the role \(/,
  );
  await change({ credentialDurationSeconds: 3_600 });
  await credentialsOf('bob', device);

  const NO_ROLE = 'Unable to assume the role, or the role to assume does not exist';
  for (const document of [trust('iot.amazonaws.com', 'bob'), trust(PROVIDER, 'ada')]) {
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'bob', PolicyDocument: document }));
    await refused(NO_ROLE, /trust policy of .*robots\/bob does not let credentials\.iot/);
  }
  // A session of a role, whoever has assumed it, is not the account's root: a role that nobody keeps gives it nothing.
  await iam.send(new CreateRoleCommand({ RoleName: 'admin', AssumeRolePolicyDocument: rootTrust }));
  const everything = policyDocument([allow('*', '*')]);
  await iam.send(new PutRolePolicyCommand({ RoleName: 'admin', PolicyName: 'all', PolicyDocument: everything }));
  const assume = ['sts', 'assume-role', '--role-arn', `arn:aws:iam::${ACCOUNT}:role/admin`, '--role-session-name', 'carol'];
  const { Credentials: keys } = await awsJson<{ Credentials: Record<string, string> }>(server.env, ...assume);
  const carol = {
    accessKeyId: keys.AccessKeyId ?? '',
    secretAccessKey: keys.SecretAccessKey ?? '',
    sessionToken: keys.SessionToken ?? '',
  };
  const update = ['iot', 'update-role-alias', '--role-alias', 'bob', '--role-arn', `${roleArn}-gone`];
  assert.equal(await outcome(carol, ...update), '');
  await refused(NO_ROLE, /IAM keeps no role .*bob-gone/);
});

const rootTrust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
});

test('a WebSocket by them follows the role and the certificate, whichever changes first', async (t) => {
  const ways: readonly (readonly [string, (name: string, device: Device) => Promise<unknown>])[] = [
    ['policy', (RoleName) => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'robots' }))],
    [
      'certificate',
      (_name, { certificateId }) => server.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' })),
    ],
  ];
  for (const [name, take] of ways)
    await t.test(name, async () => {
      const { device } = await makeRobot(name);
      const credentials = await credentialsOf(name, device, ...asThing(name));
      const url = await presign(`ws://127.0.0.1:${server.ports.api}`, credentials);
      const connect = (clientId: string) => mqtt.connectAsync(url, { clientId, protocolVersion: 5, reconnectPeriod: 0 }, false);
      await assert.rejects(connect('somebody-else'), /Not authorized/);
      const client = await connect(name);
      await client.publishAsync(`arm/${name}/state`, 'x', { qos: 1 });
      const closed = once(client as unknown as EventEmitter, 'close');
      await take(name, device);
      await within('the end of the connection', closed);
      assert.match(await publish(credentials, `arm/${name}/state`), /ForbiddenException/);
      await client.endAsync(true);
    });
});
