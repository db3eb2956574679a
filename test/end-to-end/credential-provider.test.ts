/**
 * Temporary credentials for devices: got with a certificate, used by real clients, no more than the certificate may do
 * (fact 11.2; developer guide, page authorizing-direct-aws).
 */
// needs: aws curl
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreatePolicyCommand,
  CreateRoleAliasCommand,
  CreateThingCommand,
  IoTClient,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { auth, http, io } from 'aws-iot-device-sdk-v2';
import mqtt from 'mqtt';
import { readConfig } from '../../packages/server/src/config/config.ts';
import { openDataFolder } from '../../packages/server/src/config/data-folder.ts';
import { readAccessKeys } from '../../packages/server/src/config/secrets.ts';
import { openCore } from '../../packages/server/src/core.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { ask } from './ask-credentials.ts';
import { awsJson, awsOutcome } from './aws-command.ts';
import { ACCOUNT, allow, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { type Credentials, presign } from './presign.ts';
import { run } from './run-command.ts';
import { FREE_PORTS, startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { within } from './until.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/fleet/DeviceRole`;

const FLEET = [
  allow('iot:AssumeRoleWithCertificate', arn('rolealias/fleet')),
  allow('iot:Connect', arn('client/robot')),
  allow(['iot:Publish', 'iot:Receive'], arn('topic/robots/*')),
  allow('iot:Subscribe', arn('topicfilter/robots/*')),
  // Certificates of the server's making have the common name `AWS IoT Certificate`.
  allow('iot:Publish', arn('topic/named/${iot:Certificate.Subject.CommonName}')),
];

async function fleet(server: TestServer): Promise<Device> {
  await makePolicy(server, 'fleet', FLEET);
  await server.iot.send(new CreateRoleAliasCommand({ roleAlias: 'fleet', roleArn: ROLE, credentialDurationSeconds: 900 }));
  return makeDevice(server, 'robot', 'fleet');
}

async function credentialsOf(server: TestServer, device: Device): Promise<Required<Credentials>> {
  const { status, credentials } = await ask(server, 'fleet', device);
  assert.equal(status, 200);
  assert(credentials !== undefined);
  const { expiration: _asText, ...keys } = credentials;
  return keys;
}

/** The environment of a tool that has nothing but these credentials. */
const environment = (server: TestServer, credentials: Required<Credentials>): Record<string, string> => ({
  ...server.env,
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_SESSION_TOKEN: credentials.sessionToken,
});

test('a certificate gets what its policies and things allow, and each refusal has its answer (fact 11.2)', async () => {
  await using server = await startServer();
  const device = await fleet(server);
  const stranger = await makeDevice(server, 'stranger');
  for (const thingName of ['robot', 'other']) await server.iot.send(new CreateThingCommand({ thingName }));
  await server.iot.send(new AttachThingPrincipalCommand({ thingName: 'robot', principal: device.certificateArn }));

  const before = Date.now();
  const given = await ask(server, 'fleet', device, '-H', 'x-amzn-iot-thingname: robot');
  assert.equal(given.status, 200);
  assert.match(given.credentials?.accessKeyId ?? '', /^ASIA[A-Z2-7]{16}$/);
  assert.match(given.credentials?.secretAccessKey ?? '', /^[\w+/]{40}$/);
  assert.match(given.credentials?.expiration ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const lasts = (Date.parse(given.credentials?.expiration ?? '') - before) / 1000;
  assert.ok(lasts > 890 && lasts < 930, `${lasts} s`);

  const refused = async (status: number, message: string, ...asked: Parameters<typeof ask>) =>
    assert.deepEqual(await ask(...asked), { status, message });
  await refused(403, 'Invalid thing name passed', server, 'fleet', device, '-H', 'x-amzn-iot-thingname: other');
  await refused(403, 'Access Denied', server, 'fleet', stranger);
  await refused(403, 'Access Denied', server, 'unknown', device);
  await refused(403, 'Certificate is invalid on this endpoint', server, 'fleet');
  await makePolicy(server, 'any-alias', [allow('iot:AssumeRoleWithCertificate', '*')]);
  const curious = await makeDevice(server, 'curious', 'any-alias');
  await refused(404, 'Role alias does not exist', server, 'unknown', curious);
  await server.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'INACTIVE' }));
  await refused(403, 'Certificate is invalid on this endpoint', server, 'fleet', device);
  const shown = server.log.filter(({ event }) => event === 'refused').map(({ check }) => check);
  for (const check of ['credentials', 'policy', 'certificate-missing', 'certificate-not-active'])
    assert.ok(shown.includes(check), check);
  assert.ok(!JSON.stringify(server.log).includes(given.credentials?.secretAccessKey ?? ''));
});

