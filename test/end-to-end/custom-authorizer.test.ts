/**
 * Custom authorizers with real clients and a real function behind HTTP (developer guide, pages custom-auth,
 * custom-auth-lambda, config-custom-auth; facts 1.1, 2.6, 11.1).
 */
// needs: aws curl mosquitto-clients paho
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import {
  ClearDefaultAuthorizerCommand,
  CreateAuthorizerCommand,
  type CreateAuthorizerCommandInput,
  CreateDomainConfigurationCommand,
  ListTagsForResourceCommand,
  SetDefaultAuthorizerCommand,
  TestInvokeAuthorizerCommand,
  UpdateAuthorizerCommand,
} from '@aws-sdk/client-iot';
import { SignatureV4 } from '@smithy/signature-v4';
import { iot, mqtt5 } from 'aws-iot-device-sdk-v2';
import mqtt from 'mqtt';
import { awsJson } from './aws-command.ts';
import { DeviceConnection, type Level } from './device-connection.ts';
import { allow, arn, makeDevice, makePolicy, ownTopics, policyDocument } from './devices.ts';
import { type Answer, HttpFunction } from './http-function.ts';
import { python } from './python-command.ts';
import { run, succeed } from './run-command.ts';
import { type LogLine, startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { within } from './until.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const signatureOf = (token: string): string => sign('sha256', Buffer.from(token), privateKey).toString('base64');

/** Lets everybody in who has the password, with the topics that are their own. */
const byPassword: Answer = ({ event }) => {
  const { clientId = '', password } = event.protocolData.mqtt ?? {};
  if (password !== Buffer.from('secret').toString('base64')) return { isAuthenticated: false };
  return { isAuthenticated: true, principalId: 'owner1', policyDocuments: [JSON.parse(policyDocument(ownTopics(clientId)))] };
};

let server: TestServer;
let fn: HttpFunction;
let ca: Buffer;

const authorizer = async (name: string, more: Partial<CreateAuthorizerCommandInput> = {}): Promise<void> => {
  const input = { authorizerName: name, authorizerFunctionArn: fn.url, status: 'ACTIVE', signingDisabled: true } as const;
  await server.iot.send(new CreateAuthorizerCommand({ ...input, ...more }));
};

before(async () => {
  fn = await HttpFunction.open(byPassword);
  server = await startServer();
  ca = readFileSync(server.rootCa);
  await authorizer('open');
  await authorizer('signed', { signingDisabled: false, tokenKeyName: 'my-token', tokenSigningPublicKeys: { first: PEM } });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
});

const NAMED = 'user?x-amz-customauthorizer-name=open';
const ALPN = ['mqtt'];
const tls = { ALPNProtocols: ALPN };

/** Function for the length of one test. */
async function answering<T>(answer: Answer, work: () => Promise<T>): Promise<T> {
  fn.answer = answer;
  try {
    return await work();
  } finally {
    fn.answer = byPassword;
  }
}

const login = (clientId: string, username = NAMED, password = 'secret', level: Level = 5) =>
  DeviceConnection.connect(
    server,
    level,
    clientId,
    { port: server.ports.https, tls },
    { username, password: Buffer.from(password) },
  );

/** The record of the refusal, after the client has seen what AWS's would (fact 2.6). */
async function refused(clientId: string, check: string, username?: string, password?: string): Promise<LogLine> {
  for (const level of [4, 5] as const) {
    const { device, answer } = await login(clientId, username, password, level);
    if (level === 5) assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0x87);
    else assert.equal(answer.cmd, 'closed');
    device[Symbol.dispose]();
  }
  return server.logged((line) => line.event === 'refused' && line.clientId === clientId && line.check === check);
}

