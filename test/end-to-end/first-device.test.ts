/** From nothing to an authorized message over mutual TLS, with the tools that people have. */
// needs: aws boto3 paho openssl mosquitto-clients curl
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DescribeEndpointCommand,
  DescribeThingCommand,
} from '@aws-sdk/client-iot';
import { PublishCommand } from '@aws-sdk/client-iot-data-plane';
import mqtt from 'mqtt';
import { aws, awsJson } from './aws-command.ts';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy, ownTopics, policyDocument } from './devices.ts';
import { mosquittoPub, mosquittoSub } from './mosquitto.ts';
import { python } from './python-command.ts';
import { run, succeed } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';
import { keyShareGroup, tapTo } from './tls-tap.ts';
import { within } from './until.ts';

let server: TestServer;
let device: Device;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  device = await makeDevice(server, 'device', 'all');
});
after(() => server[Symbol.asyncDispose]());

const at = (name: string): string => join(server.dataDir, name);

interface Issued {
  readonly certificateArn: string;
  readonly certificateId: string;
  readonly certificatePem: string;
}

describe('the aws command, openssl and mosquitto', () => {
  test('a device whose keys the server makes', async () => {
    const { env } = server;
    const made = await awsJson<Issued>(
      env,
      ...['iot', 'create-keys-and-certificate', '--set-as-active', '--certificate-pem-outfile', at('cli.crt')],
      ...['--private-key-outfile', at('cli.key'), '--public-key-outfile', at('cli.pub')],
    );
    assert.match(made.certificateId, /^[0-9a-f]{64}$/);
    writeFileSync(at('policy.json'), policyDocument(ownTopics('cli')));
    await aws(env, 'iot', 'create-policy', '--policy-name', 'cli', '--policy-document', `file://${at('policy.json')}`);
    await aws(env, 'iot', 'create-thing', '--thing-name', 'cli');
    await aws(env, 'iot', 'attach-policy', '--policy-name', 'cli', '--target', made.certificateArn);
    await aws(env, 'iot', 'attach-thing-principal', '--thing-name', 'cli', '--principal', made.certificateArn);
    const endpoint = await awsJson<{ endpointAddress: string }>(
      env,
      'iot',
      'describe-endpoint',
      '--endpoint-type',
      'iot:Data-ATS',
    );
    assert.equal(endpoint.endpointAddress, 'localhost');

    const options = { cert: at('cli.crt'), key: at('cli.key'), clientId: 'cli', topic: 'devices/cli/hello' };
    for (const version of ['mqttv311', 'mqttv5'] as const) {
      await makePolicyOnce('listener', made.certificateArn);
      const listening = await mosquittoSub(server, { ...options, clientId: 'cli-listener', version });
      const sent = await mosquittoPub(server, { ...options, version, more: ['-q', '1'] }, `hello by ${version}`);
      assert.deepEqual(sent, { code: 0, stdout: '', stderr: '' });
      assert.equal(await listening.message, `devices/cli/hello hello by ${version}`);
    }
    const denied = await mosquittoPub(
      server,
      { ...options, version: 'mqttv5', topic: 'devices/other/hello', more: ['-q', '1'] },
      'x',
    );
    assert.match(denied.stdout + denied.stderr, /Not authorized/i);
  });

  let listener = false;
  async function makePolicyOnce(name: string, target: string): Promise<void> {
    if (listener) return;
    listener = true;
    await makePolicy(server, name, [...ownTopics('cli'), ...ownTopics('cli-listener')]);
    await server.iot.send(new AttachPolicyCommand({ policyName: name, target }));
  }

  for (const [kind, args] of [
    ['RSA 2048', ['-newkey', 'rsa:2048']],
    ['P-256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['P-521', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521']],
  ] as const)
    test(`a CSR with a key of ${kind} made by openssl`, async () => {
      const name = kind.replace(' ', '-');
      await succeed('openssl', [
        'req',
        '-new',
        ...args,
        '-nodes',
        '-keyout',
        at(`${name}.key`),
        '-out',
        at(`${name}.csr`),
        '-subj',
        `/CN=${name}`,
      ]);
      const { certificateArn } = await awsJson<Issued>(
        server.env,
        ...['iot', 'create-certificate-from-csr', '--certificate-signing-request', `file://${at(`${name}.csr`)}`],
        ...['--set-as-active', '--certificate-pem-outfile', at(`${name}.crt`)],
      );
      await aws(server.env, 'iot', 'attach-policy', '--policy-name', 'all', '--target', certificateArn);
      const options = { cert: at(`${name}.crt`), key: at(`${name}.key`), topic: `csr/${name}` };
      const listening = await mosquittoSub(server, { ...options, clientId: `${name}-sub` });
      assert.equal((await mosquittoPub(server, { ...options, clientId: `${name}-pub` }, 'from a CSR')).code, 0);
      assert.equal(await listening.message, `csr/${name} from a CSR`);
    });

  test('a CSR in lines of 76 characters, as small devices write it', async () => {
    const name = 'lines-of-76';
    const parameters = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}.key`)];
    await succeed('openssl', [
      'req',
      '-new',
      ...parameters,
      '-outform',
      'DER',
      '-out',
      at(`${name}.der`),
      '-subj',
      '/C=us/O=Example/CN=0123F1',
    ]);
    const body = readFileSync(at(`${name}.der`))
      .toString('base64')
      .match(/.{1,76}/g)
      ?.join('\n');
    const certificateSigningRequest = `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`;
    const made = await server.iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }));
    writeFileSync(at(`${name}.crt`), made.certificatePem ?? '');
    const subject = await succeed('openssl', ['x509', '-in', at(`${name}.crt`), '-noout', '-subject']);
    assert.match(subject, /C = us, O = Example, CN = 0123F1/);
  });

  test('a CSR whose country is not two letters is taken, and its subject kept byte for byte', async () => {
    // Firmware has been seen that puts its length before the country: three bytes, the first a control character.
    const name = 'odd-country';
    writeFileSync(
      at(`${name}.cnf`),
      ['[req]', 'prompt = no', 'distinguished_name = dn', 'string_mask = nombstr', '[dn]', 'countryName = us', 'CN = odd'].join(
        '\n',
      ),
    );
    await succeed('openssl', [
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}.key`)],
      ...['-outform', 'DER', '-out', at(`${name}.der`), '-config', at(`${name}.cnf`)],
    ]);
    const pem = await withOddCountry(readFileSync(at(`${name}.der`)), at(`${name}.key`));
    const made = await server.iot.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: pem, setAsActive: true }),
    );
    const der = Buffer.from((made.certificatePem ?? '').replace(/-----.*-----|\s/g, ''), 'base64');
    assert.ok(der.includes(Buffer.from([0x13, 0x03, 0x05, 0x75, 0x73])), 'the country as it was sent');
  });
});