test('the aws command uses them: the data plane as the policies say, nothing of the control plane', async () => {
  await using server = await startServer();
  const device = await fleet(server);
  const credentials = await credentialsOf(server, device);
  const env = environment(server, credentials);
  const identity = await awsJson<Record<string, string>>(env, 'sts', 'get-caller-identity');
  assert.equal(identity.Arn, `arn:aws:sts::${ACCOUNT}:assumed-role/DeviceRole/${device.certificateId}`);
  assert.match(identity.UserId ?? '', new RegExp(`^AROA[A-Z2-7]{16}:${device.certificateId}$`));

  const publish = (more: Record<string, string>, ...args: string[]) =>
    awsOutcome({ env: { ...env, ...more } }, 'iot-data', 'publish', '--qos', '1', '--payload', 'eA==', ...args);
  assert.equal((await publish({}, '--topic', 'robots/1')).code, 0);
  assert.match((await publish({}, '--topic', 'others/1')).stderr, /ForbiddenException.*not authorized to perform: iot:Publish/);
  assert.match((await publish({}, '--topic', 'robots/1', '--retain')).stderr, /ForbiddenException.*iot:RetainPublish/);
  assert.match(
    (await publish({ AWS_DEFAULT_REGION: 'eu-west-1', AWS_REGION: 'eu-west-1' }, '--topic', 'robots/1')).stderr,
    /AccessDenied/,
  );
  const denied = [
    ['iot', 'list-things'],
    ['iot', 'describe-role-alias', '--role-alias', 'fleet'],
    ['acm', 'list-certificates'],
    ['ec2', 'describe-availability-zones'],
    ['iot-jobs-data', 'get-pending-job-executions', '--thing-name', 'robot'],
  ];
  for (const call of denied)
    assert.match((await awsOutcome({ env }, ...call)).stderr, /AccessDenied|UnauthorizedOperation|Forbidden/, call.join(' '));

  const recorded = await server.logged(({ check, protocol }) => check === 'policy' && protocol === 'api');
  assert.deepEqual([recorded.accountId, recorded.principal], [ACCOUNT, identity.Arn]);

  await server.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'REVOKED' }));
  assert.match((await publish({}, '--topic', 'robots/1')).stderr, /ForbiddenException/);
});

test('they survive a restart; forged, mixed and lonely ones are nobody’s', async () => {
  const dataDir = temporaryFolder();
  try {
    let credentials: Required<Credentials>;
    let other: Required<Credentials>;
    let device: Device;
    {
      await using server = await startServer({ dataDir });
      device = await fleet(server);
      credentials = await credentialsOf(server, device);
      other = await credentialsOf(server, device);
    }
    await using server = await startServer({ dataDir });
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const publish = (given: Credentials, topic = 'robots/1') =>
      new IoTDataPlaneClient({ endpoint: server.url, region: 'us-east-1', credentials: given, maxAttempts: 1 }).send(
        new PublishCommand({ topic, qos: 1 }),
      );
    await publish(credentials);
    // Variables of the certificate are known without the certificate being shown, and later when it is.
    await publish(credentials, 'named/AWS IoT Certificate');
    await assert.rejects(publish(credentials, 'named/somebody'), { name: 'ForbiddenException' });
    const post = ['-X', 'POST', '--cacert', server.rootCa, '--cert', device.cert, '--key', device.key, '-w', '%{http_code}'];
    const url = `https://localhost:${server.ports.https}/topics/named%2FAWS%20IoT%20Certificate`;
    assert.match((await run('curl', ['-s', ...post, url])).stdout, /200$/);
    const flipped = Buffer.from(sessionToken, 'base64');
    flipped[40] = (flipped[40] ?? 0) ^ 1;
    const wrong: Credentials[] = [
      { accessKeyId, secretAccessKey },
      { ...credentials, sessionToken: flipped.toString('base64') },
      { ...credentials, sessionToken: other.sessionToken },
      { ...other, sessionToken },
      { ...credentials, sessionToken: 'x'.repeat(9_000) },
      { ...server.credentials(), sessionToken },
    ];
    for (const each of wrong) await assert.rejects(publish(each), { name: 'UnrecognizedClientException' });
    await assert.rejects(publish({ ...credentials, secretAccessKey: other.secretAccessKey }), {
      name: 'InvalidSignatureException',
    });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('they end when they say so', async () => {
  const dataDir = temporaryFolder();
  try {
    let shift = 0;
    const clock = { now: () => Date.now() + shift, monotonic: () => performance.now() };
    const ports = FREE_PORTS.filter((word) => word.startsWith('--')).map((flag) => [flag.slice(2), '0'] as const);
    const config = readConfig(new Map([['data-dir', dataDir], ...ports]), { settings: new Map(), unknown: [] });
    const folder = openDataFolder(dataDir);
    await using core = await openCore({ config, folder, clock, log: openLog('silent') });
    const [key] = readAccessKeys(folder.credentials, config.accountId);
    assert(key !== undefined);
    const url = `http://127.0.0.1:${core.ports.api}`;
    const iot = new IoTClient({ endpoint: url, region: 'us-east-1', credentials: key });
    // Just what the helpers ask of a server.
    const server = { iot, dataDir, rootCa: join(dataDir, 'root-ca.pem'), ports: core.ports } as unknown as TestServer;
    const credentials = await credentialsOf(server, await fleet(server));
    const data = new IoTDataPlaneClient({
      endpoint: url,
      region: 'us-east-1',
      credentials,
      maxAttempts: 1,
      systemClockOffset: 0,
    });
    await data.send(new PublishCommand({ topic: 'robots/1' }));
    shift = 901_000;
    data.config.systemClockOffset = shift;
    await assert.rejects(data.send(new PublishCommand({ topic: 'robots/1' })), { name: 'ExpiredTokenException' });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a WebSocket is opened with them, and closed when the certificate is revoked', async () => {
  await using server = await startServer();
  const device = await fleet(server);
  const credentials = await credentialsOf(server, device);
  const url = (token: 'appended' | 'signed') => presign(`ws://127.0.0.1:${server.ports.api}`, credentials, { token });
  const connect = async (token: 'appended' | 'signed', clientId: string, more: mqtt.IClientOptions = {}) =>
    mqtt.connectAsync(await url(token), { clientId, protocolVersion: 5, reconnectPeriod: 0, ...more }, false);
  await assert.rejects(connect('signed', 'somebody-else'), /Not authorized/);
  // The policies of the certificate may ask about the connection, as when it connects itself.
  const Condition = { 'ForAnyValue:StringEquals': { 'iot:ConnectAttributes': ['PersistentConnect'] } };
  const Statement = [{ Effect: 'Deny', Action: 'iot:Connect', Resource: '*', Condition }];
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await server.iot.send(new CreatePolicyCommand({ policyName: 'clean', policyDocument }));
  await server.iot.send(new AttachPolicyCommand({ policyName: 'clean', target: device.certificateArn }));
  const persistent = { clean: false, properties: { sessionExpiryInterval: 60 } };
  await assert.rejects(connect('signed', 'robot', persistent), /Not authorized/);
  const client = await connect('appended', 'robot');
  await client.publishAsync('robots/1', 'x', { qos: 1 });
  const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)));
  await server.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus: 'REVOKED' }));
  await within('the end of the connection', closed);
});

