/**
 * MQTT over WebSocket with real clients, and the data plane on the HTTPS port for certificates and signatures (facts 1.1, 1.5,
 * 1.6).
 */
// needs: paho curl
import assert from 'node:assert/strict';
import { type EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import mqtt from 'mqtt';
import WebSocket from 'ws';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy, ownTopics } from './devices.ts';
import { presign, type PresignOptions } from './presign.ts';
import { python } from './python-command.ts';
import { plainEnvironment, succeed } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';
import { within } from './until.ts';

let server: TestServer;
let device: Device;
let minding: Device;
let ca: Buffer;
before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  await makePolicy(server, 'own', ownTopics('own'));
  device = await makeDevice(server, 'device', 'all');
  minding = await makeDevice(server, 'own', 'own');
  ca = readFileSync(server.rootCa);
});
after(() => server[Symbol.asyncDispose]());

const PORTS = ['API', 'HTTPS'] as const;
type Port = (typeof PORTS)[number];
const urlOf = (port: Port): string =>
  port === 'API' ? `ws://127.0.0.1:${server.ports.api}` : `wss://localhost:${server.ports.https}`;
const presigned = (port: Port, options?: PresignOptions): Promise<string> => presign(urlOf(port), server.credentials(), options);
const keyPair = ({ certPem, keyPem }: Device) => ({ cert: certPem, key: keyPem });

const open = (url: string, options: mqtt.IClientOptions): Promise<mqtt.MqttClient> =>
  within('CONNACK', mqtt.connectAsync(url, { ca, reconnectPeriod: 0, ...options }, false));

/** One message to itself; gives what came back. */
async function roundTrip(url: string, options: mqtt.IClientOptions, topic: string): Promise<string> {
  const client = await open(url, options);
  try {
    const got = once(client as unknown as EventEmitter, 'message');
    await client.subscribeAsync(topic, { qos: 1 });
    await client.publishAsync(topic, 'by MQTT.js', { qos: 1 });
    const [from, payload] = (await within('the message', got)) as [string, Buffer];
    return `${from} ${payload}`;
  } finally {
    await client.endAsync(true);
  }
}

/** The answer to an upgrade that must not be accepted. */
async function refused(url: string, options: WebSocket.ClientOptions = {}): Promise<{ status?: number; type: unknown }> {
  const socket = new WebSocket(url, 'mqtt', { ca, ...options });
  socket.on('open', () => socket.emit('error', new Error('it was accepted')));
  const [request, response] = await within('a refusal', once(socket, 'unexpected-response'));
  request.destroy();
  return { status: response.statusCode, type: response.headers['x-amzn-errortype'] };
}

