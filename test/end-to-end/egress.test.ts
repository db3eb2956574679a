/**
 * Where the words of a user may lead: to the internet alone, unless the operator or the root of the home account chose the
 * address (docs/decisions/egress.md).
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import {
  type Action,
  CreateAuthorizerCommand,
  CreateDomainConfigurationCommand,
  CreateTopicRuleCommand,
  CreateTopicRuleDestinationCommand,
  EnableTopicRuleCommand,
  GetTopicRuleDestinationCommand,
  ReplaceTopicRuleCommand,
  TestInvokeAuthorizerCommand,
  UpdateAuthorizerCommand,
  UpdateDomainConfigurationCommand,
} from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import type { IPublishPacket } from 'mqtt-packet';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, allow, type Device, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { HttpFunction } from './http-function.ts';
import { HttpReceiver } from './http-receiver.ts';
import { makeRole, makeUser, type TestUser } from './identities.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { until } from './until.ts';

const isConfirmation = ({ headers }: { headers: object }): boolean => 'x-amz-rules-engine-message-type' in headers;

describe('for a user with every right but the root of the home account', () => {
  let server: TestServer;
  let receiver: HttpReceiver;
  let user: TestUser;
  let role: string;
  let device: Device;
  let count = 0;

  before(async () => {
    receiver = await HttpReceiver.open();
    server = await startServer({ args: ['--log-level', 'warn'] });
    role = await makeRole(server, 'publisher', [allow('iot:Publish', '*')]);
    user = await makeUser(server, 'admin', [allow('*', '*')]);
    await makePolicy(server, 'all', ALLOW_ALL);
    device = await makeDevice(server, 'device', 'all');
  });
  after(async () => {
    await receiver[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const put = async (by: Pick<TestUser, 'iot'>, actions: Action[], sql?: string): Promise<string> => {
    count += 1;
    const ruleName = `r${count}`;
    const errorAction = { republish: { roleArn: role, topic: `failed/${ruleName}` } };
    const topicRulePayload = { sql: sql ?? `SELECT * FROM '${ruleName}'`, awsIotSqlVersion: '2016-03-23', actions, errorAction };
    await by.iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload }));
    return ruleName;
  };

  /** What the error action of a rule is told of a message. */
  async function failureOf(ruleName: string, payload = '{}'): Promise<string> {
    using listener = await DeviceConnection.admitted(server, 4, `l-${ruleName}`, device);
    listener.subscribe(`failed/${ruleName}`);
    assert.equal((await listener.next()).cmd, 'suback');
    await server.iotData.send(new PublishCommand({ topic: ruleName, payload: Buffer.from(payload), qos: 1 }));
    const told = (await listener.next(20_000)) as IPublishPacket;
    return (JSON.parse(told.payload.toString()) as { failures: { errorMessage: string }[] }).failures[0]?.errorMessage ?? '';
  }

  test('a destination on this machine, or on its listeners, is not asked for its confirmation; the reason names the flag', async () => {
    const { port } = new URL(receiver.url);
    const urls = [
      `http://127.0.0.1:${port}/`,
      `http://localhost:${port}/`,
      `http://a.localhost:${port}/`,
      `http://2130706433:${port}/`,
      `http://0x7f.1:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://0.0.0.0:${port}/`,
      'http://169.254.169.254/latest/',
      'http://10.0.0.1/',
      `http://127.0.0.1:${server.ports.api}/health`,
    ];
    for (const confirmationUrl of urls) {
      const made = await user.iot.send(
        new CreateTopicRuleDestinationCommand({ destinationConfiguration: { httpUrlConfiguration: { confirmationUrl } } }),
      );
      const arn = made.topicRuleDestination?.arn;
      const found = await until(confirmationUrl, async () => {
        const { topicRuleDestination } = await user.iot.send(new GetTopicRuleDestinationCommand({ arn }));
        return topicRuleDestination?.status === 'ERROR' ? topicRuleDestination : undefined;
      });
      assert.match(found.statusReason ?? '', /--outgoing-allow [^ ]+:\d+$/, confirmationUrl);
    }
    assert.deepEqual(receiver.received, []);
  });

  /** A destination that the root has made and that its owner has confirmed: it covers what users send there too. */
  test('a destination of the root lets nobody else through', async () => {
    await put(server, [{ http: { url: `${receiver.url}/` } }]);
    const asked = await receiver.got(isConfirmation);
    assert.equal((await fetch((JSON.parse(asked.body) as { enableUrl: string }).enableUrl)).status, 200);
    receiver.received.length = 0;

    const reason = /127\.0\.0\.1 is not of the internet \(loopback, RFC 1122\); .*--outgoing-allow 127\.0\.0\.1:\d+$/;
    assert.match(await failureOf(await put(user, [{ http: { url: `${receiver.url}/` } }])), reason);
    assert.match(await failureOf(await put(user, [{ lambda: { functionArn: `${receiver.url}/f` } }])), reason);
    // The root's own rule, where a message says the host.
    for (const action of [
      { http: { url: 'http://${host}/', confirmationUrl: 'http://${host}/' } },
      { lambda: { functionArn: '${url}' } },
      { lambda: { functionArn: 'http://${host}/' } },
    ]) {
      const payload = JSON.stringify({ host: new URL(receiver.url).host, url: `${receiver.url}/` });
      assert.match(await failureOf(await put(server, [action]), payload), /--outgoing-allow/, JSON.stringify(action));
    }
    assert.deepEqual(receiver.received, []);
  });

  test('what the root wrote goes on until somebody else has replaced it; to enable it is no writing', async () => {
    const ruleName = await put(server, [{ http: { url: `${receiver.url}/\${n}`, confirmationUrl: `${receiver.url}/` } }]);
    await user.iot.send(new EnableTopicRuleCommand({ ruleName }));
    await server.iotData.send(new PublishCommand({ topic: ruleName, payload: Buffer.from('{"n":1}'), qos: 1 }));
    await receiver.got(({ path }) => path === '/1');
    const errorAction = { republish: { roleArn: role, topic: `failed/${ruleName}` } };
    const actions = [{ http: { url: `${receiver.url}/\${n}`, confirmationUrl: `${receiver.url}/` } }];
    const topicRulePayload = { sql: `SELECT * FROM '${ruleName}'`, awsIotSqlVersion: '2016-03-23', actions, errorAction };
    await user.iot.send(new ReplaceTopicRuleCommand({ ruleName, topicRulePayload }));
    assert.match(await failureOf(ruleName, '{"n":2}'), /--outgoing-allow/);
    assert.ok(!receiver.received.some(({ path }) => path === '/2'));
  });

  test('aws_lambda: a URL in the SQL is its author’s word, a computed one is nobody’s', async () => {
    receiver.answer = ({ path }) => (path === '/f' ? '"called"' : '');
    const out = [{ republish: { roleArn: role, topic: 'out' } }];
    using listener = await DeviceConnection.admitted(server, 4, 'lambda', device);
    listener.subscribe('out');
    assert.equal((await listener.next()).cmd, 'suback');
    const answer = async (by: Pick<TestUser, 'iot'>, url: string): Promise<string> => {
      const ruleName = `r${count + 1}`;
      await put(by, out, `SELECT aws_lambda(${url}, {'a': 1}) AS f, 1 AS n FROM '${ruleName}'`);
      const payload = Buffer.from(JSON.stringify({ url: `${receiver.url}/f` }));
      await server.iotData.send(new PublishCommand({ topic: ruleName, payload, qos: 1 }));
      return ((await listener.next()) as IPublishPacket).payload.toString();
    };
    assert.equal(await answer(server, `'${receiver.url}/f'`), '{"f":"called","n":1}');
    const before = receiver.received.length;
    assert.equal(await answer(user, `'${receiver.url}/f'`), '{"n":1}');
    assert.equal(await answer(server, 'url'), '{"n":1}');
    assert.equal(await answer(server, `concat('${receiver.url}', '/f')`), '{"n":1}');
    assert.equal(receiver.received.length, before);
    await server.logged(({ event, reason }) => event === 'rule-failed' && /^aws_lambda: .*--outgoing-allow/.test(String(reason)));
  });

  test('authorizers: who wrote the URL counts, at creation and at each change of it', async () => {
    const granted = { isAuthenticated: true, principalId: 'p', policyDocuments: [policyDocument([allow('iot:*', '*')])] };
    await using there = await HttpFunction.open(() => granted);
    const authorizer = { signingDisabled: true, authorizerFunctionArn: there.url };
    const invoke = (authorizerName: string) => server.iot.send(new TestInvokeAuthorizerCommand({ authorizerName, token: 't' }));
    const refused = (authorizerName: string) =>
      assert.rejects(invoke(authorizerName), { message: /loopback.*--outgoing-allow 127\.0\.0\.1:\d+/ });
    await user.iot.send(new CreateAuthorizerCommand({ authorizerName: 'users', ...authorizer }));
    await server.iot.send(new CreateAuthorizerCommand({ authorizerName: 'roots', ...authorizer }));
    await refused('users');
    assert.equal((await invoke('roots')).isAuthenticated, true);
    await user.iot.send(new UpdateAuthorizerCommand({ authorizerName: 'roots', status: 'INACTIVE' }));
    assert.equal((await invoke('roots')).isAuthenticated, true);
    await user.iot.send(new UpdateAuthorizerCommand({ authorizerName: 'roots', authorizerFunctionArn: `${there.url}x` }));
    await refused('roots');
    await server.iot.send(new UpdateAuthorizerCommand({ authorizerName: 'users', authorizerFunctionArn: there.url }));
    assert.equal((await invoke('users')).isAuthenticated, true);
    assert.equal(there.invocations.length, 3);
  });

  test('certificate callbacks of domains: the same', async () => {
    await using there = await HttpFunction.open(() => ({ isAuthenticated: true }));
    const config = { authenticationType: 'AWS_X509', applicationProtocol: 'SECURE_MQTT' } as const;
    const callback = { clientCertificateConfig: { clientCertificateCallbackArn: there.url } };
    const domain = async (by: Pick<TestUser, 'iot'>, name: string): Promise<string> => {
      const domainName = `${name}.example`;
      await by.iot.send(
        new CreateDomainConfigurationCommand({ domainConfigurationName: name, domainName, ...config, ...callback }),
      );
      return domainName;
    };
    const login = (servername: string) =>
      DeviceConnection.connect(server, 4, 'd', { ...device, tls: { servername } }).then(({ device: opened, answer }) => {
        opened.socket.destroy();
        return answer.cmd === 'connack' && 'returnCode' in answer && answer.returnCode === 0;
      });
    const [users, roots] = [await domain(user, 'users'), await domain(server, 'roots')];
    assert.equal(await login(users), false);
    assert.equal(await login(roots), true);
    const line = await server.logged(({ event, reason }) => event === 'refused' && /certificate callback/.test(String(reason)));
    assert.match(String(line.reason), /--outgoing-allow 127\.0\.0\.1:\d+/);
    await user.iot.send(new UpdateDomainConfigurationCommand({ domainConfigurationName: 'roots', ...callback }));
    assert.equal(await login(roots), false);
    assert.equal(there.invocations.length, 1);
  });
});