/** Rewrites a CSR's country to the bytes 05 75 73 and signs it again with its key. */
async function withOddCountry(csr: Buffer, keyFile: string): Promise<string> {
  const { createPrivateKey, sign } = await import('node:crypto');
  const found = csr.indexOf(Buffer.from([0x06, 0x03, 0x55, 0x04, 0x06, 0x13, 0x02, 0x75, 0x73]));
  assert.ok(found > 0);
  const header = csr[1] === 0x81 ? 3 : csr[1] === 0x82 ? 4 : 2;
  const infoHeader = csr[header + 1] === 0x81 ? 3 : csr[header + 1] === 0x82 ? 4 : 2;
  const info = csr.subarray(header, header + infoHeader + lengthAt(csr, header));
  const body = Buffer.from(info.subarray(infoHeader));
  const country = body.indexOf(Buffer.from([0x13, 0x02, 0x75, 0x73]));
  // The value, its attribute, its set and the whole name each grow by one byte.
  const wider = Buffer.concat([
    body.subarray(0, country),
    Buffer.from([0x13, 0x03, 0x05, 0x75, 0x73]),
    body.subarray(country + 4),
  ]);
  for (const lengthAtByte of [country - 6, country - 8, country - 10]) wider[lengthAtByte] = (wider[lengthAtByte] as number) + 1;
  const fresh = der(0x30, wider);
  const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex');
  const signature = sign('sha256', fresh, createPrivateKey(readFileSync(keyFile)));
  const whole = der(0x30, Buffer.concat([fresh, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature]))]));
  return `-----BEGIN CERTIFICATE REQUEST-----\n${whole
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

const lengthAt = (bytes: Buffer, at: number): number => {
  const first = bytes[at + 1] as number;
  return first < 0x80 ? first : bytes.readUIntBE(at + 2, first & 0x7f);
};

const der = (tag: number, content: Buffer): Buffer => {
  const { length } = content;
  const header = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
};

describe('libraries', () => {
  test('boto3 makes a device, and Paho for Python connects with it in both versions', async () => {
    const listener = await DeviceConnection.admitted(server, 5, 'watches-boto3', device);
    listener.subscribe('boto3/#');
    assert.equal((await listener.next()).cmd, 'suback');
    const told = JSON.parse(await python('first_device.py', 'boto3', server.env, server.dataDir, 'boto3')) as unknown;
    assert.deepEqual(told, {
      principals: true,
      thing: true,
      policies: ['boto3-policy'],
      status: 'ACTIVE',
      missing: 'ResourceNotFoundException',
      endpoint: 'localhost',
    });
    const came = await listener.next();
    assert.equal(came.cmd === 'publish' && came.payload.toString(), 'by boto3');
    listener[Symbol.dispose]();
    for (const version of ['4', '5']) {
      const args = [
        String(server.ports.mqtt),
        server.rootCa,
        at('boto3.crt'),
        at('boto3.key'),
        `boto3-${version}`,
        'boto3/paho',
        version,
      ];
      assert.equal(await python('paho_round_trip.py', 'paho.mqtt.client', server.env, ...args), 'boto3/paho by Paho 1\n');
    }
  });

  for (const protocolVersion of [4, 5] as const)
    test(`the AWS SDK for JavaScript makes a device, and MQTT.js connects with it (protocol ${protocolVersion})`, async () => {
      const name = `sdk-${protocolVersion}`;
      await server.iot.send(new CreateThingCommand({ thingName: name, attributePayload: { attributes: { site: 'here' } } }));
      const made = await makeDevice(server, name, 'all');
      await server.iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: made.certificateArn }));
      const thing = await server.iot.send(new DescribeThingCommand({ thingName: name }));
      assert.deepEqual(thing.attributes, { site: 'here' });
      const { endpointAddress } = await server.iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }));
      const client = await mqtt.connectAsync(`mqtts://${endpointAddress}:${server.ports.mqtt}`, {
        protocolVersion,
        clientId: name,
        ca: readFileSync(server.rootCa),
        cert: made.certPem,
        key: made.keyPem,
        reconnectPeriod: 0,
      });
      try {
        const messages: string[] = [];
        const both = Promise.withResolvers<void>();
        client.on('message', (topic, payload) => {
          messages.push(`${topic} ${payload}`);
          if (messages.length === 2) both.resolve();
        });
        await client.subscribeAsync(`${name}/+`, { qos: 1 });
        await client.publishAsync(`${name}/own`, 'from the device', { qos: 1 });
        await server.iotData.send(new PublishCommand({ topic: `${name}/cloud`, payload: Buffer.from('from the cloud'), qos: 1 }));
        await within('both messages', both.promise);
        assert.deepEqual(messages, [`${name}/own from the device`, `${name}/cloud from the cloud`]);
      } finally {
        await client.endAsync();
      }
    });
});

