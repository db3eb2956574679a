/**
 * Host names of an account's own: certificates brought and issued, TLS versions, what may log in there (facts 1.2, 1.3;
 * developer guide, pages iot-custom-endpoints-configurable and iot-endpoints-tls-config).
 */
// needs: aws openssl
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { connect } from 'node:tls';
import {
  type CreateDomainConfigurationCommandInput,
  CreateDomainConfigurationCommand,
  IoTClient,
  DeleteDomainConfigurationCommand,
  DescribeDomainConfigurationCommand,
  ListDomainConfigurationsCommand,
  UpdateDomainConfigurationCommand,
} from '@aws-sdk/client-iot';
import { aws, awsJson, awsOutcome } from './aws-command.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { certificateFolder, certifyHost, type HostCertificate } from './host-certificates.ts';
import { run } from './run-command.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';
import { within } from './until.ts';

const importCertificate = async (server: TestServer, host: HostCertificate, ...more: string[]): Promise<string> => {
  const files = [
    ...['--certificate', `fileb://${host.certificate}`],
    ...['--private-key', `fileb://${host.privateKey}`],
    ...['--certificate-chain', `fileb://${host.chain}`],
  ];
  const { CertificateArn } = await awsJson<{ CertificateArn: string }>(
    server.env,
    'acm',
    'import-certificate',
    ...files,
    ...more,
  );
  return CertificateArn;
};

/** What openssl sees of a handshake: the SHA-256 of the certificate and the version, or that it failed. */
async function handshake(port: number, ...options: string[]): Promise<{ fingerprint?: string; version?: string; done: boolean }> {
  const seen = await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-showcerts', ...options]);
  const [pem] = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(seen.stdout) ?? [];
  const version = /(?:New|Protocol\s*:?),? *(TLSv1\.[23])/.exec(seen.stdout)?.[1];
  if (pem === undefined || version === undefined || seen.code !== 0) return { done: false };
  return { fingerprint: new X509Certificate(pem).fingerprint256, version, done: true };
}

const create = (server: TestServer, input: CreateDomainConfigurationCommandInput) =>
  server.iot.send(new CreateDomainConfigurationCommand(input));
const update = (server: TestServer, name: string, more: object) =>
  server.iot.send(new UpdateDomainConfigurationCommand({ domainConfigurationName: name, ...more }));

test('the aws command brings certificates, and each host name is shown its own', async () => {
  using folder = certificateFolder();
  const [plain, wild] = [await certifyHost(folder.path, 'iot.example.com'), await certifyHost(folder.path, '*.fleet.example')];
  await using server = await startServer();
  const { env, ports } = server;
  const own = await handshake(ports.mqtt, '-servername', 'localhost');
  for (const [name, host, domainName] of [
    ['plain', plain, 'iot.example.com'],
    ['wild', wild, 'north.fleet.example'],
  ] as const) {
    const certificateArn = await importCertificate(server, host);
    const given = ['--domain-configuration-name', name, '--domain-name', domainName, '--server-certificate-arns', certificateArn];
    await aws(env, 'iot', 'create-domain-configuration', ...given);
  }
  for (const port of [ports.mqtt, ports.https]) {
    assert.equal((await handshake(port, '-servername', 'iot.example.com')).fingerprint, plain.fingerprint);
    assert.equal((await handshake(port, '-servername', 'North.Fleet.Example')).fingerprint, wild.fingerprint);
    assert.equal((await handshake(port, '-servername', 'south.fleet.example')).fingerprint, own.fingerprint);
    assert.equal((await handshake(port, '-noservername')).fingerprint, own.fingerprint);
    const verified = ['-servername', 'iot.example.com', '-verify_hostname', 'iot.example.com'];
    assert.ok((await handshake(port, ...verified, '-CAfile', plain.chain, '-verify_return_error')).done);
  }

  const listed = await server.iot.send(new ListDomainConfigurationsCommand({}));
  const names = listed.domainConfigurations?.map(({ domainConfigurationName }) => domainConfigurationName);
  assert.deepEqual(names, ['iot:Data-ATS', 'plain', 'wild']);
  const described = await server.iot.send(new DescribeDomainConfigurationCommand({ domainConfigurationName: 'plain' }));
  assert.match(
    described.domainConfigurationArn ?? '',
    /^arn:aws:iot:us-east-1:000000000000:domainconfiguration\/plain\/[a-z0-9]+$/,
  );
  assert.equal(described.domainType, 'CUSTOMER_MANAGED');
  assert.equal(described.tlsConfig?.securityPolicy, 'IoTSecurityPolicy_TLS13_1_2_2022_10');
  assert.equal(described.serverCertificates?.[0]?.serverCertificateStatus, 'VALID');
});