describe('clients', () => {
  for (const protocolVersion of [4, 5] as const)
    test(`MQTT.js, version ${protocolVersion}`, async () => {
      const clientId = `js${protocolVersion}`;
      const options = { ca, clientId, protocolVersion, username: NAMED, password: 'secret', reconnectPeriod: 0, ...tls };
      const client = await within('CONNACK', mqtt.connectAsync(`mqtts://localhost:${server.ports.https}`, options, false));
      const got = once(client as unknown as EventEmitter, 'message');
      await client.subscribeAsync(`devices/${clientId}/hello`, { qos: 1 });
      await client.publishAsync(`devices/${clientId}/hello`, 'by MQTT.js', { qos: 1 });
      const [topic, payload] = (await within('the message', got)) as [string, Buffer];
      assert.equal(`${topic} ${payload}`, `devices/${clientId}/hello by MQTT.js`);
      await client.endAsync(true);

      const [{ event } = assert.fail()] = fn.for(clientId);
      assert.deepEqual(event.protocols, ['tls', 'mqtt']);
      assert.equal(event.signatureVerified, false);
      assert.deepEqual(event.protocolData, {
        tls: { serverName: 'localhost' },
        mqtt: { username: NAMED, password: Buffer.from('secret').toString('base64'), clientId },
      });
      assert.match(event.connectionMetadata.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    });

  for (const [what, query, username] of [
    ['the query', '?x-amz-customauthorizer-name=open', 'user'],
    ['the user name', '', NAMED],
  ] as const)
    for (const port of ['API', 'HTTPS'] as const)
      test(`MQTT.js over WebSocket, named in ${what}, on the ${port} port`, async () => {
        const clientId = `ws-${port}-${query.length}`;
        const { api, https } = server.ports;
        const url = port === 'API' ? `ws://127.0.0.1:${api}/mqtt${query}` : `wss://localhost:${https}/mqtt${query}`;
        const options = { ca, clientId, username, password: 'secret', reconnectPeriod: 0 };
        const client = await within('CONNACK', mqtt.connectAsync(url, options, false));
        await client.publishAsync(`devices/${clientId}/hello`, 'x', { qos: 1 });
        await client.endAsync(true);
        const [{ event } = assert.fail()] = fn.for(clientId);
        assert.deepEqual(event.protocols, port === 'API' ? ['http', 'mqtt'] : ['tls', 'http', 'mqtt']);
        assert.equal(event.protocolData.http?.queryString, query === '' ? undefined : query);
        assert.equal(event.protocolData.http?.headers.upgrade, 'websocket');
      });

  for (const version of ['mqttv311', 'mqttv5'])
    test(`mosquitto_pub, ${version}`, async () => {
      const args = (topic: string) => [
        ...['-h', 'localhost', '-p', String(server.ports.https), '--cafile', server.rootCa, '--tls-alpn', 'mqtt', '-V', version],
        ...['-i', 'mosquitto', '-u', NAMED, '-P', 'secret', '-q', '1', '-m', 'x', '-t', topic],
      ];
      const sent = await run('mosquitto_pub', args('devices/mosquitto/hello'), { deadline: 20_000 });
      assert.deepEqual(sent, { code: 0, stdout: '', stderr: '' });
    });

  for (const protocol of ['4', '5'])
    test(`Paho, version ${protocol}`, async () => {
      const clientId = `paho${protocol}`;
      const topic = `devices/${clientId}/hello`;
      const args = [String(server.ports.https), server.rootCa, NAMED, 'secret', clientId, topic, protocol];
      const printed = await python('paho_custom_authorizer.py', 'paho.mqtt.client', server.env, ...args);
      assert.equal(printed, `${topic} by Paho 1\n`);
    });

  test('the device SDK, MQTT 5, with a signed token', async () => {
    const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithCustomAuth('localhost', {
      authorizerName: 'signed',
      username: 'sdk user',
      password: Buffer.from('secret'),
      tokenKeyName: 'my-token',
      tokenValue: 'token-of-the-sdk',
      tokenSignature: signatureOf('token-of-the-sdk'),
    });
    builder.withCertificateAuthority(ca.toString()).withPort(server.ports.https);
    builder.withConnectProperties({ clientId: 'sdk', keepAliveIntervalSeconds: 60 });
    const client = new mqtt5.Mqtt5Client(builder.build());
    try {
      const got = once(client, 'messageReceived');
      const up = Promise.race([
        once(client, 'connectionSuccess'),
        once(client, 'connectionFailure').then(([{ error }]) => assert.fail(String(error))),
      ]);
      client.start();
      await within('connectionSuccess', up);
      await client.subscribe({ subscriptions: [{ topicFilter: 'devices/sdk/hello', qos: mqtt5.QoS.AtLeastOnce }] });
      await client.publish({ topicName: 'devices/sdk/hello', payload: 'by the SDK', qos: mqtt5.QoS.AtLeastOnce });
      const [{ message }] = await within('the message', got);
      assert.equal(Buffer.from(message.payload).toString(), 'by the SDK');
    } finally {
      const stopped = once(client, 'stopped');
      client.stop();
      await within('stopped', stopped);
      client.close();
    }
    const [{ event } = assert.fail()] = fn.for('sdk');
    assert.deepEqual([event.token, event.signatureVerified], ['token-of-the-sdk', true]);
  });

  test('curl publishes with the name in a header; another topic is Forbidden', async () => {
    const watcher = await DeviceConnection.admitted(
      server,
      5,
      'watcher',
      { port: server.ports.https, tls },
      { username: NAMED, password: Buffer.from('secret') },
    );
    watcher.subscribe('devices/watcher/in');
    assert.equal((await watcher.next()).cmd, 'suback');
    const granted = { isAuthenticated: true, principalId: 'http1' };
    const documents = [policyDocument([allow('iot:Publish', arn('topic/devices/watcher/in'))])];
    await answering(
      () => ({ ...granted, policyDocuments: documents }),
      async () => {
        const post = (topic: string) =>
          succeed('curl', [
            ...[
              '-s',
              '-w',
              ' %{http_code}',
              '--cacert',
              server.rootCa,
              '-H',
              'x-amz-customauthorizer-name: open',
              '-d',
              'by curl',
            ],
            ...['-H', 'Device-Token: t', `https://localhost:${server.ports.https}/topics/${topic}?qos=1`],
          ]);
        assert.match(await post('devices%2Fwatcher%2Fin'), /"message":"OK".* 200$/);
        assert.match(await post('devices%2Fother%2Fin'), / 403$/);
      },
    );
    const seen = await watcher.next();
    assert.equal(seen.cmd === 'publish' && String(seen.payload), 'by curl');
    watcher[Symbol.dispose]();
    const { event } = fn.invocations.at(-1) ?? assert.fail();
    assert.deepEqual(event.protocols, ['tls', 'http']);
    assert.equal(event.protocolData.http?.headers['device-token'], 't');
    assert.equal(event.protocolData.http?.queryString, '?qos=1');
    await server.logged((line) => line.check === 'policy' && line.principal === arn('authorizer/open/http1'));
  });
});

describe('permissions', () => {
  test('a topic beyond the documents closes an MQTT 3.1.1 connection, with the document in the record', async () => {
    const { device, answer } = await login('own', NAMED, 'secret', 4);
    assert.equal(answer.cmd, 'connack');
    device.publish('devices/other/hello', 'x', { qos: 1 });
    assert.equal((await device.next()).cmd, 'closed');
    const line = await server.logged(({ clientId, action }) => clientId === 'own' && action === 'iot:Publish');
    assert.equal(line.principal, arn('authorizer/open/owner1'));
    assert.equal(line.decision, 'IMPLICIT_DENY');
  });

  test('a Deny is named by its authorizer, document and statement', async () => {
    const deny = policyDocument([allow('iot:*', '*'), { Effect: 'Deny', Action: 'iot:Connect', Resource: '*' }]);
    await answering(
      () => ({ isAuthenticated: true, principalId: 'p', policyDocuments: [deny] }),
      async () => {
        const line = await refused('denied', 'policy');
        assert.deepEqual([line.policyName, line.statement, line.decision], ['authorizer/open#1', '#2', 'EXPLICIT_DENY']);
      },
    );
  });

  test('on the MQTT port a user name is no way in', async () => {
    const credentials = { username: NAMED, password: Buffer.from('secret') };
    const { answer, device } = await DeviceConnection.connect(server, 5, 'wrong-port', { tls }, credentials);
    assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0x87);
    device[Symbol.dispose]();
    assert.deepEqual(fn.for('wrong-port'), []);
    await server.logged((line) => line.clientId === 'wrong-port' && line.check === 'certificate-missing');
  });

  test('with ALPN mqtt a good certificate is none', async () => {
    const device = await makeDevice(server, 'certified');
    const { certPem, keyPem } = device;
    const at = { port: server.ports.https, certPem, keyPem, tls };
    const { answer, device: connection } = await DeviceConnection.connect(server, 5, 'certified', at);
    assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0x87);
    connection[Symbol.dispose]();
    await server.logged((line) => line.clientId === 'certified' && line.check === 'authorizer');
  });
});

