/** Mistakes that people make with a first device, each made with a real client: what is done, and the words that name it. */
import { writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  RegisterCertificateWithoutCACommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { DeviceConnection } from './device-connection.ts';
import { awsOutcome } from './aws-command.ts';
import { selfSigned } from './certificates.ts';
import { allow, arn, type Device, makeDevice, makePolicy, type Statement } from './devices.ts';
import { run, succeed } from './run-command.ts';
import type { TestServer } from './test-core.ts';

export interface Mistake {
  readonly name: string;
  /** Makes it, as the client id that is given; resolves once the client has ended. */
  readonly make: (clientId: string) => Promise<unknown>;
  /** What `thingkeep refusals` says. */
  readonly words: RegExp;
}

export interface MistakeTools {
  readonly server: TestServer;
  /** A device that may do everything. */
  readonly device: Device;
}

const v = (name: string): string => `\${${name}}`;

/** `mosquitto_pub` with flags of its own behind the usual ones. */
function publisher({ server, device }: MistakeTools) {
  return (clientId: string, more: readonly string[] = [], from: Partial<Device> & { cafile?: string; port?: number } = {}) => {
    const { cert, key, cafile = server.rootCa, port = server.ports.mqtt } = { ...device, ...from };
    const tls = ['--cafile', cafile, '--cert', cert, '--key', key];
    const base = ['-h', 'localhost', '-p', String(port), ...tls, '-i', clientId, '-q', '1', '-m', 'x'];
    return run('mosquitto_pub', more.includes('-t') ? [...base, ...more] : [...base, '-t', 'a/b', ...more], { deadline: 20_000 });
  };
}

/** Text over plain TCP; resolves once the server has closed or answered. */
const overTcp = (port: number, text: string | Buffer): Promise<void> =>
  new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });

/** A policy of these statements alone, on a device of its own, that publishes on `topic`. */
function policyMistakes(tools: MistakeTools): Mistake[] {
  const { server } = tools;
  const publish = publisher(tools);
  const publishing = (name: string, statement: Statement, words: RegExp, topic = 'lamp/light'): Mistake => ({
    name,
    words,
    make: async (clientId) => {
      await makePolicy(server, clientId, [allow('iot:Connect', '*'), statement]);
      return publish(clientId, ['-t', topic], await makeDevice(server, clientId, clientId));
    },
  });
  const connecting = (name: string, statement: Statement, words: RegExp): Mistake => ({
    name,
    words,
    make: async (clientId) => {
      await makePolicy(server, clientId, [statement]);
      return publish(clientId, [], await makeDevice(server, clientId, clientId));
    },
  });
  return [
    {
      name: 'no policy attached',
      words: /iot:Connect as \S+ is not allowed by any statement: no policy is attached: attach one that allows iot:Connect/,
      make: async (clientId) => publish(clientId, [], await makeDevice(server, clientId)),
    },
    publishing('an action misspelt', allow('iot:Publsh', '*'), /its Action is iot:Publsh: write iot:Publish/),
    publishing('topics/ for topic/', allow('iot:Publish', arn('topics/lamp/light')), /write topic\//),
    publishing('topicfilter/ to publish', allow('iot:Publish', arn('topicfilter/lamp/*')), /write topic\//),
    publishing('+ in a policy', allow('iot:Publish', arn('topic/+/light')), /MQTT wildcards, .* write \*/),
    publishing('upper case', allow('iot:Publish', arn('topic/Lamp/light')), /upper and lower case/),
    publishing('a slash in front', allow('iot:Publish', arn('topic//lamp/light')), /a slash too many/),
    publishing('no * at the end', allow('iot:Publish', arn('topic/lamp')), /ends before the end of .*: end it with \*/),
    publishing(
      'another region',
      allow('iot:Publish', arn('topic/lamp/light').replace('us-east-1', 'eu-west-1')),
      /has the region eu-west-1, and us-east-1 was asked for/,
    ),
    publishing(
      'another account',
      allow('iot:Publish', arn('topic/lamp/light').replace('000000000000', '123456789012')),
      /has the account 123456789012, and 000000000000 was asked for/,
    ),
    publishing(
      'the action left out',
      allow('iot:Subscribe', '*'),
      /no statement of policy \S+ has the Action iot:Publish \(there is/,
    ),
    connecting('another client id', allow('iot:Connect', arn('client/another')), /client\/another is not for the client id/),
    connecting('client id as thing', allow('iot:Connect', arn('thing/x')), /begins with thing\/, and iot:Connect takes client\//),
    connecting(
      'a thing variable, and no thing',
      allow('iot:Connect', arn(`client/${v('iot:Connection.Thing.ThingName')}`)),
      /has no value here: the client id is not the name of a thing that the certificate is attached to/,
    ),
    {
      name: 'a thing attribute that the thing does not have',
      words: /the thing has no attribute room/,
      make: async (clientId) => {
        await makePolicy(server, clientId, [allow('iot:Connect', arn(`client/${v('iot:Connection.Thing.Attributes[room]')}`))]);
        const device = await makeDevice(server, clientId, clientId);
        await server.iot.send(new CreateThingCommand({ thingName: clientId }));
        await server.iot.send(new AttachThingPrincipalCommand({ thingName: clientId, principal: device.certificateArn }));
        return publish(clientId, [], device);
      },
    },
    {
      name: 'retained, and iot:RetainPublish left out',
      words: /has the Action iot:RetainPublish/,
      make: async (clientId) => {
        await makePolicy(server, clientId, [allow(['iot:Connect', 'iot:Publish'], '*')]);
        return publish(clientId, ['-r'], await makeDevice(server, clientId, clientId));
      },
    },
    {
      name: 'a will on a topic that is not allowed',
      words: /iot:Publish on the will topic gone is not allowed by any statement: the nearest/,
      make: async (clientId) => {
        await makePolicy(server, clientId, [allow('iot:Connect', '*'), allow('iot:Publish', arn('topic/a/b'))]);
        return publish(clientId, ['--will-topic', 'gone', '--will-payload', 'x'], await makeDevice(server, clientId, clientId));
      },
    },
    {
      name: 'a Deny that is wider than meant',
      words: /denied by a statement: statement #2 of policy \S+ has Effect Deny and Resource .*topic\/a\/\*/,
      make: async (clientId) => {
        const deny = { Effect: 'Deny', Action: 'iot:Publish', Resource: arn('topic/a/*') } as const;
        await makePolicy(server, clientId, [allow('iot:*', '*'), deny]);
        return publish(clientId, [], await makeDevice(server, clientId, clientId));
      },
    },
  ];
}

function certificateMistakes(tools: MistakeTools): Mistake[] {
  const { server, device } = tools;
  const publish = publisher(tools);
  const own = async (clientId: string, setAsActive = true): Promise<Device> =>
    makeDevice(server, clientId, 'mistakes', setAsActive);
  /** A certificate of its own making, in files, and registered where that is asked for. */
  const foreign = async (clientId: string, register: boolean, validity?: readonly [string, string]): Promise<Partial<Device>> => {
    const { certPem, keyPem } = await selfSigned(clientId, validity);
    const files = { cert: join(server.dataDir, `${clientId}.crt`), key: join(server.dataDir, `${clientId}.key`) };
    writeFileSync(files.cert, certPem);
    writeFileSync(files.key, keyPem);
    if (!register) return files;
    const made = await server.iot.send(new RegisterCertificateWithoutCACommand({ certificatePem: certPem, status: 'ACTIVE' }));
    await server.iot.send(new AttachPolicyCommand({ policyName: 'mistakes', target: made.certificateArn }));
    return files;
  };
  /** A certificate of an authority that is not registered; the authority's own certificate stays behind. */
  const issuedBy = async (authority: string, clientId: string): Promise<Partial<Device>> => {
    const at = (name: string): string => join(server.dataDir, `${clientId}-${name}`);
    const key = (file: string): string[] => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file];
    const issuer = ['-subj', `/CN=${authority}`, '-out', at('ca.crt'), '-days', '1'];
    await succeed('openssl', ['req', '-x509', ...key(at('ca.key')), ...issuer]);
    await succeed('openssl', ['req', '-new', ...key(at('key')), '-subj', `/CN=${clientId}`, '-out', at('csr')]);
    const sign = ['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '1'];
    await succeed('openssl', ['x509', '-req', '-in', at('csr'), ...sign, '-out', at('crt')]);
    return { cert: at('crt'), key: at('key') };
  };
  const update = (certificateId: string, newStatus: 'INACTIVE' | 'REVOKED') =>
    server.iot.send(new UpdateCertificateCommand({ certificateId, newStatus }));
  return [
    {
      name: 'a certificate that was not activated',
      words: /certificate-not-active .*INACTIVE: activate it by aws iot update-certificate --new-status ACTIVE/,
      make: async (clientId) => publish(clientId, [], await own(clientId, false)),
    },
    {
      name: 'a revoked certificate',
      words: /certificate-not-active .*REVOKED: give the device a new certificate/,
      make: async (clientId) => {
        const made = await own(clientId);
        await update(made.certificateId, 'REVOKED');
        return publish(clientId, [], made);
      },
    },
    {
      name: 'a deleted certificate',
      words: /certificate-unknown .*not registered; it was issued by this server and has been deleted since/,
      make: async (clientId) => {
        const made = await makeDevice(server, clientId, undefined, false);
        await server.iot.send(new DeleteCertificateCommand({ certificateId: made.certificateId }));
        return publish(clientId, [], made);
      },
    },
    {
      name: 'a certificate of its own making, not registered',
      words: /certificate-unknown .*signed by itself: register it by aws iot register-certificate-without-ca/,
      make: async (clientId) => publish(clientId, [], await foreign(clientId, false)),
    },
    {
      name: 'an expired certificate',
      words: /certificate-expired .*2021.*: give the device a new one/,
      make: async (clientId) => publish(clientId, [], await foreign(clientId, true, ['20200101000000Z', '20210101000000Z'])),
    },
    {
      name: 'a certificate that is not valid yet',
      words: /certificate-not-yet-valid .*2040.*check the clock/,
      make: async (clientId) => publish(clientId, [], await foreign(clientId, true, ['20400101000000Z', '20410101000000Z'])),
    },
    {
      name: 'no certificate',
      words:
        /certificate-missing .*showed no certificate: configure the device with its certificate and the matching private key/,
      make: (clientId) =>
        run('mosquitto_pub', [
          ...['-h', 'localhost', '-p', String(server.ports.mqtt), '--cafile', server.rootCa],
          ...['-i', clientId, '-t', 'a/b', '-m', 'x'],
        ]),
    },
    {
      name: 'the wrong CA file on the device',
      words: /tls .*does not trust this server.*: give it the server's root-ca\.pem/,
      make: async (clientId) => publish(clientId, [], { ...device, cafile: (await foreign(clientId, false)).cert }),
    },
    {
      name: 'a clock of the device that is years behind',
      words: /tls .*refuses the server's certificate .*set the client's clock/,
      make: () =>
        run('openssl', [
          ...['s_client', '-connect', `localhost:${server.ports.mqtt}`, '-CAfile', server.rootCa],
          ...['-verify_return_error', '-attime', '1000000000'],
        ]),
    },
    {
      name: 'a clock of the device that is years ahead',
      words: /tls .*says that the server's certificate has expired .*set the client's clock/,
      make: () =>
        run('openssl', [
          ...['s_client', '-connect', `localhost:${server.ports.mqtt}`, '-CAfile', server.rootCa],
          ...['-verify_return_error', '-attime', '4102444800'],
        ]),
    },
    {
      name: 'a certificate of an intermediate, without its chain',
      words: /certificate-unknown .*no registered CA has signed it, its issuer is "CN=factory-line-3": register it by/,
      make: async (clientId) => publish(clientId, [], await issuedBy('factory-line-3', clientId)),
    },
    {
      name: 'TLS 1.1',
      words: /tls .*use TLS 1\.2/,
      make: () =>
        run('openssl', ['s_client', '-connect', `localhost:${server.ports.mqtt}`, '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']),
    },
  ];
}

function portMistakes(tools: MistakeTools): Mistake[] {
  const { server } = tools;
  const publish = publisher(tools);
  const { api, https, mqtt } = server.ports;
  const plain = (port: number) => (clientId: string) =>
    run('mosquitto_pub', ['-h', 'localhost', '-p', String(port), '-i', clientId, '-t', 'a/b', '-m', 'x']);
  const mistake = (name: string, words: RegExp, make: Mistake['make']): Mistake => ({ name, words, make });
  return [
    mistake(
      'MQTT on the HTTPS port without ALPN',
      /MQTT came on the HTTPS port without ALPN: offer the ALPN protocol x-amzn-mqtt-ca there, or connect to the MQTT port/,
      (id) => publish(id, [], { port: https }),
    ),
    mistake('MQTT without TLS on the MQTT port', /did not use TLS \(plain MQTT, for instance\): turn TLS on/, plain(mqtt)),
    mistake('MQTT without TLS on the API port', /MQTT came on the API port: MQTT over TLS is on port/, plain(api)),
    mistake('MQTT with TLS on the API port', /TLS came on the API port, .*use http:/, (id) => publish(id, [], { port: api })),
    mistake('HTTPS on the MQTT port', /an HTTP request came on the MQTT port: HTTPS for devices is on port/, () =>
      run('curl', ['-s', '--cacert', server.rootCa, `https://localhost:${mqtt}/topics/a?qos=1`, '-d', 'x']),
    ),
    mistake('http: on the HTTPS port', /an http: request came on a port of HTTPS: use https:/, () =>
      run('curl', ['-s', `http://localhost:${https}/`]),
    ),
    mistake('something else on the MQTT port', /did not use TLS .*: turn TLS on/, () => overTcp(mqtt, 'SSH-2.0-OpenSSH_9.2\r\n')),
  ];
}

function messageMistakes(tools: MistakeTools): Mistake[] {
  const { server, device } = tools;
  const publish = publisher(tools);
  const subscribe = (clientId: string, ...filters: string[]) =>
    run('mosquitto_sub', [
      ...['-h', 'localhost', '-p', String(server.ports.mqtt), '--cafile', server.rootCa, '--cert', device.cert],
      ...['--key', device.key, '-i', clientId, '-W', '1', ...filters.flatMap((filter) => ['-t', filter])],
    ]);
  const big = join(server.dataDir, 'big');
  writeFileSync(big, Buffer.alloc(132_000, 'x'));
  return [
    { name: 'QoS 2', words: /a PUBLISH of QoS 2: use QoS 0 or 1/, make: (id) => publish(id, ['-q', '2']) },
    {
      name: 'a payload over 128 KB',
      words: /a payload of 132000 bytes; the limit is 131072 \(128 KiB\): send it in several messages/,
      make: (id) =>
        run('mosquitto_pub', [
          ...['-h', 'localhost', '-p', String(server.ports.mqtt), '--cafile', server.rootCa, '--cert', device.cert],
          ...['--key', device.key, '-i', id, '-t', 'a/b', '-q', '1', '-f', big],
        ]),
    },
    {
      name: 'a topic of nine levels',
      words: /topic .*it has more than 7 slashes/,
      make: (id) => publish(id, ['-t', 'a/b/c/d/e/f/g/h/i']),
    },
    { name: 'a topic over 256 bytes', words: /topic .*it is over 256 bytes/, make: (id) => publish(id, ['-t', 'x'.repeat(300)]) },
    {
      name: 'an answer of the shadow published',
      words: /reserved-topic .*may not publish/,
      make: (id) => publish(id, ['-t', '$aws/things/x/shadow/update/accepted']),
    },
    {
      name: 'a topic of its own that begins with $',
      words: /reserved-topic .*may not publish/,
      make: (id) => publish(id, ['-t', '$own/x']),
    },
    {
      name: 'metrics for Device Defender, which is not there yet',
      words: /not-implemented .*Device Defender metrics are not in Thingkeep yet/,
      make: (id) => publish(id, ['-t', '$aws/things/x/defender/metrics/json']),
    },
    {
      name: 'nine filters in one SUBSCRIBE',
      words: /a SUBSCRIBE with 9 filters; the limit is 8/,
      make: (id) => subscribe(id, ...Array.from({ length: 9 }, (_, n) => `f/${n}`)),
    },
    { name: 'a client id over 128 bytes', words: /client-id .*128/, make: () => publish('x'.repeat(140)) },
    {
      name: 'two devices with one client id',
      words: /take-over .*two connections use the client id .*need a client id each/,
      make: async (id) => {
        using _ = await DeviceConnection.admitted(server, 4, id, device);
        return await publish(id);
      },
    },
  ];
}

function apiMistakes({ server, device }: MistakeTools): Mistake[] {
  const aws = (env: Record<string, string>, ...args: string[]) => awsOutcome({ env: { ...server.env, ...env } }, 'iot', ...args);
  const key = { AWS_ACCESS_KEY_ID: server.credentials().accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' };
  const mistake = (name: string, words: RegExp, make: Mistake['make']): Mistake => ({ name, words, make });
  return [
    mistake('a wrong secret', /signature .*The secret is not the one of the key/, () => aws(key, 'list-things')),
    mistake('a key of another server', /signature .*This server has no such key .*: take its own, by thingkeep env/, () =>
      aws({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'x' }, 'list-things'),
    ),
    mistake('no signature', /signature .*The request has no signature: give the client an access key/, () =>
      aws({}, '--no-sign-request', 'list-things'),
    ),
    ...(
      [
        ['a wildcard', 'a%23?qos=1', 'x', /protocol .*Publish: The topic is not valid: \+ and # are for filters/],
        ['QoS 2', 'a?qos=2', 'x', /protocol .*Publish: .*'qos'/],
        ['nine levels', 'a/b/c/d/e/f/g/h/i?qos=1', 'x', /protocol .*Publish: .*more than 7 slashes/],
        ['a payload over 128 KB', 'a?qos=1', 'x'.repeat(132_000), /Publish: The payload exceeds the maximum size/],
      ] as const
    ).map(([what, path, body, words]) =>
      mistake(`HTTPS publish with ${what}`, words, () =>
        run(
          'curl',
          [
            ...['-s', '--cacert', server.rootCa, '--cert', device.cert, '--key', device.key, '--data-binary', '@-'],
            `https://localhost:${server.ports.https}/topics/${path}`,
          ],
          { input: body },
        ),
      ),
    ),
    mistake(
      'HTTPS publish without a certificate',
      /certificate-missing .*showed no certificate .*: give it a certificate, or name one/,
      () => run('curl', ['-s', '--cacert', server.rootCa, `https://localhost:${server.ports.https}/topics/a?qos=1`, '-d', 'x']),
    ),
  ];
}

export const mistakesOf = (tools: MistakeTools): readonly Mistake[] => [
  ...policyMistakes(tools),
  ...certificateMistakes(tools),
  ...portMistakes(tools),
  ...messageMistakes(tools),
  ...apiMistakes(tools),
];