describe('HTTPS and ALPN', () => {
  test('curl publishes over HTTPS with the client certificate', async () => {
    using listener = await DeviceConnection.admitted(server, 4, 'watches-curl', device);
    listener.subscribe('http/curl');
    assert.equal((await listener.next()).cmd, 'suback');
    const common = ['-sS', '--cacert', server.rootCa, '--cert', device.cert, '--key', device.key];
    const url = `https://localhost:${server.ports.https}/topics/http%2Fcurl?qos=1`;
    for (const version of ['--tlsv1.2', '--tlsv1.3']) {
      const answer = await succeed('curl', [...common, version, '-d', '{"by":"curl"}', '-w', ' %{http_code}', url]);
      assert.match(answer, /"message":\s*"OK".* 200$/);
      const came = await listener.next();
      assert.equal(came.cmd === 'publish' && came.payload.toString(), '{"by":"curl"}');
    }
  });

  test('curl with ALPN x-amzn-http-ca is not needed, and without a certificate it gets 403', async () => {
    const url = `https://localhost:${server.ports.https}/topics/http?qos=1`;
    const answer = await succeed('curl', ['-sS', '--cacert', server.rootCa, '-d', 'x', '-w', ' %{http_code}', url]);
    assert.match(answer, / 403$/);
    const plain = await run('curl', [
      '-sS',
      '--cacert',
      server.rootCa,
      '--no-alpn',
      '--cert',
      device.cert,
      '--key',
      device.key,
      '-d',
      'x',
      url,
    ]);
    assert.equal(plain.code, 0, plain.stderr);
  });

  for (const [port, offered, agreed] of [
    ['https', ['x-amzn-mqtt-ca'], 'x-amzn-mqtt-ca'],
    ['mqtt', ['x-amzn-mqtt-ca'], 'x-amzn-mqtt-ca'],
    ['mqtt', ['mqtt'], 'mqtt'],
    ['mqtt', undefined, false],
  ] as const)
    test(`MQTT on the ${port} port with ALPN ${offered ?? 'not offered'}`, async () => {
      const tls = offered === undefined ? {} : { ALPNProtocols: [...offered] };
      using connected = await DeviceConnection.admitted(server, 5, `alpn-${port}`, { ...device, port: server.ports[port], tls });
      assert.equal(connected.socket.alpnProtocol, agreed);
      assert.ok(await connected.nothingCame());
    });
});