test('no redirect is followed, whoever wrote the rule', async () => {
  await using receiver = await HttpReceiver.open();
  await using server = await startServer({ args: ['--log-level', 'warn', '--http-destinations', `${receiver.url}/hook/`] });
  const role = await makeRole(server, 'publisher', [allow('iot:Publish', '*')]);
  receiver.status = ({ path }) => (path === '/hook/a' ? 307 : 200);
  receiver.location = `${receiver.url}/inner`;
  const rule = (ruleName: string, action: Action) =>
    server.iot.send(
      new CreateTopicRuleCommand({
        ruleName,
        topicRulePayload: { sql: `SELECT * FROM '${ruleName}'`, awsIotSqlVersion: '2016-03-23', actions: [action] },
      }),
    );
  await rule('posts', {
    http: { url: `${receiver.url}/hook/a`, auth: { sigv4: { signingRegion: 'us-east-1', serviceName: 's', roleArn: role } } },
  });
  await rule('calls', { lambda: { functionArn: `${receiver.url}/hook/a` } });
  for (const topic of ['posts', 'calls'])
    await server.iotData.send(new PublishCommand({ topic, payload: Buffer.from('{}'), qos: 1 }));
  for (const ruleName of ['posts', 'calls']) {
    const { reason } = await server.logged((line) => line.event === 'rule-failed' && line.ruleName === ruleName);
    assert.match(String(reason), /status 307/);
  }
  assert.deepEqual(new Set(receiver.received.map(({ path }) => path)), new Set(['/hook/a']));
});

