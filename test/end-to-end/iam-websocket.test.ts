/**
 * MQTT over WebSocket by IAM identities: their IAM policies say what they may do, and what is taken from them is taken from
 * the live connection too (developer guide, pages protocols and iam-users-groups-roles; facts 1.5 and 10).
 */
import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { after, before, test } from 'node:test';
import {
  AttachRolePolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  IAMClient,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import mqtt from 'mqtt';
import { ACCOUNT, allow, arn, policyDocument, type Statement } from './devices.ts';
import { type Credentials, presign } from './presign.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until, within } from './until.ts';

/** Milliseconds within which a change must have reached live connections. */
const PROMISED = 1_000;

let server: TestServer;
let iam: IAMClient;
let sts: STSClient;
before(async () => {
  server = await startServer();
  const client = { endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 };
  iam = new IAMClient(client);
  sts = new STSClient(client);
});
after(async () => {
  iam.destroy();
  sts.destroy();
  await server[Symbol.asyncDispose]();
});

const putPolicy = (UserName: string, statements: readonly Statement[]): Promise<unknown> =>
  iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: policyDocument(statements) }));

async function makeUser(UserName: string, statements: readonly Statement[]): Promise<Credentials> {
  await iam.send(new CreateUserCommand({ UserName }));
  await putPolicy(UserName, statements);
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
}

async function connect(credentials: Credentials, clientId: string): Promise<mqtt.MqttClient> {
  const url = await presign(`ws://127.0.0.1:${server.ports.api}`, credentials);
  const options = { clientId, protocolVersion: 5, reconnectPeriod: 0 } as const;
  return within('CONNACK', mqtt.connectAsync(url, options, false));
}

const closed = (client: mqtt.MqttClient): Promise<unknown> =>
  within('the end', once(client as unknown as EventEmitter, 'close'), PROMISED);

/** What a console that minds its own topics is allowed. */
const own = (name: string): Statement[] => [
  allow('iot:Connect', arn(`client/${name}`)),
  allow(['iot:Publish', 'iot:Receive'], arn(`topic/${name}/*`)),
  allow('iot:Subscribe', arn(`topicfilter/${name}/*`)),
];

test('connect, publish, subscribe and receive as the policies say; a wider policy counts on the live connection', async () => {
  const credentials = await makeUser('ann', own('ann'));
  await assert.rejects(connect(credentials, 'other'), /Not authorized/);
  const refusal = await server.logged(({ event, action }) => event === 'refused' && action === 'iot:Connect');
  assert.deepEqual([refusal.principal, refusal.decision], [`arn:aws:iam::${ACCOUNT}:user/ann`, 'IMPLICIT_DENY']);
  const client = await connect(credentials, 'ann');
  try {
    const got = once(client as unknown as EventEmitter, 'message');
    await client.subscribeAsync('ann/in', { qos: 1 });
    await client.publishAsync('ann/in', 'hello', { qos: 1 });
    const [topic, payload] = (await within('the message', got)) as [string, Buffer];
    assert.equal(`${topic} ${payload}`, 'ann/in hello');
    const [granted] = await client.subscribeAsync('bob/in', { qos: 1 }).catch(() => [{ qos: 128 }]);
    assert.equal(granted?.qos, 128);
    await putPolicy('ann', [...own('ann'), allow('iot:Subscribe', arn('topicfilter/bob/*'))]);
    await until('the new right', async () => {
      const [now] = await client.subscribeAsync('bob/in', { qos: 1 }).catch(() => [{ qos: 128 }]);
      return now?.qos === 1 ? true : undefined;
    });
  } finally {
    await client.endAsync(true);
  }
});

test('a policy that no longer lets connect, a key that is Inactive or gone: the live connection ends', async (t) => {
  const ways: readonly (readonly [name: string, take: (id: string) => Promise<unknown>])[] = [
    ['policy', () => putPolicy('policy', [allow('iot:Publish', arn('topic/policy/*'))])],
    [
      'inactive',
      (AccessKeyId) => iam.send(new UpdateAccessKeyCommand({ UserName: 'inactive', AccessKeyId, Status: 'Inactive' })),
    ],
    ['deleted', (AccessKeyId) => iam.send(new DeleteAccessKeyCommand({ UserName: 'deleted', AccessKeyId }))],
  ];
  for (const [name, take] of ways)
    await t.test(name, async () => {
      const credentials = await makeUser(name, own(name));
      const client = await connect(credentials, name);
      const end = closed(client);
      await take(credentials.accessKeyId);
      await end;
      await assert.rejects(connect(credentials, name));
      await client.endAsync(true);
    });
});

test("a role's session: connected, and sent away when the role loses its policy; the root's own connection stays", async () => {
  const PolicyArn = 'arn:aws:iam::aws:policy/AWSIoTDataAccess';
  const trust = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust });
  await iam.send(new CreateRoleCommand({ RoleName: 'console', AssumeRolePolicyDocument }));
  await iam.send(new AttachRolePolicyCommand({ RoleName: 'console', PolicyArn }));
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/console`;
  const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'night' }));
  const credentials = {
    accessKeyId: made?.AccessKeyId ?? '',
    secretAccessKey: made?.SecretAccessKey ?? '',
    sessionToken: made?.SessionToken ?? '',
  };
  const root = await connect(server.credentials(), 'root');
  const client = await connect(credentials, 'night');
  try {
    // The same permissions over HTTPS, on the port for devices.
    const data = new IoTDataPlaneClient({
      endpoint: server.url,
      region: 'us-east-1',
      credentials,
      maxAttempts: 1,
    });
    await data.send(new PublishCommand({ topic: 'any', payload: Buffer.from('x') }));
    const end = closed(client);
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'console', PolicyArn }));
    await end;
    await assert.rejects(data.send(new PublishCommand({ topic: 'any', payload: Buffer.from('x') })), {
      name: 'ForbiddenException',
    });
    data.destroy();
    await iam.send(new DeleteRoleCommand({ RoleName: 'console' }));
    await assert.rejects(connect(credentials, 'night'));
    await root.publishAsync('still', 'here', { qos: 1 });
  } finally {
    await client.endAsync(true);
    await root.endAsync(true);
  }
});
