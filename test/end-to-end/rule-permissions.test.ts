/**
 * Whose permissions a rule acts with: those of the role that it names, whatever service its action calls, and never those of the
 * account's root (developer guide, page iot-create-role; docs/decisions/rules-act-as-roles.md).
 */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateRoleCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam';
import { type Action, CreateTopicRuleCommand, type TopicRulePayload } from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { DeviceConnection } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, allow, arn, makeDevice, makePolicy } from './devices.ts';
import { HttpReceiver, type Received } from './http-receiver.ts';
import { clientOf, iamOf, makeRole, makeUser, putRolePolicy, type TestUser } from './identities.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const EVERYBODY = ['--outgoing-allow', '127.0.0.1', '--outgoing-allow', '::1'];

/** Sends a request that a receiver got on to the server, as it came. */
function sendOn(server: TestServer, { method, path, headers, body }: Received): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.ports.api, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const rule = (
  { iot }: Pick<TestUser, 'iot'>,
  ruleName: string,
  actions: Action[],
  more: Partial<TopicRulePayload> = {},
): Promise<unknown> => {
  const topicRulePayload = { sql: `SELECT * FROM '${ruleName}'`, awsIotSqlVersion: '2016-03-23', actions, ...more };
  return iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload }));
};

/** Why the rule of this name failed. */
const reasonOf = (server: TestServer, ruleName: string): Promise<string> =>
  server.logged((line) => line.event === 'rule-failed' && line.ruleName === ruleName).then(({ reason }) => String(reason));

