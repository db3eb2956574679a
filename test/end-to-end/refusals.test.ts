/**
 * Who is refused, what the client sees of it, and that the reason can be read back: by the command, in the log, and as
 * an event. What a client sees follows the AWS IoT developer guide, pages mqtt and iot-policy-actions, and what AWS's
 * engineers say of MQTT 3.1.1: a refused PUBLISH or SUBSCRIBE ends the connection without an answer.
 */
// needs: openssl
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import {
  AttachPolicyCommand,
  DeleteCertificateCommand,
  DetachPolicyCommand,
  RegisterCertificateWithoutCACommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { selfSigned } from './certificates.ts';
import { DeviceConnection, type Level, type Seen } from './device-connection.ts';
import { ALLOW_ALL, allow, arn, type Device, makeDevice, makePolicy, type Statement } from './devices.ts';
import { startServer, type TestServer, thingkeep } from './test-core.ts';
import { until, within } from './until.ts';

interface Refusal {
  readonly check: string;
  readonly reason: string;
  readonly clientId?: string;
  readonly certificateId?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly decision?: string;
  readonly policyName?: string;
  readonly statement?: string;
}

let server: TestServer;
let admin: Device;
let watcher: DeviceConnection;
const events: { topic: string; refusal: Refusal }[] = [];

before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  admin = await makeDevice(server, 'admin', 'all');
  watcher = await DeviceConnection.admitted(server, 5, 'admin', admin, { keepalive: 1200 });
  watcher.subscribe('$thingkeep/events/refusals/#');
  assert.equal((await watcher.next()).cmd, 'suback');
  void follow();
});
after(async () => {
  watcher[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

async function follow(): Promise<void> {
  for (;;) {
    const seen = await watcher.next(120_000).catch(() => ({ cmd: 'closed' }) as const);
    if (seen.cmd === 'closed') return;
    if (seen.cmd === 'publish') events.push({ topic: seen.topic, refusal: JSON.parse(seen.payload.toString()) as Refusal });
  }
}

/** The refusal of a client by `thingkeep refusals --json`, after the log and the events have been seen to tell the same. */
async function recorded(clientId: string, check: string, { event = true }: { event?: boolean } = {}): Promise<Refusal> {
  const line = await server.logged((entry) => entry.event === 'refused' && entry.clientId === clientId && entry.check === check);
  if (event) {
    const told = await until('the event', () =>
      events.find(({ refusal }) => refusal.clientId === clientId && refusal.check === check),
    );
    assert.equal(told.topic, `$thingkeep/events/refusals/${clientId}`);
    assert.equal(told.refusal.reason, line.reason);
  }
  const { code, stdout, stderr } = await thingkeep([
    'refusals',
    '--data-dir',
    server.dataDir,
    '--client-id',
    clientId,
    '--check',
    check,
    '--json',
  ]);
  assert.equal(code, 0, stderr);
  const found = stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Refusal);
  assert.ok(found[0] !== undefined && found[0].reason === line.reason);
  return found[0];
}

const LEVELS: readonly Level[] = [4, 5];
const version = (level: Level): string => (level === 4 ? 'MQTT 3.1.1' : 'MQTT 5');

/** MQTT 3.1.1 is closed without a word; MQTT 5 gets CONNACK 0x87 first. */
async function assertConnectRefused(
  level: Level,
  clientId: string,
  device: { certPem?: string; keyPem?: string },
): Promise<void> {
  const { device: connection, answer } = await DeviceConnection.connect(server, level, clientId, device);
  using _ = connection;
  if (level === 4) return void assert.equal(answer.cmd, 'closed');
  assert.equal(answer.cmd, 'connack');
  assert.equal('reasonCode' in answer ? answer.reasonCode : undefined, 0x87);
  assert.equal((await connection.next()).cmd, 'closed');
}

describe('a certificate that gives no entry', () => {
  const asDevice = async (name: string): Promise<Device> => makeDevice(server, name, 'all');
  const update = (device: Device, newStatus: 'INACTIVE' | 'REVOKED'): Promise<unknown> =>
    server.iot.send(new UpdateCertificateCommand({ certificateId: device.certificateId, newStatus }));

  for (const [what, check, reason, make] of [
    ['none at all', 'certificate-missing', /showed no certificate/, async () => ({})],
    ['one that is not registered', 'certificate-unknown', /not registered/, async () => selfSigned('stranger')],
    ['one that is INACTIVE', 'certificate-not-active', /INACTIVE/, async () => makeDevice(server, 'inactive', 'all', false)],
    [
      'one that is REVOKED',
      'certificate-not-active',
      /REVOKED/,
      async () => {
        const device = await asDevice('revoked');
        await update(device, 'REVOKED');
        return device;
      },
    ],
    [
      'one that was deleted',
      'certificate-unknown',
      /not registered/,
      async () => {
        const device = await asDevice('deleted');
        await update(device, 'INACTIVE');
        await server.iot.send(new DeleteCertificateCommand({ certificateId: device.certificateId, forceDelete: true }));
        return device;
      },
    ],
    [
      'one that has expired',
      'certificate-expired',
      /expired on 2020-01-02/,
      async () => {
        const expired = await selfSigned('expired', ['20200101000000Z', '20200102000000Z']);
        const { certificateArn } = await server.iot.send(
          new RegisterCertificateWithoutCACommand({ certificatePem: expired.certPem, status: 'ACTIVE' }),
        );
        await server.iot.send(new AttachPolicyCommand({ policyName: 'all', target: certificateArn }));
        return expired;
      },
    ],
  ] as const)
    for (const level of LEVELS)
      test(`${what}, ${version(level)}`, async () => {
        const clientId = `${check}-${what.replaceAll(' ', '-')}-${level}`;
        await assertConnectRefused(level, clientId, await make());
        const known = check !== 'certificate-missing' && check !== 'certificate-unknown';
        assert.match((await recorded(clientId, check, { event: known })).reason, reason);
      });
});

describe('a policy that does not allow', () => {
  let device: Device;
  const statements: Statement[] = [
    allow('iot:Connect', arn('client/mine-*')),
    allow('iot:Publish', arn('topic/open/*')),
    allow('iot:RetainPublish', arn('topic/open/kept')),
    allow('iot:Subscribe', arn('topicfilter/open/*'), arn('topicfilter/unread/*')),
    allow('iot:Receive', arn('topic/open/*')),
    { Effect: 'Deny', Action: 'iot:Publish', Resource: arn('topic/open/never') },
  ];
  before(async () => {
    await makePolicy(server, 'narrow', statements);
    device = await makeDevice(server, 'narrow', 'narrow');
  });
  const admitted = (level: Level, name: string): Promise<DeviceConnection> =>
    DeviceConnection.admitted(server, level, `mine-${name}-${level}`, device);
  const reasonOf = (seen: Seen): unknown => ('reasonCode' in seen ? seen.reasonCode : undefined);

  for (const level of LEVELS) {
    test(`the client id, ${version(level)}`, async () => {
      await assertConnectRefused(level, `yours-${level}`, device);
      const refusal = await recorded(`yours-${level}`, 'policy');
      assert.equal(refusal.action, 'iot:Connect');
      assert.equal(refusal.resource, arn(`client/yours-${level}`));
      assert.equal(refusal.decision, 'IMPLICIT_DENY');
      assert.equal(refusal.certificateId, device.certificateId);
    });

    test(`a certificate without any policy, ${version(level)}`, async () => {
      await assertConnectRefused(level, `bare-${level}`, await makeDevice(server, `bare-${level}`));
      assert.equal((await recorded(`bare-${level}`, 'policy')).decision, 'IMPLICIT_DENY');
    });

    for (const qos of [0, 1] as const)
      test(`a publish of QoS ${qos}, ${version(level)}`, async () => {
        using connection = await admitted(level, `publishes-${qos}`);
        connection.publish('closed/topic', 'x', { qos });
        const seen = await connection.next();
        if (level === 5 && qos === 1) {
          assert.equal(seen.cmd, 'puback');
          assert.equal(reasonOf(seen), 0x87);
          assert.ok(await connection.nothingCame(), 'and stays connected');
        } else if (level === 5) {
          assert.equal(seen.cmd, 'disconnect');
          assert.equal(reasonOf(seen), 0x87);
          assert.equal((await connection.next()).cmd, 'closed');
        } else assert.equal(seen.cmd, 'closed');
        const refusal = await recorded(`mine-publishes-${qos}-${level}`, 'policy');
        assert.equal(refusal.resource, arn('topic/closed/topic'));
      });

    test(`a publish that a statement denies, ${version(level)}: the statement is named`, async () => {
      using connection = await admitted(level, 'denied');
      connection.publish('open/never', 'x');
      await connection.next();
      const refusal = await recorded(`mine-denied-${level}`, 'policy');
      assert.equal(refusal.decision, 'EXPLICIT_DENY');
      assert.equal(refusal.policyName, 'narrow');
      assert.ok(refusal.statement !== undefined);
    });

    test(`a retained publish, ${version(level)}`, async () => {
      using connection = await admitted(level, 'retains');
      connection.publish('open/kept', 'x', { qos: 1, retain: true });
      assert.equal((await connection.next()).cmd, 'puback');
      connection.publish('open/other', 'x', { qos: 0, retain: true });
      const seen = await connection.next();
      assert.equal(seen.cmd, level === 5 ? 'disconnect' : 'closed');
      const refusal = await recorded(`mine-retains-${level}`, 'policy');
      assert.equal(refusal.action, 'iot:RetainPublish');
      assert.equal(refusal.resource, arn('topic/open/other'));
    });

    test(`a subscription, ${version(level)}`, async () => {
      using connection = await admitted(level, 'subscribes');
      connection.subscribe('closed/#');
      const seen = await connection.next();
      if (level === 5) {
        assert.deepEqual(seen.cmd === 'suback' && seen.granted, [0x87]);
        assert.ok(await connection.nothingCame(), 'and stays connected');
      } else assert.equal(seen.cmd, 'closed');
      const refusal = await recorded(`mine-subscribes-${level}`, 'policy');
      assert.equal(refusal.resource, arn('topicfilter/closed/#'));
    });

    test(`a delivery (iot:Receive), ${version(level)}: nothing comes, and the connection stands`, async () => {
      using connection = await admitted(level, 'receives');
      connection.subscribe('unread/topic');
      assert.equal((await connection.next()).cmd, 'suback');
      using publisher = await DeviceConnection.admitted(server, level, `publisher-${level}`, admin);
      publisher.publish('unread/topic', 'x', { qos: 1 });
      assert.equal((await publisher.next()).cmd, 'puback');
      assert.ok(await connection.nothingCame());
      const refusal = await recorded(`mine-receives-${level}`, 'policy', { event: false });
      assert.equal(refusal.action, 'iot:Receive');
    });

    test(`a will, ${version(level)}`, async () => {
      const will = { topic: 'closed/will', payload: Buffer.from('gone'), qos: 0 as const, retain: false };
      const { device: connection, answer } = await DeviceConnection.connect(server, level, `mine-will-${level}`, device, {
        will,
      });
      using _ = connection;
      assert.equal(answer.cmd, level === 5 ? 'connack' : 'closed');
      if (level === 5) assert.equal(reasonOf(answer), 0x87);
      const refusal = await recorded(`mine-will-${level}`, 'policy');
      assert.equal(refusal.action, 'iot:Publish');
      assert.equal(refusal.resource, arn('topic/closed/will'));
    });
  }
});

describe('reserved topics, even for a device that is allowed everything (developer guide, page reserved-topics)', () => {
  for (const level of LEVELS) {
    for (const topic of [
      '$aws/events/presence/connected/x',
      '$aws/things/x/shadow/update/accepted',
      '$thingkeep/events/refusals/x',
      '$SYS/load',
      '$mine',
    ])
      test(`a publish on ${topic}, ${version(level)}`, async () => {
        const clientId = `reserved-${topic.replaceAll(/\W/g, '-')}-${level}`;
        using connection = await DeviceConnection.admitted(server, level, clientId, admin);
        connection.publish(topic, 'x');
        assert.equal((await connection.next()).cmd, level === 5 ? 'disconnect' : 'closed');
        assert.equal((await recorded(clientId, 'reserved-topic')).resource, arn(`topic/${topic}`));
      });

    test(`a subscription to $aws/rules/x, ${version(level)}`, async () => {
      const clientId = `reserved-rules-${level}`;
      using connection = await DeviceConnection.admitted(server, level, clientId, admin);
      connection.subscribe('$aws/rules/x');
      const seen = await connection.next();
      if (level === 5) assert.deepEqual(seen.cmd === 'suback' && seen.granted, [0x87]);
      else assert.equal(seen.cmd, 'closed');
      await recorded(clientId, 'reserved-topic');
    });
  }

  for (const level of LEVELS)
    test(`a will on $aws/events/x, ${version(level)}`, async () => {
      const clientId = `reserved-will-${level}`;
      const will = { topic: '$aws/events/x', payload: Buffer.from('gone'), qos: 0 as const, retain: false };
      const { device: connection, answer } = await DeviceConnection.connect(server, level, clientId, admin, { will });
      using _ = connection;
      assert.equal(answer.cmd, level === 5 ? 'connack' : 'closed');
      assert.equal((await recorded(clientId, 'reserved-topic')).resource, arn('topic/$aws/events/x'));
    });

  test('a wildcard at the first level does not reach topics that begin with $ [MQTT-4.7.2-1]', async () => {
    using listener = await DeviceConnection.admitted(server, 4, 'wildcard', admin);
    listener.subscribe('#');
    assert.equal((await listener.next()).cmd, 'suback');
    await assertConnectRefused(4, 'makes-an-event', await makeDevice(server, 'makes-an-event'));
    await recorded('makes-an-event', 'policy');
    assert.ok(await listener.nothingCame());
  });
});

describe('taking over a client id', () => {
  for (const level of LEVELS) {
    test(`by a principal whose policy does not allow it: refused, and the first goes on, ${version(level)}`, async () => {
      using first = await DeviceConnection.admitted(server, level, `owner-${level}`, admin);
      await makePolicy(server, `foreign-${level}`, [allow('iot:Connect', arn('client/foreign'))]);
      await assertConnectRefused(level, `owner-${level}`, await makeDevice(server, `foreign-${level}`, `foreign-${level}`));
      assert.ok(await first.nothingCame());
      assert.equal((await recorded(`owner-${level}`, 'policy')).action, 'iot:Connect');
    });

    test(`by one whose policy does: the first is sent away, ${version(level)}`, async () => {
      using first = await DeviceConnection.admitted(server, level, `shared-${level}`, admin);
      const other = await makeDevice(server, `other-${level}`, 'all');
      using second = await DeviceConnection.admitted(server, level, `shared-${level}`, other);
      if (level === 5) {
        const seen = await first.next();
        assert.equal(seen.cmd, 'disconnect');
        assert.equal('reasonCode' in seen ? seen.reasonCode : undefined, 0x8e);
      }
      assert.equal((await first.next()).cmd, 'closed');
      assert.ok(await second.nothingCame());
      const { reason } = await recorded(`shared-${level}`, 'take-over');
      for (const { certificateId } of [admin, other]) assert.ok(reason.includes(`certificate ${certificateId} from 127.0.0.1`));
      assert.match(reason, /give each device a client id of its own/);
    });
  }
});

describe('a client at the wrong port, or one that TLS does not let in', () => {
  const CONNECT = Buffer.from('100d00044d5154540402003c000163', 'hex');
  const HTTP = 'GET /things/x HTTP/1.1\r\nHost: localhost\r\n\r\n';
  type Port = 'api' | 'mqtt' | 'https';
  const ended = (socket: Socket): Promise<unknown> => {
    socket.on('error', () => undefined).resume();
    return within('the end', new Promise((resolve) => socket.once('close', resolve)));
  };
  const inClear = (port: Port, bytes: string | Buffer): Promise<unknown> => {
    const socket = connectTcp(server.ports[port], '127.0.0.1');
    socket.end(bytes);
    return ended(socket);
  };
  const overTls = (port: Port, bytes: string | Buffer, options: ConnectionOptions = {}): Promise<unknown> => {
    const ca = readFileSync(server.rootCa);
    const socket = connectTls({ port: server.ports[port], host: '127.0.0.1', servername: 'localhost', ca, ...options });
    socket.once('secureConnect', () => socket.end(bytes));
    return ended(socket);
  };
  const mistakes: readonly (readonly [what: string, make: () => Promise<unknown>, protocol: string, reason: RegExp])[] = [
    [
      'MQTT over TLS on the HTTPS port without ALPN',
      () => overTls('https', CONNECT),
      'https',
      /without ALPN: offer .*x-amzn-mqtt-ca/,
    ],
    ['MQTT in clear on the MQTT port', () => inClear('mqtt', CONNECT), 'mqtt', /plain MQTT, for instance\): turn TLS on/],
    ['HTTP in clear on the MQTT port', () => inClear('mqtt', HTTP), 'mqtt', /HTTPS for devices is on port \d+/],
    ['HTTPS on the MQTT port', () => overTls('mqtt', HTTP), 'mqtt', /HTTP request came on the MQTT port: HTTPS .* port \d+/],
    ['http: on the HTTPS port', () => inClear('https', HTTP), 'https', /use https: in the URL/],
    ['MQTT on the API port', () => inClear('api', CONNECT), 'api', /on the API port: MQTT over TLS is on port \d+/],
    ['TLS on the API port', () => overTls('api', CONNECT), 'api', /speaks HTTP without TLS/],
    ['another CA', () => overTls('mqtt', CONNECT, { ca: undefined }), 'mqtt', /does not trust this server.*root-ca\.pem/],
    [
      'TLS 1.1',
      () => overTls('mqtt', '', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }),
      'mqtt',
      /neither TLS 1\.2 nor TLS 1\.3/,
    ],
    [
      'no cipher in common',
      () => overTls('mqtt', '', { maxVersion: 'TLSv1.2', ciphers: 'DHE-RSA-AES128-SHA256' }),
      'mqtt',
      /no cipher suite/,
    ],
    ['ALPN of something else', () => overTls('https', '', { ALPNProtocols: ['h2'] }), 'https', /x-amzn-http-ca or http\/1\.1/],
  ];
  for (const [what, make, protocol, reason] of mistakes)
    test(what, async () => {
      await make();
      const line = await server.logged((entry) => entry.event === 'refused' && reason.test(String(entry.reason)));
      assert.deepEqual([line.protocol, line.sourceIp], [protocol, '127.0.0.1']);
    });

  test('a health check that opens TLS and leaves has one record, on whatever port', async () => {
    const localAddress = '127.0.0.77';
    const leave = (port: Port): Promise<unknown> =>
      overTls(port, '', { socket: connectTcp({ port: server.ports[port], host: '127.0.0.1', localAddress }) });
    for (const port of ['mqtt', 'mqtt', 'https', 'https'] as const) await leave(port);
    const { reason } = await server.logged((entry) => entry.event === 'refused' && entry.sourceIp === localAddress);
    assert.match(String(reason), /left right after the TLS handshake .* usually the client does not trust this server's CA/);
    const { stdout } = await thingkeep(['refusals', '--data-dir', server.dataDir, '--limit', '1000']);
    assert.equal(stdout.split('\n').filter((line) => line.includes(localAddress)).length, 1);
  });

  test('all of them are read back by the command', async () => {
    const { stdout } = await thingkeep(['refusals', '--data-dir', server.dataDir, '--limit', '1000']);
    for (const [what, , , reason] of mistakes) assert.match(stdout, reason, what);
  });
});

test('a topic of a service that is not there: acknowledged, and recorded', async () => {
  using connection = await DeviceConnection.admitted(server, 5, 'sends-metrics', admin);
  connection.publish('$aws/things/x/defender/metrics/json', '{}', { qos: 1 });
  assert.equal((await connection.next()).cmd, 'puback');
  const { reason } = await recorded('sends-metrics', 'not-implemented');
  assert.match(reason, /Device Defender metrics are not in Thingkeep yet: .* no answer will come/);
});

test('over HTTPS: 403, and the reason', async () => {
  const device = await makeDevice(server, 'https');
  const { request } = await import('node:https');
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const options = { method: 'POST', cert: device.certPem, key: device.keyPem, ca: readFileSync(server.rootCa) };
    const sent = request(`https://localhost:${server.ports.https}/topics/a%2Fb?qos=1`, options, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject);
    sent.end('x');
  });
  assert.equal(status, 403);
  const line = await server.logged(
    (entry) => entry.event === 'refused' && entry.protocol === 'https' && entry.certificateId === device.certificateId,
  );
  assert.equal(line.resource, arn('topic/a/b'));
  const told = await until('the event', () => events.find(({ refusal }) => refusal.certificateId === device.certificateId));
  assert.equal(told.topic, '$thingkeep/events/refusals/-');
  const { stdout } = await thingkeep(['refusals', '--data-dir', server.dataDir, '--certificate-id', device.certificateId]);
  assert.match(stdout, /policy .*iot:Publish on a\/b is not allowed by any statement/);
  const digits = /certificate ([0-9a-f]{12}…)/.exec(stdout)?.[1] ?? '';
  const short = await thingkeep(['refusals', '--data-dir', server.dataDir, '--certificate-id', digits]);
  assert.equal(short.stdout, stdout, 'the digits that a line prints find it');
});