/** Tunnels every host to one port of this machine: the SDK's provider asks on port 443 alone (RFC 9110 section 9.3.6). */
async function tunnelTo(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    client.once('data', () => {
      const target = connectTcp(port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
      client.pipe(target).pipe(client);
      for (const socket of [client, target]) sockets.add(socket.on('error', () => undefined));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

test("the device SDK's own provider gets them, and its signature is taken", async () => {
  await using server = await startServer();
  const device = await fleet(server);
  const thingName = 'robot';
  await server.iot.send(new CreateThingCommand({ thingName }));
  await server.iot.send(new AttachThingPrincipalCommand({ thingName, principal: device.certificateArn }));
  await using tunnel = await tunnelTo(server.ports.https);
  const tls = new io.TlsContextOptions();
  tls.certificate = device.certPem;
  tls.private_key = device.keyPem;
  tls.certificate_authority = readFileSync(server.rootCa, 'utf8');
  tls.verify_peer = true;
  const provider = auth.AwsCredentialsProvider.newX509({
    endpoint: 'localhost',
    thingName,
    roleAlias: 'fleet',
    tlsContext: new io.ClientTlsContext(tls),
    httpProxyOptions: new http.HttpProxyOptions(
      '127.0.0.1',
      tunnel.port,
      http.HttpProxyAuthenticationType.None,
      undefined,
      undefined,
      undefined,
      http.HttpProxyConnectionType.Tunneling,
    ),
  });
  const host = `127.0.0.1:${server.ports.api}`;
  const sign = (path: string) =>
    auth.aws_sign_request(new http.HttpRequest('POST', path, new http.HttpHeaders([['host', host]])), {
      algorithm: auth.AwsSigningAlgorithm.SigV4,
      signature_type: auth.AwsSignatureType.HttpRequestViaHeaders,
      provider,
      region: 'us-east-1',
      service: 'iotdata',
      date: new Date(),
    });
  const post = async (path: string): Promise<number> => {
    const signed = await within('the signature', sign(path));
    const headers = Object.fromEntries([...signed.headers].map(([name, value]) => [String(name), String(value)]));
    return (await fetch(`http://${host}${path}`, { method: 'POST', headers })).status;
  };
  assert.equal(await post('/topics/robots'), 403);
  assert.equal(await post('/topics/robots%2F1'), 200);
});