test('what the operator names is reached by all: --http-destinations at and below a URL, --outgoing-allow', async () => {
  await using named = await HttpReceiver.open();
  await using allowed = await HttpReceiver.open();
  await using other = await HttpReceiver.open();
  const args = [
    '--log-level',
    'warn',
    '--http-destinations',
    `${named.url}/hook/`,
    '--outgoing-allow',
    new URL(allowed.url).host,
  ];
  await using server = await startServer({ args });
  const user = await makeUser(server, 'user', [allow('iot:*', '*')]);
  const rule = (ruleName: string, url: string) => {
    const topicRulePayload = { sql: `SELECT * FROM '${ruleName}'`, awsIotSqlVersion: '2016-03-23', actions: [{ http: { url } }] };
    return user.iot.send(new CreateTopicRuleCommand({ ruleName, topicRulePayload }));
  };
  await rule('named', `${named.url}/hook/a`);
  await rule('beside', `${named.url}/other`);
  await rule('above', `${named.url}/hook/%2e%2e/other`);
  await rule('allowed', `${allowed.url}/a`);
  await rule('other', `${other.url}/a`);
  const { body } = await allowed.got(isConfirmation);
  await fetch((JSON.parse(body) as { enableUrl: string }).enableUrl);
  for (const topic of ['named', 'beside', 'above', 'allowed', 'other'])
    await user.iotData.send(new PublishCommand({ topic, payload: Buffer.from('{}'), qos: 1 }));
  await named.got(({ path }) => path === '/hook/a');
  await allowed.got(({ path }) => path === '/a');
  for (const ruleName of ['beside', 'above', 'other'])
    await server.logged((line) => line.event === 'rule-failed' && line.ruleName === ruleName);
  assert.deepEqual([named.received.map(({ path }) => path), other.received], [['/hook/a'], []]);
});