describe('an http action with sigv4', () => {
  let server: TestServer;
  let receiver: HttpReceiver;
  let narrow: TestUser;
  let port: string;

  before(async () => {
    server = await startServer({ args: ['--log-level', 'warn', ...EVERYBODY] });
    receiver = await HttpReceiver.open();
    port = new URL(receiver.url).port;
    narrow = await makeUser(server, 'narrow', [allow(['iot:CreateTopicRule', 'iot:Publish', 'iam:PassRole'], '*')]);
  });
  after(async () => {
    await receiver[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** A rule whose action posts what is published, signed for the service; the request that the receiver got. */
  async function posted(ruleName: string, host: string, serviceName: string, roleArn: string, text: string, path = '/') {
    const url = `http://${host}:${port}${path}`;
    const auth = { sigv4: { signingRegion: 'us-east-1', serviceName, roleArn } };
    const headers = [{ key: 'content-type', value: 'application/x-www-form-urlencoded' }];
    await rule(narrow, ruleName, [{ http: { url, auth, headers } }]);
    const isConfirmation = ({ headers: { 'x-amz-rules-engine-message-type': type } }: Received): boolean => type !== undefined;
    for (const { body } of receiver.received.splice(0).filter(isConfirmation))
      await fetch((JSON.parse(body) as { enableUrl: string }).enableUrl);
    const asked = await until('the destination', () => receiver.received.find(isConfirmation), 200).catch(() => undefined);
    if (asked !== undefined) await fetch((JSON.parse(asked.body) as { enableUrl: string }).enableUrl);
    await narrow.iotData.send(new PublishCommand({ topic: ruleName, payload: Buffer.from(text), qos: 1 }));
    return receiver.got((got) => !isConfirmation(got) && got.body === text);
  }

  test('is signed with temporary credentials of the role, and no road to the rights of root', async () => {
    const empty = await makeRole(server, 'empty');
    const form =
      'Action=AttachUserPolicy&Version=2010-05-08&UserName=narrow&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess';
    const got = await posted('other', 'hook.localhost', 'iam', empty, form);
    const { authorization = '', 'x-amz-security-token': token = '' } = got.headers;
    assert.match(
      authorization,
      /Credential=ASIA\w+\/\d{8}\/us-east-1\/iam\/aws4_request, SignedHeaders=[a-z0-9;-]*x-amz-security-token/,
    );
    assert.ok(!authorization.includes(server.credentials().accessKeyId));
    assert.notEqual(token, '');
    // The Host that was signed is none of the server's names.
    const refused = await sendOn(server, got);
    assert.equal(refused.status, 403);
    assert.match(
      refused.text,
      /The signed Host .{0,12}hook\.localhost.{0,12} is no name of this server.*--endpoint hook\.localhost/,
    );
    // A host that is: then it is the role that asks.
    const named = await posted('own', 'localhost', 'iam', empty, `${form}&Again=1`);
    const denied = await sendOn(server, named);
    assert.equal(denied.status, 403);
    assert.match(denied.text, /assumed-role\/empty\/own is not authorized to perform: iam:AttachUserPolicy/);
    await assert.rejects(new IAMClient(clientOf(server, narrow.credentials)).send(new ListUsersCommand({})), {
      name: /AccessDenied/,
    });
  });

  test('has the permissions of the role where it is the server that gets it', async () => {
    const lister = await makeRole(server, 'lister', [allow('iot:Publish', arn('topic/from-role'))]);
    const got = await posted('lists', 'localhost', 'iotdata', lister, 'hello', '/topics/from-role');
    assert.equal((await sendOn(server, got)).status, 200);
  });

  test('is refused for a role that does not trust AWS IoT, and for one that IAM does not keep', async () => {
    const untrusting = await makeRole(server, 'untrusting', [], 'lambda.amazonaws.com');
    for (const [ruleName, roleArn, iot, reason] of [
      ['untrusting', untrusting, narrow.iot, /does not let iot\.amazonaws\.com assume the role/],
      ['unkept', `arn:aws:iam::${ACCOUNT}:role/nobody`, server.iot, /IAM keeps no role .*role\/nobody: there are no credentials/],
    ] as const) {
      const auth = { sigv4: { signingRegion: 'us-east-1', serviceName: 'iam', roleArn } };
      await rule({ iot }, ruleName, [
        { http: { url: `http://localhost:${port}/${ruleName}`, confirmationUrl: `http://localhost:${port}/`, auth } },
      ]);
      await server.iotData.send(new PublishCommand({ topic: ruleName, payload: Buffer.from('x'), qos: 1 }));
      assert.match(await reasonOf(server, ruleName), reason);
    }
    assert.ok(!receiver.received.some(({ path }) => path === '/unkept' || path === '/untrusting'));
    await assert.rejects(
      rule(narrow, 'sly', [{ sqs: { roleArn: `arn:aws:iam::${ACCOUNT}:role/nobody`, queueUrl: 'http://q/1' } }]),
      { name: 'InvalidRequestException', message: /does not exist/ },
    );
  });
});

test('cloudwatchLogs writes to the log groups that its role allows, and to no other', async () => {
  await using server = await startServer({ args: ['--log-level', 'warn'] });
  const logs = new CloudWatchLogsClient(clientOf(server, server.credentials()));
  for (const logGroupName of ['own', 'secret']) await logs.send(new CreateLogGroupCommand({ logGroupName }));
  const stream = (group: string): string => `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${group}:log-stream:*`;
  const writer = await makeRole(server, 'writer', [allow(['logs:PutLogEvents', 'logs:CreateLogStream'], stream('own'))]);
  const putter = await makeRole(server, 'putter', [allow('logs:PutLogEvents', stream('own'))]);
  const user = await makeUser(server, 'user', [allow(['iot:CreateTopicRule', 'iot:Publish', 'iam:PassRole'], '*')]);
  const unkept = `arn:aws:iam::${ACCOUNT}:role/nobody`;
  await rule(user, 'allowed', [{ cloudwatchLogs: { roleArn: writer, logGroupName: 'own' } }]);
  await rule(user, 'denied', [{ cloudwatchLogs: { roleArn: writer, logGroupName: 'secret' } }]);
  await rule(user, 'streamless', [{ cloudwatchLogs: { roleArn: putter, logGroupName: 'own' } }]);
  await rule(server, 'unkept', [{ cloudwatchLogs: { roleArn: unkept, logGroupName: 'own' } }]);
  for (const topic of ['allowed', 'denied', 'streamless', 'unkept'])
    await user.iotData.send(new PublishCommand({ topic, payload: Buffer.from(`"${topic}"`), qos: 1 }));
  const messages = async (logGroupName: string) =>
    (await logs.send(new FilterLogEventsCommand({ logGroupName }))).events?.map(({ message }) => message) ?? [];
  await until('the event', async () => ((await messages('own')).length > 0 ? true : undefined));
  assert.match(
    await reasonOf(server, 'denied'),
    /role\/writer does not allow logs:PutLogEvents on .*:log-group:secret:log-stream:denied/,
  );
  assert.match(await reasonOf(server, 'streamless'), /role\/putter does not allow logs:CreateLogStream/);
  assert.match(await reasonOf(server, 'unkept'), /IAM keeps no role/);
  assert.deepEqual([await messages('own'), await messages('secret')], [['"allowed"'], []]);
});

/** One action of each kind that acts with a role, and the right that the role must have. */
const q = 'http://sqs.us-east-1.amazonaws.com/000000000000/q';
const entries = [
  { assetId: 'a', propertyId: 'p', propertyValues: [{ value: { stringValue: 'v' }, timestamp: { timeInSeconds: '1' } }] },
];
const dimensions = [{ name: 'd', value: 'v' }];
const at = (service: string, resource: string): string => `arn:aws:${service}:us-east-1:${ACCOUNT}:${resource}`;
const search = (url: string) => ({ endpoint: url, index: 'i', type: 't', id: 'x' });
const ACTIONS: readonly (readonly [kind: string, parameters: (url: string) => object, action: string, resource: string])[] = [
  [
    'cloudwatchAlarm',
    () => ({ alarmName: 'a', stateReason: 'r', stateValue: 'OK' }),
    'cloudwatch:SetAlarmState',
    at('cloudwatch', 'alarm:a'),
  ],
  ['cloudwatchLogs', () => ({ logGroupName: 'g' }), 'logs:PutLogEvents', at('logs', 'log-group:g:log-stream:cloudwatchLogs')],
  [
    'cloudwatchMetric',
    () => ({ metricNamespace: 'n', metricName: 'm', metricValue: '1', metricUnit: 'None' }),
    'cloudwatch:PutMetricData',
    '*',
  ],
  ['dynamoDB', () => ({ tableName: 't', hashKeyField: 'k', hashKeyValue: 'v' }), 'dynamodb:PutItem', at('dynamodb', 'table/t')],
  ['dynamoDBv2', () => ({ putItem: { tableName: 't' } }), 'dynamodb:PutItem', at('dynamodb', 'table/t')],
  ['elasticsearch', search, 'es:ESHttpPut', at('es', 'domain/127.0.0.1/i/t/x')],
  ['firehose', () => ({ deliveryStreamName: 'f' }), 'firehose:PutRecord', at('firehose', 'deliverystream/f')],
  ['iotAnalytics', () => ({ channelName: 'c' }), 'iotanalytics:BatchPutMessage', at('iotanalytics', 'channel/c')],
  ['iotEvents', () => ({ inputName: 'i' }), 'iotevents:BatchPutMessage', at('iotevents', 'input/i')],
  [
    'iotSiteWise',
    () => ({ putAssetPropertyValueEntries: entries }),
    'iotsitewise:BatchPutAssetPropertyValue',
    at('iotsitewise', 'asset/a'),
  ],
  ['kinesis', () => ({ streamName: 's', partitionKey: 'k' }), 'kinesis:PutRecord', at('kinesis', 'stream/s')],
  [
    'location',
    () => ({ trackerName: 't', deviceId: 'd', latitude: '1', longitude: '2' }),
    'geo:BatchUpdateDevicePosition',
    at('geo', 'tracker/t'),
  ],
  ['openSearch', search, 'es:ESHttpPut', at('es', 'domain/127.0.0.1/i/t/x')],
  ['s3', () => ({ bucketName: 'b', key: 'k/l' }), 's3:PutObject', 'arn:aws:s3:::b/k/l'],
  ['sns', () => ({ targetArn: at('sns', 't') }), 'sns:Publish', at('sns', 't')],
  ['sqs', () => ({ queueUrl: q }), 'sqs:SendMessage', at('sqs', 'q')],
  ['stepFunctions', () => ({ stateMachineName: 'm' }), 'states:StartExecution', at('states', 'stateMachine:m')],
  [
    'timestream',
    () => ({ databaseName: 'd', tableName: 't', dimensions }),
    'timestream:WriteRecords',
    at('timestream', 'database/d/table/t'),
  ],
];

describe('every action that names a role', () => {
  let server: TestServer;
  let receiver: HttpReceiver;
  let sender: DeviceConnection;
  let role: string;
  const folder = temporaryFolder();

  before(async () => {
    receiver = await HttpReceiver.open();
    const file = join(folder, 'keys');
    writeFileSync(
      file,
      '[sqs]\naws_access_key_id = AKIAOPERATORSOWNKEY0\naws_secret_access_key = secret\n[default]\naws_access_key_id = AKIAOPERATORSDEFAULT\naws_secret_access_key = secret\n',
    );
    server = await startServer({
      args: ['--log-level', 'warn', '--action-endpoints', `*=${receiver.url}`, '--action-credentials', file],
    });
    await makePolicy(server, 'all', ALLOW_ALL);
    role = await makeRole(server, 'acts');
    sender = await DeviceConnection.admitted(server, 4, 'sender', await makeDevice(server, 'device', 'all'));
  });
  after(async () => {
    sender.socket.destroy();
    await server[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  for (const [kind, parameters, action, resource] of ACTIONS)
    test(`${kind} needs ${action}, and then signs with the operator's key for the service`, async () => {
      const given = { [kind]: { roleArn: role, ...parameters(receiver.url) } } as unknown as Action;
      await rule(server, kind, [given], { errorAction: { republish: { roleArn: `${role}-unkept`, topic: `failed/${kind}` } } });
      sender.publish(kind, '{"a":1}');
      assert.ok((await reasonOf(server, kind)).includes(`the role ${role} does not allow ${action} on ${resource}`));
      assert.deepEqual(receiver.received, []);
      await putRolePolicy(server, 'acts', [allow(action, resource)]);
      sender.publish(kind, '{"a":2}');
      const got = await until('the request', () => receiver.received[0]);
      assert.match(String(got.headers.authorization), kind === 'sqs' ? /AKIAOPERATORSOWNKEY0/ : /AKIAOPERATORSDEFAULT/);
      // What was tried again has come before the next kind.
      await putRolePolicy(server, 'acts', [allow('iot:Publish', 'arn:aws:iot:us-east-1:0:topic/none')]);
      receiver.received.length = 0;
    });

  test('every other kind is known to act without one', async () => {
    const { ACTIONS: all } = await import('../../packages/server/src/rules/actions/action-types.ts');
    const withRole = new Set(ACTIONS.map(([kind]) => kind));
    const without = Object.keys(all).filter((kind) => !withRole.has(kind));
    assert.deepEqual(without.sort(), ['http', 'kafka', 'lambda', 'republish', 'salesforce']);
  });
});

test('without keys of the operator a service is asked with the credentials of the role, and never with a key of this server', async () => {
  await using receiver = await HttpReceiver.open();
  await using server = await startServer({
    args: ['--log-level', 'warn', '--action-endpoints', `sqs=${receiver.url},dynamodb=${receiver.url}`],
  });
  const role = await makeRole(server, 'sends', [allow(['sqs:SendMessage', 'dynamodb:GetItem'], '*')]);
  const unkept = `arn:aws:iam::${ACCOUNT}:role/nobody`;
  const table = `SELECT get_dynamodb('t', 'k', 'v', '${role}') AS t FROM 'table'`;
  await rule(server, 'kept', [{ sqs: { roleArn: role, queueUrl: q } }]);
  await rule(server, 'unkept', [{ sqs: { roleArn: unkept, queueUrl: q } }]);
  await rule(server, 'odd', [{ sqs: { roleArn: role, queueUrl: `${q}?x=/other` } }]);
  await rule(server, 'table', [{ republish: { roleArn: unkept, topic: 'out' } }], { sql: table });
  const root = server.credentials().accessKeyId;
  for (const [topic, key] of [
    ['kept', /Credential=ASIA/],
    ['unkept', /Credential=THINGKEEP/],
    ['table', /Credential=ASIA/],
  ] as const) {
    receiver.received.length = 0;
    await server.iotData.send(new PublishCommand({ topic, payload: Buffer.from('{}'), qos: 1 }));
    const { headers } = await until('the request', () => receiver.received[0]);
    assert.match(String(headers.authorization), key);
    assert.equal(headers['x-amz-security-token'] === undefined, topic === 'unkept');
    assert.ok(!String(headers.authorization).includes(root));
  }
  await server.iotData.send(new PublishCommand({ topic: 'odd', payload: Buffer.from('{}'), qos: 1 }));
  assert.match(await reasonOf(server, 'odd'), /the queueUrl is no URL of a queue/);
  await putRolePolicy(server, 'sends', [allow('sqs:SendMessage', '*')]);
  receiver.received.length = 0;
  await server.iotData.send(new PublishCommand({ topic: 'table', payload: Buffer.from('{}'), qos: 1 }));
  assert.match(await reasonOf(server, 'table'), /get_dynamodb: the role .* does not allow dynamodb:GetItem on .*table\/t/);
  assert.deepEqual(receiver.received, []);
});

test('a role that trusts AWS IoT for one rule is that rule’s alone (IAM user guide, page confused-deputy)', async () => {
  await using receiver = await HttpReceiver.open();
  await using server = await startServer({ args: ['--log-level', 'warn', '--action-endpoints', `sqs=${receiver.url}`] });
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'iot.amazonaws.com' },
    Action: 'sts:AssumeRole',
    Condition: { ArnEquals: { 'aws:SourceArn': arn('rule/one') }, StringEquals: { 'aws:SourceAccount': ACCOUNT } },
  };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await iamOf(server).send(new CreateRoleCommand({ RoleName: 'of-one', AssumeRolePolicyDocument }));
  await putRolePolicy(server, 'of-one', [allow('sqs:SendMessage', '*')]);
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/of-one`;
  for (const ruleName of ['one', 'two']) await rule(server, ruleName, [{ sqs: { roleArn, queueUrl: q } }]);
  for (const topic of ['one', 'two'])
    await server.iotData.send(new PublishCommand({ topic, payload: Buffer.from(`"${topic}"`), qos: 1 }));
  assert.match(
    await reasonOf(server, 'two'),
    /The trust policy of \S+role\/of-one does not let iot\.amazonaws\.com assume the role/,
  );
  const { body } = await until('the request', () => receiver.received[0]);
  assert.match(body, /one/);
  assert.equal(receiver.received.length, 1);
});