describe('refused, with the reason to read', () => {
  test('a wrong password, an unknown authorizer, none at all', async () => {
    assert.match(String((await refused('wrong', 'authorizer', NAMED, 'guess')).reason), /authorizer open: .*not authenticated/);
    const unknown = await refused('unknown', 'authorizer', '?x-amz-customauthorizer-name=nobody');
    assert.match(String(unknown.reason), /no authorizer nobody/);
    assert.match(
      String((await refused('nameless', 'certificate-missing', 'user')).reason),
      /no default authorizer.*x-amzn-mqtt-ca for a certificate/,
    );
  });

  test('a bad, missing or foreign signature never reaches the function', async () => {
    const user = (more: string): string => `?x-amz-customauthorizer-name=signed${more}`;
    const foreign = sign('sha256', Buffer.from('t'), generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
    for (const [clientId, more, words] of [
      ['sig-none', '&my-token=t', /no signature/],
      ['sig-no-token', `&x-amz-customauthorizer-signature=${encodeURIComponent(signatureOf('t'))}`, /no token/],
      ['sig-other', `&my-token=t&x-amz-customauthorizer-signature=${encodeURIComponent(signatureOf('u'))}`, /fits none/],
      [
        'sig-foreign',
        `&my-token=t&x-amz-customauthorizer-signature=${encodeURIComponent(foreign.toString('base64'))}`,
        /fits none/,
      ],
      ['sig-text', '&my-token=t&x-amz-customauthorizer-signature=%00', /not base64/],
    ] as const) {
      assert.match(String((await refused(clientId, 'authorizer', user(more))).reason), words);
      assert.deepEqual(fn.for(clientId), []);
    }
    const good = user(`&my-token=t&x-amz-customauthorizer-signature=${encodeURIComponent(signatureOf('t'))}`);
    const { answer, device } = await login('sig-good', good);
    assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0);
    device[Symbol.dispose]();
    assert.equal(fn.for('sig-good')[0]?.event.token, 't');
  });

  for (const [what, answer, words] of [
    ['garbage', (_, response) => void response.end('<html>'), /authorizer open: .*not JSON/],
    ['500', (_, response) => void response.writeHead(500).end('{}'), /authorizer open: .*status 500/],
    ['too-large', (_, response) => void response.end(' '.repeat(70_000)), /authorizer open: .*more than 65536 bytes/],
    ['hang-up', (_, response) => void response.destroy(), /authorizer open: .*could not be reached/],
    ['text-true', () => ({ isAuthenticated: 'true', principalId: 'p', policyDocuments: [] }), /isAuthenticated is not a boolean/],
    ['principal', () => ({ isAuthenticated: true, principalId: 'a-b', policyDocuments: [] }), /principalId is not/],
  ] satisfies readonly (readonly [string, Answer, RegExp])[])
    test(`an answer that is none: ${what}`, () =>
      answering(answer, async () => assert.match(String((await refused(what, 'authorizer')).reason), words)));

  test('a function that hangs is given up after 5 seconds', () =>
    answering(
      () => undefined,
      async () => {
        const begin = performance.now();
        const { answer, device } = await login('hangs');
        assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0x87);
        device[Symbol.dispose]();
        assert.ok(performance.now() - begin > 4_900);
        const line = await server.logged(({ clientId, check }) => clientId === 'hangs' && check === 'authorizer');
        assert.match(String(line.reason), /did not answer within 5 seconds/);
      },
    ));

  test('no line of the log shows a password, a token or a signature', () => {
    const log = JSON.stringify(server.log);
    for (const secret of [
      '"secret"',
      Buffer.from('secret').toString('base64'),
      'token-of-the-sdk',
      signatureOf('token-of-the-sdk'),
    ])
      assert.ok(!log.includes(secret), secret);
  });
});