test('certificates that are in use can be replaced, not deleted; their keys are never shown', async () => {
  using folder = certificateFolder();
  const first = await certifyHost(folder.path, 'iot.example.com');
  await using server = await startServer();
  const { env, ports } = server;
  const certificateArn = await importCertificate(server, first, '--tags', 'Key=of,Value=tests');
  await create(server, {
    domainConfigurationName: 'own',
    domainName: 'iot.example.com',
    serverCertificateArns: [certificateArn],
  });
  assert.equal((await handshake(ports.mqtt, '-servername', 'iot.example.com')).fingerprint, first.fingerprint);

  const refused = await awsOutcome({ env }, 'acm', 'delete-certificate', '--certificate-arn', certificateArn);
  assert.match(refused.stderr, /ResourceInUseException/);
  const firstKey = readFileSync(first.privateKey, 'utf8').split('\n')[2] ?? '';
  const second = await certifyHost(folder.path, 'iot.example.com');
  await importCertificate(server, second, '--certificate-arn', certificateArn);
  assert.equal((await handshake(ports.mqtt, '-servername', 'iot.example.com')).fingerprint, second.fingerprint);

  await update(server, 'own', { domainConfigurationStatus: 'DISABLED' });
  await server.iot.send(new DeleteDomainConfigurationCommand({ domainConfigurationName: 'own' }));
  const shown = [
    await aws(env, 'acm', 'describe-certificate', '--certificate-arn', certificateArn),
    await aws(env, 'acm', 'get-certificate', '--certificate-arn', certificateArn),
    await aws(env, 'acm', 'list-certificates', '--includes', 'keyTypes=EC_prime256v1'),
    await aws(env, 'acm', 'list-tags-for-certificate', '--certificate-arn', certificateArn),
    JSON.stringify(server.log),
  ].join('\n');
  assert.match(shown, /"InUseBy": \[\]/);
  assert.match(shown, /"Value": "tests"/);
  assert.doesNotMatch(shown, /PRIVATE KEY/);
  const secondKey = readFileSync(second.privateKey, 'utf8').split('\n')[2] ?? '';
  assert.ok(firstKey.length > 20 && secondKey.length > 20);
  for (const key of [firstKey, secondKey]) assert.ok(!shown.includes(key));
  await aws(env, 'acm', 'delete-certificate', '--certificate-arn', certificateArn);
});

test('a security policy sets the TLS versions of its host name alone, at once (fact 1.3)', async () => {
  await using server = await startServer();
  const { ports } = server;
  const domainConfigurationName = 'strict';
  const domainName = 'strict.example.com';
  await create(server, {
    domainConfigurationName,
    domainName,
    tlsConfig: { securityPolicy: 'IoTSecurityPolicy_TLS13_1_3_2022_10' },
  });
  for (const port of [ports.mqtt, ports.https]) {
    assert.equal((await handshake(port, '-servername', domainName)).version, 'TLSv1.3');
    assert.equal((await handshake(port, '-servername', domainName, '-tls1_2')).done, false);
    assert.equal((await handshake(port, '-servername', 'localhost', '-tls1_2')).version, 'TLSv1.2');
    assert.equal((await handshake(port, '-noservername', '-tls1_2')).version, 'TLSv1.2');
  }
  const only = (version: string) =>
    server.logged(({ reason }) =>
      new RegExp(`does not speak TLS ${version}, the only version that the domain`).test(String(reason)),
    );
  await only('1\\.3');
  await update(server, domainConfigurationName, { tlsConfig: { securityPolicy: 'IoTSecurityPolicy_TLS12_1_2_2022_10' } });
  assert.equal((await handshake(ports.mqtt, '-servername', domainName)).version, 'TLSv1.2');
  assert.equal((await handshake(ports.mqtt, '-servername', domainName, '-tls1_3')).done, false);
  await only('1\\.2');
  assert.equal((await handshake(ports.mqtt, '-servername', 'localhost')).version, 'TLSv1.3');
});

test('while some domain narrows TLS, a ClientHello in pieces is put together, and silence is not waited for', async () => {
  await using server = await startServer();
  const securityPolicy = 'IoTSecurityPolicy_TLS13_1_3_2022_10';
  await create(server, { domainConfigurationName: 'strict', domainName: 'strict.example.com', tlsConfig: { securityPolicy } });
  const raw = connectTcp(server.ports.mqtt, '127.0.0.1');
  raw.setNoDelay(true);
  // Bytes one by one: every piece of the ClientHello is a segment of its own.
  const drip = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      for (const byte of chunk) raw.write(Buffer.of(byte));
      done();
    },
  });
  raw.on('data', (chunk) => drip.push(chunk));
  const socket = connect({ socket: drip, servername: 'strict.example.com', rejectUnauthorized: false });
  await within(
    'a handshake in pieces',
    new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject)),
  );
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  raw.destroy();
  const noTls = connectTcp(server.ports.mqtt, '127.0.0.1');
  noTls.write('GET / HTTP/1.1\r\n\r\n');
  noTls.resume();
  await within('bytes that are no TLS to be turned away', new Promise((resolve) => noTls.once('close', resolve)));
});