test('the root of another account than the home account is not exempt, on whatever server its rule was made', async () => {
  const dataDir = temporaryFolder();
  await using receiver = await HttpReceiver.open();
  try {
    let device: Device;
    {
      await using server = await startServer({ dataDir, args: ['--log-level', 'warn'] });
      await makePolicy(server, 'all', ALLOW_ALL);
      device = await makeDevice(server, 'device', 'all');
      const actions: Action[] = [{ http: { url: `${receiver.url}/a` } }];
      const topicRulePayload = { sql: "SELECT * FROM 'a'", awsIotSqlVersion: '2016-03-23', actions };
      await server.iot.send(new CreateTopicRuleCommand({ ruleName: 'a', topicRulePayload }));
      const { body } = await receiver.got(isConfirmation);
      assert.equal((await fetch((JSON.parse(body) as { enableUrl: string }).enableUrl)).status, 200);
    }
    await using server = await startServer({ dataDir, args: ['--log-level', 'warn', '--account-id', '111111111111'] });
    using sender = await DeviceConnection.admitted(server, 4, 'sender', device);
    sender.publish('a', '{}', { qos: 1 });
    assert.equal((await sender.next()).cmd, 'puback');
    const { reason } = await server.logged(({ event, ruleName }) => event === 'rule-failed' && ruleName === 'a');
    assert.match(String(reason), /--outgoing-allow 127\.0\.0\.1:\d+/);
    assert.ok(!receiver.received.some(({ path }) => path === '/a'));
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