test('the command says what is not there', async () => {
  const ask = (...flags: string[]) => thingkeep(['refusals', '--data-dir', server.dataDir, ...flags]);
  for (const [flags, line] of [
    [['--check', 'nosuch'], /"nosuch" is none of tls, certificate-missing/],
    [['--limit', '0'], /not a number of records from 1/],
    [['--certificate-id', 'abc'], /at least its first 8/],
    [['--account-id', '999999999999'], /there is no account 999999999999/],
  ] as const) {
    const { code, stderr } = await ask(...flags);
    assert.equal(code, 2, flags.join(' '));
    assert.match(stderr, line);
  }
  const { code, stdout, stderr } = await ask('--client-id', 'nobody');
  assert.deepEqual([code, stdout], [0, '']);
  assert.match(stderr, /^no refusals of account 000000000000 with --client-id nobody .* --account-id ID\n$/);
});

test('a policy detached from a device takes its connection', async () => {
  const device = await makeDevice(server, 'detached', 'all');
  using connection = await DeviceConnection.admitted(server, 5, 'detached', device);
  await server.iot.send(new DetachPolicyCommand({ policyName: 'all', target: device.certificateArn }));
  const seen = await connection.next();
  assert.equal(seen.cmd, 'disconnect');
  await recorded('detached', 'policy');
});