describe('the API', () => {
  test('the aws command makes, describes, tests, lists, updates and deletes one', async () => {
    const { env } = server;
    const input = join(server.dataDir, 'authorizer.json');
    const url = { authorizerName: 'cli', authorizerFunctionArn: fn.url };
    const signing = { tokenKeyName: 'my-token', tokenSigningPublicKeys: { one: PEM } };
    // In a file: the first generation of the command fetches what a parameter that is a URL points to.
    writeFileSync(input, JSON.stringify({ ...url, ...signing, status: 'ACTIVE', tags: [{ Key: 'k', Value: 'v' }] }));
    const made = await awsJson<{ authorizerArn: string }>(
      env,
      ...['iot', 'create-authorizer', '--cli-input-json', `file://${input}`],
    );
    assert.equal(made.authorizerArn, arn('authorizer/cli'));
    const { tags } = await server.iot.send(new ListTagsForResourceCommand({ resourceArn: made.authorizerArn }));
    assert.deepEqual(tags, [{ Key: 'k', Value: 'v' }]);

    type Described = { authorizerDescription: Record<string, unknown> };
    const describe = () => awsJson<Described>(env, 'iot', 'describe-authorizer', '--authorizer-name', 'cli');
    const { creationDate: _, lastModifiedDate: __, ...described } = (await describe()).authorizerDescription;
    assert.deepEqual(described, {
      ...url,
      ...signing,
      authorizerArn: made.authorizerArn,
      status: 'ACTIVE',
      signingDisabled: false,
      enableCachingForHttp: false,
    });

    const granted = { isAuthenticated: true, principalId: 'p', policyDocuments: [policyDocument(ownTopics('tested'))] };
    const context = { username: 'u', clientId: 'tested' };
    const args = ['--token', 'abc', '--token-signature', signatureOf('abc'), '--mqtt-context', JSON.stringify(context)];
    const tested = await answering(
      () => granted,
      () => awsJson<Record<string, unknown>>(env, 'iot', 'test-invoke-authorizer', '--authorizer-name', 'cli', ...args),
    );
    assert.deepEqual(tested, { ...granted, disconnectAfterInSeconds: 86_400 });
    assert.deepEqual(fn.for('tested')[0]?.event.protocolData, { mqtt: context });

    await awsJson(env, 'iot', 'update-authorizer', '--authorizer-name', 'cli', '--status', 'INACTIVE');
    const { authorizers } = await awsJson<{ authorizers: unknown[] }>(env, 'iot', 'list-authorizers', '--status', 'INACTIVE');
    assert.deepEqual(authorizers, [{ authorizerName: 'cli', authorizerArn: made.authorizerArn }]);
    await awsJson(env, 'iot', 'delete-authorizer', '--authorizer-name', 'cli');
  });

  test('an INACTIVE authorizer and a cleared default let nobody in; the default serves who names none', async () => {
    await authorizer('usual');
    await server.iot.send(new SetDefaultAuthorizerCommand({ authorizerName: 'usual' }));
    const { answer, device } = await login('by-default', 'just a name');
    assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0);
    device[Symbol.dispose]();
    await server.iot.send(new UpdateAuthorizerCommand({ authorizerName: 'usual', status: 'INACTIVE' }));
    assert.match(String((await refused('inactive', 'authorizer', 'just a name')).reason), /default authorizer usual is INACTIVE/);
    await server.iot.send(new ClearDefaultAuthorizerCommand({}));
    await refused('cleared', 'certificate-missing', 'just a name');
  });
});