describe('TLS', () => {
  // Suites and signature algorithms decide which of the server's certificates a client can take.
  for (const [what, tls] of [
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.2, ECDSA only', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }],
    ['TLS 1.2, RSA only', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }],
    ['TLS 1.2, CBC of small devices', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
    ['TLS 1.2, RSA key exchange', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA256' }],
    ['TLS 1.3, RSA signatures only', { minVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256' }],
    ['TLS 1.2, curve P-256 only', { maxVersion: 'TLSv1.2', ecdhCurve: 'P-256' }],
    ['no server name', { servername: '', checkServerIdentity: () => undefined }],
  ] as const)
    test(`${what}: a device connects and the server verifies`, async () => {
      using connected = await DeviceConnection.admitted(server, 4, 'tls', { ...device, tls });
      assert.equal(connected.socket.authorized, true);
    });

  test('TLS 1.1 is refused', async () => {
    const tls = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assert.rejects(DeviceConnection.open(server, 4, { ...device, tls }));
  });

  for (const port of ['mqtt', 'https'] as const)
    test(`X25519MLKEM768 is negotiated on the ${port} port, with a client that offers X25519 too`, async () => {
      const answered: Buffer[] = [];
      await using tap = await tapTo(server.ports[port], (chunk) => answered.push(chunk));
      const socket = connectTls({ host: '127.0.0.1', port: tap.port, servername: 'localhost', ca: readFileSync(server.rootCa) });
      await within('the handshake', once(socket, 'secureConnect'));
      socket.destroy();
      assert.equal(keyShareGroup(Buffer.concat(answered)), 0x11ec);
    });

  for (const port of ['mqtt', 'https'] as const) {
    const client = (...more: string[]): Promise<string> =>
      succeed('openssl', [
        's_client',
        '-connect',
        `localhost:${server.ports[port]}`,
        '-CAfile',
        server.rootCa,
        '-cert',
        device.cert,
        '-key',
        device.key,
        ...more,
      ]);

    test(`openssl s_client on the ${port} port sees what AWS IoT shows`, async () => {
      for (const more of [['-tls1_2'], ['-tls1_3'], ['-noservername']]) {
        const told = await client(...more);
        assert.match(told, /Verify return code: 0 \(ok\)/);
        assert.match(told, /No client certificate CA names sent/);
        assert.match(told, /No ALPN negotiated/);
      }
      const two = await client('-tls1_2');
      assert.match(two, /Protocol {2}: TLSv1\.2/);
      assert.doesNotMatch(two, /session ticket/i);
      assert.match(two, /Extended master secret: yes/);
      assert.match(two, /Session-ID: [0-9A-F]{64}/);
      assert.match(two, /Secure Renegotiation IS supported/);
      assert.equal(two.match(/^ *\d+ s:/gm)?.length, 2, 'leaf and intermediate, not the root');
    });
  }

  test('a device that sends its intermediate too connects; the leaf says who it is', async () => {
    const chained = { certPem: `${device.certPem}${otherAuthority(server)}`, keyPem: device.keyPem };
    using connected = await DeviceConnection.admitted(server, 4, 'chained', chained);
    assert.ok(await connected.nothingCame());
  });
});

/** Some other certificate: what a device sends along is nothing that we rely on. */
const otherAuthority = ({ rootCa }: TestServer): string => readFileSync(rootCa, 'utf8');
