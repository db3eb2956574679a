/**
 * Just-in-time registration (facts 4.4, 24.3; tutorials 3.5, 3.6): the first connection of a certificate that a registered CA
 * has signed is refused without a CONNACK, the certificate is registered, and an event says so.
 */
// needs: mosquitto-clients
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  AttachPolicyCommand,
  CreateDomainConfigurationCommand,
  CreateProvisioningTemplateCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  GetRegistrationCodeCommand,
  IoTClient,
  ListCertificatesByCACommand,
  ListThingPrincipalsCommand,
  RegisterCACertificateCommand,
  type RegisterCACertificateCommandInput,
  type RegistrationConfig,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { type FactoryCa, factoryCa, signedBy } from '../../packages/server/src/testing/factory-ca.ts';
import { certificateIdOf } from '@thingkeep/x509/certificate.ts';
import { commonNameOnly } from '@thingkeep/x509/names.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { chainCertificate, type ChainCertificate } from '@thingkeep/x509/testing/chains.ts';
import { newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import { generate } from 'mqtt-packet';
import WebSocket from 'ws';
import { DeviceConnection, type DeviceOptions } from './device-connection.ts';
import { ACCOUNT, ALLOW_ALL, allow, arn, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { makeRole, putRolePolicy } from './identities.ts';
import { mosquittoPub } from './mosquitto.ts';
import { startServer, type TestServer } from './test-core.ts';
import { within } from './until.ts';

let server: TestServer;
let watcher: DeviceConnection;
const now = Date.now();

before(async () => {
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  watcher = await DeviceConnection.admitted(server, 4, 'watcher', await makeDevice(server, 'watcher', 'all'));
  watcher.subscribe('$aws/events/certificates/registered/#');
  assert.equal((await watcher.next()).cmd, 'suback');
});
after(async () => {
  watcher[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

async function registerCa(ca: FactoryCa, more: Partial<RegisterCACertificateCommandInput> = {}): Promise<string> {
  const { registrationCode = '' } = await server.iot.send(new GetRegistrationCodeCommand({}));
  const verificationCertificate = await signedBy(ca, registrationCode, { key: ca.key, now });
  const { certificateId = '' } = await server.iot.send(
    new RegisterCACertificateCommand({
      caCertificate: ca.pem,
      verificationCertificate,
      setAsActive: true,
      allowAutoRegistration: true,
      ...more,
    }),
  );
  return certificateId;
}

interface Made extends DeviceOptions {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A device's certificate with its key; `chain` is what it sends behind its own certificate. */
async function made(ca: FactoryCa, chain = '', name = 'Example Device'): Promise<Made> {
  const key = newEcKey();
  const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certPem: `${await signedBy(ca, name, { key, now })}${chain}`, keyPem };
}

/** The next event that the watcher gets. */
async function event(): Promise<{ topic: string; payload: Record<string, unknown> }> {
  const seen = await watcher.next();
  if (seen.cmd !== 'publish') return assert.fail(`no event: ${seen.cmd}`);
  return { topic: seen.topic, payload: JSON.parse(seen.payload.toString()) as Record<string, unknown> };
}

async function refused(level: 4 | 5, clientId: string, options: DeviceOptions): Promise<void> {
  const { device, answer } = await DeviceConnection.connect(server, level, clientId, options);
  using _closed = device;
  assert.equal(answer.cmd, 'closed', 'no CONNACK comes');
}

/** Refused and told of twice, active afterwards. */
async function isRegistered(caCertificateId: string, options: DeviceOptions, clientId: string): Promise<void> {
  for (const level of [4, 5] as const) {
    const from = Date.now();
    await refused(level, clientId, options);
    const { topic, payload } = await event();
    assert.equal(topic, `$aws/events/certificates/registered/${caCertificateId}`);
    const { timestamp, certificateId, ...rest } = payload;
    assert.deepEqual(Object.keys(payload), [
      ...['certificateId', 'caCertificateId', 'timestamp', 'certificateStatus', 'awsAccountId'],
      ...['certificateRegistrationTimestamp', 'sourceIp'],
    ]);
    assert.deepEqual(rest, {
      caCertificateId,
      certificateStatus: 'PENDING_ACTIVATION',
      awsAccountId: ACCOUNT,
      certificateRegistrationTimestamp: null,
      sourceIp: '127.0.0.1',
    });
    assert.ok(typeof timestamp === 'number' && timestamp >= from && timestamp <= Date.now());
    const id = String(certificateId);
    const { certificateDescription } = await server.iot.send(new DescribeCertificateCommand({ certificateId: id }));
    assert.equal(certificateDescription?.status, 'PENDING_ACTIVATION');
    assert.equal(certificateDescription.caCertificateId, caCertificateId);
    const { check, reason, accountId } = await server.logged(
      (line) => line.certificateId === id && (level === 4 ? /has registered it as/ : /before/).test(String(line.reason)),
    );
    assert.deepEqual([check, accountId], ['certificate-not-active', ACCOUNT]);
    assert.match(String(reason), /just-in-time registration/);
    if (level === 4) continue;
    await server.iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus: 'ACTIVE' }));
    await server.iot.send(new AttachPolicyCommand({ policyName: 'all', target: certificateDescription.certificateArn }));
  }
  for (const level of [4, 5] as const) (await DeviceConnection.admitted(server, level, clientId, options))[Symbol.dispose]();
}

describe('a device whose signer is registered with auto-registration', () => {
  let root: FactoryCa;
  let signer: FactoryCa;
  let signerId: string;
  before(async () => {
    root = await factoryCa('Example Root CA', { now });
    signer = await factoryCa('Example Signer FFFF', { above: root, now });
    signerId = await registerCa(signer);
  });

  test('sends its chain, and no server name', async () => {
    const device = await made(signer, signer.pem);
    await isRegistered(signerId, { ...device, tls: { servername: '', checkServerIdentity: () => undefined } }, 'no-name');
  });

  test('sends its own certificate alone, and a server name', async () => {
    await isRegistered(signerId, await made(signer), 'name');
  });

  test('comes on the HTTPS port, by ALPN', async () => {
    const device = await made(signer);
    const alpn = { port: server.ports.https, tls: { ALPNProtocols: ['x-amzn-mqtt-ca'] } };
    await isRegistered(signerId, { ...device, ...alpn }, 'alpn');
  });

  test('sends a chain of 20, or one in circles: the signing CA is registered, and the rest is not read', async () => {
    const pem = ({ der }: ChainCertificate): string => toPem('CERTIFICATE', der);
    const chain: ChainCertificate[] = [];
    for (let n = 0; n < 19; n += 1) chain.push(chainCertificate({ subject: `authority ${n}`, by: chain.at(-1) }));
    const [a, b] = ['a', 'b'].map((subject) => ({ subject: commonNameOnly(subject), key: newEcKey() }));
    const circle = [chainCertificate({ ...a, by: b }), chainCertificate({ ...b, by: a })].map(pem).join('');
    for (const [name, sent] of [['long', chain.map(pem).join('')] as const, ['circles', circle.repeat(8)] as const])
      await isRegistered(signerId, await made(signer, sent), name);
  });

  test('comes over a WebSocket with its certificate', async () => {
    const { certPem: cert, keyPem: key } = await made(signer);
    const socket = new WebSocket(`wss://localhost:${server.ports.https}/mqtt`, 'mqtt', {
      ...{ ca: readFileSync(server.rootCa), cert, key },
    });
    await within('the upgrade', once(socket, 'open'));
    socket.on('message', () => assert.fail('an answer came'));
    socket.send(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'ws', clean: true, keepalive: 60 }));
    await within('the end', once(socket, 'close'));
    assert.equal((await event()).payload.caCertificateId, signerId);
  });

  test('an HTTPS request registers nothing, and is told how it would be', async () => {
    const { certPem: cert, keyPem: key } = await made(signer);
    const url = `https://localhost:${server.ports.https}/topics/a?qos=1`;
    const request = httpsRequest(url, { method: 'POST', ca: readFileSync(server.rootCa), cert, key, agent: false });
    request.end('x');
    const [response] = await within('an answer', once(request, 'response'));
    response.resume();
    assert.equal(response.statusCode, 403);
    const certificateId = certificateIdOf(new X509Certificate(cert).raw);
    await assert.rejects(server.iot.send(new DescribeCertificateCommand({ certificateId })), {
      name: 'ResourceNotFoundException',
    });
    const { reason } = await server.logged((line) => line.certificateId === certificateId);
    assert.match(String(reason), /its auto-registration is on for MQTT clients/);
  });

  test('a CA that another account has registered without proof counts for the host name of that account alone', async (t) => {
    const other = '222222222222';
    const credentials = await server.createAccount(other);
    const iot = new IoTClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
    t.after(() => iot.destroy());
    const ca = await factoryCa('shared', { now });
    const shared = {
      caCertificate: ca.pem,
      certificateMode: 'SNI_ONLY',
      setAsActive: true,
      allowAutoRegistration: true,
    } as const;
    const { certificateId = '' } = await iot.send(new RegisterCACertificateCommand(shared));
    const domain = { domainConfigurationName: 'own', domainName: 'iot.other.example.com' };
    await iot.send(new CreateDomainConfigurationCommand(domain));
    const device = await made(ca);
    await refused(4, 'shared', device);
    await server.logged(({ reason }) => /as it is registered as SNI_ONLY/.test(String(reason)));
    await refused(4, 'shared', { ...device, tls: { servername: domain.domainName } });
    const { certificates = [] } = await iot.send(new ListCertificatesByCACommand({ caCertificateId: certificateId }));
    assert.deepEqual(
      certificates.map(({ status }) => status),
      ['PENDING_ACTIVATION'],
    );
  });
});