test('a domain configuration names the authorizer, and needs no ALPN', async () => {
  const domainName = 'custom.example.com';
  await authorizer('of-domain');
  await server.iot.send(
    new CreateDomainConfigurationCommand({
      domainConfigurationName: 'custom',
      domainName,
      authenticationType: 'CUSTOM_AUTH',
      applicationProtocol: 'SECURE_MQTT',
      authorizerConfig: { defaultAuthorizerName: 'of-domain', allowAuthorizerOverride: false },
    }),
  );
  for (const port of [server.ports.mqtt, server.ports.https]) {
    const at = { port, tls: { servername: domainName } };
    const credentials = { username: '?x-amz-customauthorizer-name=signed', password: Buffer.from('secret') };
    const device = await DeviceConnection.admitted(server, 5, `of-domain-${port}`, at, credentials);
    device[Symbol.dispose]();
    const [{ event } = assert.fail()] = fn.for(`of-domain-${port}`);
    assert.deepEqual(event.protocolData.tls, { serverName: domainName });
  }
});

test('a domain configuration may ask for a certificate beside the authorizer: permissions of both count', async () => {
  const domainName = 'both.example.com';
  await server.iot.send(
    new CreateDomainConfigurationCommand({
      domainConfigurationName: 'both',
      domainName,
      authenticationType: 'CUSTOM_AUTH_X509',
      applicationProtocol: 'SECURE_MQTT',
      authorizerConfig: { defaultAuthorizerName: 'open', allowAuthorizerOverride: false },
    }),
  );
  await makePolicy(server, 'connect-only', [allow('iot:Connect', arn('client/both'))]);
  const { certPem, keyPem, certificateId } = await makeDevice(server, 'both', 'connect-only');
  const publish = policyDocument([allow('iot:Publish', arn('topic/both'))]);
  const at = { certPem, keyPem, tls: { servername: domainName } };
  await answering(
    ({ event }) => ({ isAuthenticated: true, principalId: event.protocolData.tls?.principalId, policyDocuments: [publish] }),
    async () => {
      using device = await DeviceConnection.admitted(server, 5, 'both', at);
      for (const [topic, code] of [
        ['both', 0x00],
        ['other', 0x87],
      ] as const) {
        device.publish(topic, 'x', { qos: 1 });
        const answer = await device.next();
        assert.equal(answer.cmd === 'puback' && answer.reasonCode, code, topic);
      }
    },
  );
  const { tls: seen } = fn.for('both')[0]?.event.protocolData ?? assert.fail();
  assert.equal(seen?.principalId, certificateId);
  assert.equal(seen?.x509CertificatePem?.trim(), certPem.trim());
  using bare = (await DeviceConnection.connect(server, 5, 'both', { tls: { servername: domainName } })).device;
  assert.ok(bare);
  await server.logged((line) => line.clientId === 'both' && line.check === 'certificate-missing');
});