describe('a presigned URL (fact 1.5)', () => {
  for (const port of PORTS) {
    for (const protocolVersion of [4, 5] as const)
      test(`MQTT.js, version ${protocolVersion}, on the ${port} port`, async () => {
        const clientId = `js-${port}-${protocolVersion}`;
        // As the device SDKs add what they are to the user name.
        const options = { clientId, protocolVersion, username: '?SDK=JavaScript&Version=1.0.0' };
        assert.equal(await roundTrip(await presigned(port), options, `ws/${clientId}`), `ws/${clientId} by MQTT.js`);
      });

    for (const protocol of ['4', '5'])
      test(`Paho, version ${protocol}, on the ${port} port`, async () => {
        const topic = `ws/paho/${port}/${protocol}`;
        const given = [await presigned(port), server.rootCa, 'paho', topic, protocol];
        const said = await python('paho_websocket.py', 'paho.mqtt.client', server.env, ...given);
        assert.equal(said.trim(), `${topic} by Paho 1`);
      });

    test(`a page of any origin, on the ${port} port`, async () => {
      const options = { clientId: `page-${port}`, wsOptions: { origin: 'https://console.example' } };
      assert.equal(await roundTrip(await presigned(port), options, 'ws/page'), 'ws/page by MQTT.js');
    });

    test(`bad signatures on the ${port} port are answered 403 and recorded`, async () => {
      const hour = 3_600_000;
      const at = (difference: number): PresignOptions => ({ at: new Date(Date.now() + difference) });
      const good = await presigned(port);
      const guess = { ...server.credentials(), secretAccessKey: 'guess' };
      for (const [url, reason] of [
        [await presigned(port, at(-hour)), /expired/],
        [await presigned(port, at(hour)), /not yet current/],
        [await presigned(port, { service: 'iotdata' }), /'iotdevicegateway'/],
        [await presign(urlOf(port), guess), /does not match/],
        [good.replace('us-east-1', 'us-west-2'), /does not match/],
        [`${good}&more=1`, /does not match/],
      ] as const) {
        const seen = server.log.length;
        assert.deepEqual(await refused(url), { status: 403, type: 'ForbiddenException:' });
        await server.logged(
          (line) =>
            server.log.indexOf(line) >= seen &&
            line.event === 'refused' &&
            line.protocol === 'websocket' &&
            line.check === 'signature' &&
            reason.test(String(line.reason)),
        );
      }
      assert.equal((await refused(await presigned(port, { path: '/other' }))).status, 404);
    });
  }

  test('the device SDK signs an upgrade by itself', async () => {
    const { accessKeyId, secretAccessKey } = server.credentials();
    const env = { ...plainEnvironment(), AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const script = fileURLToPath(new URL('sdk-websocket.ts', import.meta.url));
    const said = await succeed(process.execPath, [script, `${server.ports.https}`, server.rootCa, 'ws/sdk'], { env });
    assert.equal(said.trim(), 'ws/sdk by the SDK');
  });

  test('an API port with TLS takes WebSockets as well', async () => {
    await using secure = await startServer({ args: ['--api-tls'] });
    const url = await presign(`wss://localhost:${secure.ports.api}`, secure.credentials());
    const options = { clientId: 'secure', ca: readFileSync(secure.rootCa) };
    assert.equal(await roundTrip(url, options, 'ws/secure'), 'ws/secure by MQTT.js');
  });

  test('each region that is signed for is a space of its own', async () => {
    const here = await open(await presigned('API'), { clientId: 'here' });
    const there = await open(await presigned('API', { region: 'eu-west-1' }), { clientId: 'there' });
    try {
      const got: string[] = [];
      for (const client of [here, there]) client.on('message', (_topic, payload) => got.push(String(payload)));
      await here.subscribeAsync('region', { qos: 1 });
      await there.subscribeAsync('region', { qos: 1 });
      const message = once(here as unknown as EventEmitter, 'message');
      await there.publishAsync('region', 'from there', { qos: 1 });
      await here.publishAsync('region', 'from here', { qos: 1 });
      await within('the message', message);
      // Answered in order: whatever was on its way to either has come.
      await Promise.all([here, there].map((client) => client.unsubscribeAsync('region')));
      assert.deepEqual(got.sort(), ['from here', 'from there']);
    } finally {
      await Promise.all([here.endAsync(true), there.endAsync(true)]);
    }
  });
});

describe('a client certificate over WebSocket', () => {
  for (const protocolVersion of [4, 5] as const)
    test(`MQTT.js, version ${protocolVersion}`, async () => {
      const options = { clientId: 'own', protocolVersion, ...keyPair(minding) };
      const topic = 'devices/own/hello';
      assert.equal(await roundTrip(`${urlOf('HTTPS')}/mqtt`, options, topic), `${topic} by MQTT.js`);
    });

  test('Paho, whose origin is the server itself', async () => {
    const given = [`${urlOf('HTTPS')}/mqtt`, server.rootCa, 'paho', 'ws/paho', '4', device.cert, device.key];
    const said = await python('paho_websocket.py', 'paho.mqtt.client', server.env, ...given);
    assert.equal(said.trim(), 'ws/paho by Paho 1');
  });

  test('is authorized at CONNECT by its policies', async () => {
    const options = { clientId: 'other', protocolVersion: 5 as const, ...keyPair(minding) };
    await assert.rejects(open(`${urlOf('HTTPS')}/mqtt`, options), /Not authorized/);
    const { action, certificateId } = await server.logged((line) => line.event === 'refused' && line.clientId === 'other');
    assert.deepEqual({ action, certificateId }, { action: 'iot:Connect', certificateId: minding.certificateId });
  });

  test('is not for pages of other origins: a browser adds it by itself', async () => {
    const { status } = await refused(`${urlOf('HTTPS')}/mqtt`, { ...keyPair(device), origin: 'https://evil.example' });
    assert.equal(status, 403);
    await server.logged((line) => line.protocol === 'websocket' && /another origin/.test(String(line.reason)));
  });

  test('nothing at all is refused at CONNECT', async () => {
    for (const port of PORTS)
      await assert.rejects(open(`${urlOf(port)}/mqtt`, { clientId: `nobody-${port}`, protocolVersion: 5 }), /Not authorized/);
  });
});

describe('hostile upgrades', () => {
  const HEAD = [
    'host: localhost',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-protocol: mqtt',
  ];
  const KEY = 'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==';
  /** First line of what the HTTPS port answers to these bytes until it closes. */
  async function said(...lines: string[]): Promise<string> {
    const socket = tlsConnect({ host: '127.0.0.1', port: server.ports.https, servername: 'localhost', ca });
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await within('the end', once(socket, 'close'));
    return text.split('\r\n', 1)[0] ?? '';
  }

  for (const [what, lines, status] of [
    ['no key', HEAD, '400'],
    ['two keys', [...HEAD, KEY, KEY], '400'],
    ['a bad version', [...HEAD.filter((line) => !line.includes('version')), KEY, 'sec-websocket-version: 8'], '400'],
    ['two hosts', [...HEAD, KEY, 'host: other'], '400'],
    ['a body', [...HEAD, KEY, 'content-length: 5'], '400'],
    ['a head that is too large', [...HEAD, KEY, `x: ${'x'.repeat(20_000)}`], '431'],
  ] as const)
    test(`${what}: ${status}`, async () => {
      assert.match(await said('GET /mqtt HTTP/1.1', ...lines), new RegExp(`^HTTP/1.1 ${status} `));
    });

  test('bytes that are no frames end the connection', async () => {
    const socket = tlsConnect({ host: '127.0.0.1', port: server.ports.https, servername: 'localhost', ca, ...keyPair(device) });
    socket.on('error', () => undefined);
    socket.write(`${['GET /mqtt HTTP/1.1', ...HEAD, KEY].join('\r\n')}\r\n\r\n`);
    const [answer] = await within('the upgrade', once(socket, 'data'));
    assert.match(String(answer), /^HTTP\/1.1 101 /);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    await within('the end', once(socket, 'close'));
  });
});

describe('the data plane on the HTTPS port (fact 1.6)', () => {
  const at = (path: string): string => `https://localhost:${server.ports.https}${path}`;
  const curl = (...args: readonly string[]): Promise<string> => succeed('curl', ['-sS', '--cacert', server.rootCa, ...args]);
  const withCertificate = ({ cert, key }: Device): string[] => ['--cert', cert, '--key', key];

  test('all parameters of a publish arrive as properties, of a large body after 100-continue too', async () => {
    using listener = await DeviceConnection.admitted(server, 5, 'listener', device);
    listener.subscribe('http/all', 1);
    assert.equal((await listener.next()).cmd, 'suback');
    const query = 'qos=1&retain=true&contentType=text%2Fplain&responseTopic=answers%2Fhere&messageExpiry=600';
    const headers = {
      'x-amz-mqtt5-user-properties': Buffer.from('[{"a":"1"},{"a":"2"}]').toString('base64'),
      'x-amz-mqtt5-payload-format-indicator': 'UTF8_DATA',
      'x-amz-mqtt5-correlation-data': Buffer.from('42').toString('base64'),
    };
    const sent = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const expecting = ['-H', 'Expect: 100-continue', '-v', '--stderr', '-'];
    const said = await curl(
      ...withCertificate(device),
      ...sent,
      ...expecting,
      '--data-binary',
      'all',
      at(`/topics/http%2Fall?${query}`),
    );
    assert.match(said, /< HTTP\/1.1 100 Continue[\s\S]*< HTTP\/1.1 200 OK/);
    assert.match(said, /\{"message":"OK","traceId":"[0-9a-f-]{36}"\}/);
    const message = await listener.next();
    assert.ok(message.cmd === 'publish');
    const { payload, qos, retain, properties } = message;
    assert.deepEqual([String(payload), qos, retain], ['all', 1, false]);
    const { correlationData, userProperties, ...rest } = properties ?? {};
    assert.equal(String(correlationData), '42');
    assert.deepEqual({ ...userProperties }, { a: ['1', '2'] });
    const { messageExpiryInterval = 0, ...others } = rest;
    assert.ok(messageExpiryInterval > 590 && messageExpiryInterval <= 600, `${messageExpiryInterval} s`);
    assert.deepEqual(others, { payloadFormatIndicator: true, contentType: 'text/plain', responseTopic: 'answers/here' });
  });

  test('a certificate reads retained messages, each by its own right', async () => {
    const body = ['--data-binary', 'kept'];
    await curl(...withCertificate(device), ...body, at('/topics/http%2Fkept?qos=1&retain=true'));
    const kept = JSON.parse(await curl(...withCertificate(device), at('/retainedMessage/http%2Fkept')));
    assert.deepEqual([kept.topic, kept.qos, Buffer.from(kept.payload, 'base64').toString()], ['http/kept', 1, 'kept']);
    const { retainedTopics } = JSON.parse(await curl(...withCertificate(device), at('/retainedMessage?maxResults=200')));
    assert.ok(retainedTopics.some(({ topic }: { topic: string }) => topic === 'http/kept'));
    assert.match(await curl(...withCertificate(minding), at('/retainedMessage/http%2Fkept')), /"message":"Forbidden"/);
  });

  test('a certificate may do what its policies allow, and no more', async () => {
    const code = (target: string, ...more: string[]): Promise<string> =>
      curl(...withCertificate(minding), '-o', '/dev/null', '-w', '%{http_code}', ...more, at(target));
    assert.equal(await code('/topics/devices%2Fown%2Fhello', '--data', 'x'), '200');
    assert.equal(await code('/topics/devices%2Fother%2Fhello', '--data', 'x'), '403');
    assert.equal(await code('/topics/devices%2Fown%2Fhello?retain=true', '--data', 'x'), '403');
    const { action, certificateId } = await server.logged((line) => line.action === 'iot:RetainPublish');
    assert.deepEqual({ action, certificateId }, { action: 'iot:RetainPublish', certificateId: minding.certificateId });
    assert.equal(await code('/retainedMessage'), '403');
    const foreign = ['-H', 'Origin: https://evil.example'];
    assert.equal(await code('/topics/devices%2Fown%2Fhello', '--data', 'x', ...foreign), '403');
    await server.logged((line) => line.action === 'iot:ListRetainedMessages' && line.certificateId === minding.certificateId);
  });

  test('an SDK signs for the data plane as on the API port', async () => {
    using listener = await DeviceConnection.admitted(server, 5, 'signed-listener', device);
    listener.subscribe('http/signed/#');
    assert.equal((await listener.next()).cmd, 'suback');
    const client = new IoTDataPlaneClient({
      endpoint: at(''),
      region: 'us-east-1',
      credentials: server.credentials(),
      requestHandler: { httpsAgent: new Agent({ ca }) },
      maxAttempts: 1,
    });
    try {
      await client.send(new PublishCommand({ topic: 'http/signed/sdk', payload: Buffer.from('by the SDK') }));
    } finally {
      client.destroy();
    }
    const message = await listener.next();
    assert.ok(message.cmd === 'publish');
    assert.equal(`${message.topic} ${message.payload}`, 'http/signed/sdk by the SDK');
  });

  for (const service of ['iotdata', 'iotdevicegateway'])
    test(`curl signs for the service ${service}`, async () => {
      const { accessKeyId, secretAccessKey } = server.credentials();
      const sign = (secret: string): Promise<string> =>
        curl(
          ...['--aws-sigv4', `aws:amz:us-east-1:${service}`, '--user', `${accessKeyId}:${secret}`, '--data', 'x'],
          at('/topics/signed'),
        );
      assert.match(await sign(secretAccessKey), /"message":"OK"/);
      assert.match(await sign('guess'), /signature we calculated does not match/);
      await server.logged((line) => line.protocol === 'https' && line.check === 'signature');
    });
});

test('SIGTERM says goodbye to WebSockets, upgraded and not, and ends', async () => {
  await using own = await startServer();
  const url = await presign(`ws://127.0.0.1:${own.ports.api}`, own.credentials());
  const connected = await within(
    'CONNACK',
    mqtt.connectAsync(url, { clientId: 'c', protocolVersion: 5, reconnectPeriod: 0 }, false),
  );
  const silent = new WebSocket(url, 'mqtt');
  await once(silent, 'open');
  const goodbye = once(connected as unknown as EventEmitter, 'disconnect');
  const closed = once(silent, 'close');
  assert.equal(await within('the end', own.stop()), 0);
  const [{ reasonCode }] = (await within('DISCONNECT', goodbye)) as [{ reasonCode: number }];
  assert.equal(reasonCode, 0x8b);
  assert.deepEqual((await within('the close frame', closed))[0], 1000);
  await connected.endAsync(true);
});