test('a disabled domain refuses its handshakes and can be deleted; an enabled one can not', async () => {
  await using server = await startServer();
  const { ports } = server;
  const domainConfigurationName = 'own';
  const domainName = 'own.example.com';
  await create(server, { domainConfigurationName, domainName });
  const names = ['-servername', domainName, '-CAfile', server.rootCa, '-verify_hostname', domainName, '-verify_return_error'];
  assert.ok((await handshake(ports.https, ...names)).done, "the server's own authority certifies the name");
  await assert.rejects(server.iot.send(new DeleteDomainConfigurationCommand({ domainConfigurationName })), {
    name: 'InvalidRequestException',
  });
  await update(server, domainConfigurationName, { domainConfigurationStatus: 'DISABLED' });
  assert.equal((await handshake(ports.https, ...names)).done, false);
  await server.logged(({ event, reason }) => event === 'refused' && /own\.example\.com is disabled/.test(String(reason)));
  await update(server, domainConfigurationName, { domainConfigurationStatus: 'ENABLED' });
  assert.ok((await handshake(ports.https, ...names)).done);
  await update(server, domainConfigurationName, { domainConfigurationStatus: 'DISABLED' });
  await server.iot.send(new DeleteDomainConfigurationCommand({ domainConfigurationName }));
  assert.ok((await handshake(ports.https, '-servername', domainName)).done, 'the name is nobody’s now');
});

const login = async (server: TestServer, device: Device, servername: string, port: number, ALPNProtocols?: string[]) => {
  const tls = { servername, ALPNProtocols };
  const { device: connection, answer } = await DeviceConnection.connect(server, 5, 'd', { ...device, port, tls });
  connection[Symbol.dispose]();
  return answer.cmd === 'connack' ? answer.reasonCode : answer.cmd;
};

test('authentication type and application protocol decide who may log in where (fact 1.2)', async () => {
  await using server = await startServer();
  const { ports } = server;
  await makePolicy(server, 'all', ALLOW_ALL);
  const device = await makeDevice(server, 'd', 'all');
  const x509 = { authenticationType: 'AWS_X509' } as const;
  await create(server, { domainConfigurationName: 'm', domainName: 'mqtt.example', ...x509, applicationProtocol: 'SECURE_MQTT' });
  await create(server, { domainConfigurationName: 'h', domainName: 'https.example', ...x509, applicationProtocol: 'HTTPS' });
  assert.equal(await login(server, device, 'mqtt.example', ports.https), 0, 'no ALPN is needed');
  assert.equal(await login(server, device, 'mqtt.example', ports.mqtt), 0);
  assert.equal(await login(server, device, 'localhost', ports.https, ['x-amzn-mqtt-ca']), 0);
  assert.equal(await login(server, device, 'https.example', ports.mqtt), 0x87);
  const refusal = await server.logged(({ event, check }) => event === 'refused' && check === 'protocol');
  assert.match(String(refusal.reason), /domain configuration h serves HTTPS alone/);
  // Bytes that are no MQTT: the port speaks it for this name.
  const http = ['--cacert', server.rootCa, '--cert', device.cert, '--key', device.key, '--max-time', '20'];
  const at = (name: string): string[] => [
    '--resolve',
    `${name}:${ports.https}:127.0.0.1`,
    `https://${name}:${ports.https}/topics/t?qos=1`,
  ];
  assert.equal((await run('curl', ['-s', ...http, '-d', 'x', ...at('https.example')])).code, 0);
  assert.notEqual((await run('curl', ['-s', ...http, '-d', 'x', ...at('mqtt.example')])).code, 0);
});