describe('a Lambda function', () => {
  const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:authorize';
  const lambda = { authorizerFunctionArn: FUNCTION };

  test('without --lambda-endpoint is refused, and the refusal says so', async () => {
    await authorizer('lambda', lambda);
    const line = await refused('lambda', 'authorizer', '?x-amz-customauthorizer-name=lambda');
    assert.match(String(line.reason), /authorizer lambda: .*without --lambda-endpoint/);
  });

  test('is invoked at --lambda-endpoint with the key that the operator has given the account for it', async () => {
    const granted = { isAuthenticated: true, principalId: 'p', policyDocuments: [policyDocument([allow('iot:*', '*')])] };
    await using there = await HttpFunction.open(() => granted);
    const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
    const { accessKeyId, secretAccessKey } = credentials;
    const folder = temporaryFolder();
    const file = join(folder, 'keys');
    // The function's ARN names another account than the home account, whose root makes the authorizer.
    writeFileSync(file, `[lambda]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`);
    await using other = await startServer({ args: ['--lambda-endpoint', there.url, '--action-credentials', file] });
    const input = { authorizerName: 'lambda', signingDisabled: true, ...lambda };
    await other.iot.send(new CreateAuthorizerCommand(input));
    const { isAuthenticated } = await other.iot.send(new TestInvokeAuthorizerCommand({ authorizerName: 'lambda', token: 't' }));
    assert.equal(isAuthenticated, true);

    const [{ path, body, request } = assert.fail()] = there.invocations;
    assert.equal(path, `/2015-03-31/functions/${encodeURIComponent(FUNCTION)}/invocations`);
    assert.equal(request.headers['x-amz-invocation-type'], 'RequestResponse');
    const { host = '', authorization = '', 'x-amz-date': date = '' } = request.headers as Record<string, string>;
    const signer = new SignatureV4({ service: 'lambda', region: 'us-east-1', sha256: Sha256, credentials });
    const when = new Date(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    const again = await signer.sign(
      { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path, query: {}, headers: { host }, body },
      { signingDate: when },
    );
    assert.equal(authorization, again.headers.authorization);
  });
});