describe('just-in-time provisioning (fact 4.5), by mosquitto_pub', () => {
  const COMMON_NAME = 'AWS::IoT::Certificate::CommonName';
  const templateBody = JSON.stringify({
    Parameters: { [COMMON_NAME]: { Type: 'String' }, 'AWS::IoT::Certificate::Id': { Type: 'String' } },
    Resources: {
      thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: COMMON_NAME } } },
      certificate: {
        Type: 'AWS::IoT::Certificate',
        Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' }, Status: 'ACTIVE' },
      },
      policy: { Type: 'AWS::IoT::Policy', Properties: { PolicyDocument: policyDocument(ALLOW_ALL) } },
    },
  });

  /** A device of a CA with this registration configuration, on disk. */
  async function deviceOf(registrationConfig: RegistrationConfig, name: string) {
    const ca = await factoryCa(`signer of ${name}`, { now });
    await registerCa(ca, { registrationConfig });
    const device = await made(ca, '', name);
    const [cert, key] = [join(server.dataDir, `${name}.crt`), join(server.dataDir, `${name}.key`)];
    writeFileSync(cert, device.certPem);
    writeFileSync(key, device.keyPem, { mode: 0o600 });
    const certificateId = certificateIdOf(new X509Certificate(device.certPem).raw);
    const publish = () => mosquittoPub(server, { cert, key, clientId: name, topic: `jitp/${name}`, more: ['-q', '1'] }, 'on');
    const status = async () =>
      (await server.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status;
    return { certificateId, publish, status };
  }

  test('a template body: the first connection fails and provisions, the second one works', async () => {
    const roleArn = await makeRole(server, 'jitp', [allow('iot:*', '*')]);
    const { certificateId, publish, status } = await deviceOf({ templateBody, roleArn }, 'lamp-1');
    assert.notEqual((await publish()).code, 0);
    assert.equal(await status(), 'ACTIVE');
    const { reason } = await server.logged((line) => line.certificateId === certificateId);
    assert.match(String(reason), /the template of the CA has provisioned it: the next connection is let in/);
    const { principals } = await server.iot.send(new ListThingPrincipalsCommand({ thingName: 'lamp-1' }));
    assert.deepEqual(principals, [arn(`cert/${certificateId}`)]);
    assert.equal((await publish()).code, 0);
    assert.ok(await watcher.nothingCame(), 'the template takes the place of the event');
  });

  test('a template by name: what its role may not do is told, leaves PENDING_ACTIVATION, and is tried again', async () => {
    const provisioningRoleArn = await makeRole(server, 'weak', [allow('iot:CreateThing', '*')]);
    const template = { templateName: 'lamps', templateBody, provisioningRoleArn, enabled: true, type: 'JITP' } as const;
    await server.iot.send(new CreateProvisioningTemplateCommand(template));
    const { certificateId, publish, status } = await deviceOf({ templateName: 'lamps' }, 'lamp-2');
    assert.notEqual((await publish()).code, 0);
    const { reason } = await server.logged((line) => line.certificateId === certificateId);
    assert.match(String(reason), /has failed, and the next connection tries again: .*not authorized to perform: iot:/);
    assert.equal(await status(), 'PENDING_ACTIVATION');
    await assert.rejects(server.iot.send(new DescribeThingCommand({ thingName: 'lamp-2' })), {
      name: 'ResourceNotFoundException',
    });
    await putRolePolicy(server, 'weak', [allow('iot:*', '*')]);
    assert.notEqual((await publish()).code, 0);
    assert.equal(await status(), 'ACTIVE');
    assert.equal((await publish()).code, 0);
  });
});