test('what AWS refuses is refused', async () => {
  using folder = certificateFolder();
  const host = await certifyHost(folder.path, 'iot.example.com');
  await using server = await startServer();
  const certificateArn = await importCertificate(server, host);
  const refused = (input: object, name: string) =>
    assert.rejects(create(server, { domainConfigurationName: 'own', domainName: 'iot.example.com', ...input }), { name });
  const serverCertificateArns = [certificateArn];
  const missing = certificateArn.replace(/[^/]+$/, '00000000-0000-0000-0000-000000000000');
  await refused({ domainName: 'other.example.com', serverCertificateArns }, 'CertificateValidationException');
  await refused({ serverCertificateArns: [missing] }, 'CertificateValidationException');
  await refused({ serverCertificateArns: [certificateArn, certificateArn] }, 'InvalidRequestException');
  await refused({ domainName: undefined, serverCertificateArns }, 'InvalidRequestException');
  await refused({ domainName: '127.0.0.1' }, 'InvalidRequestException');
  await refused({ domainName: 'localhost' }, 'InvalidRequestException');
  await refused({ tlsConfig: { securityPolicy: 'IoTSecurityPolicy_TLS10' } }, 'InvalidRequestException');
  await refused({ authenticationType: 'AWS_SIGV4', applicationProtocol: 'SECURE_MQTT' }, 'InvalidRequestException');
  await refused({ authenticationType: 'AWS_X509', applicationProtocol: 'MQTT_WSS' }, 'InvalidRequestException');
  await create(server, { domainConfigurationName: 'own', domainName: 'iot.example.com', serverCertificateArns });
  await refused({}, 'ResourceAlreadyExistsException');
  await refused({ domainConfigurationName: 'again' }, 'ResourceAlreadyExistsException');
  for (let each = 1; each < 10; each += 1)
    await create(server, { domainConfigurationName: `d${each}`, domainName: `d${each}.example`, serverCertificateArns: [] });
  await refused({ domainConfigurationName: 'eleventh', domainName: 'eleventh.example' }, 'LimitExceededException');
  await assert.rejects(update(server, 'iot:Data-ATS', { domainConfigurationStatus: 'DISABLED' }), {
    name: 'InvalidRequestException',
  });
});

test('domains are served after a restart, before the first connection', async () => {
  using folder = certificateFolder();
  const host = await certifyHost(folder.path, 'iot.example.com');
  const dataDir = temporaryFolder();
  try {
    {
      await using server = await startServer({ dataDir });
      const certificateArn = await importCertificate(server, host);
      await create(server, {
        domainConfigurationName: 'own',
        domainName: 'iot.example.com',
        serverCertificateArns: [certificateArn],
      });
    }
    await using server = await startServer({ dataDir });
    assert.equal((await handshake(server.ports.mqtt, '-servername', 'iot.example.com')).fingerprint, host.fingerprint);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test("another account can't take a name of the operator's certificate, nor keep one that it had", async () => {
  using folder = certificateFolder();
  const operator = await certifyHost(folder.path, 'iot.example.test', '*.fleet.test');
  const args = ['--server-certificate', operator.certificate, '--server-key', operator.privateKey];
  const dataDir = temporaryFolder();
  const other = async (server: TestServer): Promise<IoTClient> =>
    new IoTClient({
      endpoint: server.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: await server.createAccount('111122223333'),
    });
  try {
    let client: IoTClient;
    {
      await using server = await startServer({ dataDir });
      client = await other(server);
      const held = { domainConfigurationName: 'held', domainName: 'iot.example.test' };
      await client.send(new CreateDomainConfigurationCommand(held));
      const below = { domainConfigurationName: 'below', domainName: 'sub.localhost' };
      await assert.rejects(client.send(new CreateDomainConfigurationCommand(below)), { name: 'InvalidRequestException' });
    }
    await using server = await startServer({ dataDir, args });
    const line = await server.logged(({ event }) => event === 'domain-not-served');
    assert.deepEqual([line.accountId, line.domainName], ['111122223333', 'iot.example.test']);
    await makePolicy(server, 'all', ALLOW_ALL);
    const device = await makeDevice(server, 'd', 'all');
    client = new IoTClient({
      endpoint: server.url,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: client.config.credentials,
    });
    for (const domainName of ['north.fleet.test', 'IOT.example.test']) {
      const input = { domainConfigurationName: 'take', domainName };
      await assert.rejects(client.send(new CreateDomainConfigurationCommand(input)), {
        name: 'InvalidRequestException',
        message: /operator's certificate \(--server-certificate\)/,
      });
    }
    const again = { domainConfigurationName: 'held', authenticationType: 'DEFAULT' } as const;
    await assert.rejects(client.send(new UpdateDomainConfigurationCommand(again)), { name: 'InvalidRequestException' });
    for (const name of ['iot.example.test', 'north.fleet.test']) {
      const verified = ['-servername', name, '-verify_hostname', name, '-CAfile', operator.chain, '-verify_return_error'];
      for (const port of [server.ports.mqtt, server.ports.https])
        assert.equal((await handshake(port, ...verified)).fingerprint, operator.fingerprint);
      const tls = { servername: name, ca: readFileSync(operator.chain) };
      const { device: connection, answer } = await DeviceConnection.connect(server, 5, 'd', { ...device, tls });
      connection[Symbol.dispose]();
      assert.equal(answer.cmd === 'connack' && answer.reasonCode, 0, 'the device is known in the account of the server');
    }
    const taken = { domainConfigurationName: 'own', domainName: 'north.fleet.test' };
    await create(server, taken);
    client.destroy();
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
