/**
 * Custom client certificate validation: a function of the domain's owner says whether a certificate counts (fact 11.1; developer
 * guide, page customize-client-auth).
 */
// needs: curl openssl
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import {
  AttachPolicyCommand,
  CreateDomainConfigurationCommand,
  RegisterCertificateWithoutCACommand,
  UpdateDomainConfigurationCommand,
} from '@aws-sdk/client-iot';
import { DeviceConnection, type DeviceOptions } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy } from './devices.ts';
import { certificateFolder, certifyHost } from './host-certificates.ts';
import { HttpFunction } from './http-function.ts';
import { run } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';

const HOST = 'checked.example.com';

interface CallbackEvent {
  readonly connectionMetadata: { readonly id: string };
  readonly principalId: string;
  readonly serverName: string;
  readonly clientCertificateChain: readonly string[];
}

let server: TestServer;
let fn: HttpFunction;
let device: Device;
const events = (): CallbackEvent[] => fn.invocations.map(({ event }) => event as unknown as CallbackEvent);
const yes = () => ({ isAuthenticated: true });

before(async () => {
  fn = await HttpFunction.open(yes);
  server = await startServer();
  await makePolicy(server, 'all', ALLOW_ALL);
  device = await makeDevice(server, 'lamp', 'all');
  await server.iot.send(
    new CreateDomainConfigurationCommand({
      domainConfigurationName: 'checked',
      domainName: HOST,
      clientCertificateConfig: { clientCertificateCallbackArn: fn.url },
    }),
  );
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
});
beforeEach(() => {
  fn.answer = yes;
  fn.invocations.length = 0;
});

const at = (host: string, { certPem, keyPem }: DeviceOptions): DeviceOptions => ({
  certPem: certPem === undefined || keyPem === undefined ? undefined : certPem,
  keyPem: certPem === undefined || keyPem === undefined ? undefined : keyPem,
  port: server.ports.https,
  tls: { servername: host, ALPNProtocols: ['x-amzn-mqtt-ca'] },
});

test('the function is asked once for each connection, with the certificate, and may say no', async () => {
  for (const level of [4, 5] as const) {
    using admitted = await DeviceConnection.admitted(server, level, 'lamp', at(HOST, device));
    admitted.send({ cmd: 'publish', topic: 'a', payload: 'x', qos: 1, messageId: 1, dup: false, retain: false });
    assert.equal((await admitted.next()).cmd, 'puback');
  }
  const [first, second, ...more] = events();
  assert.deepEqual(more, []);
  assert.deepEqual(first, {
    connectionMetadata: { id: first?.connectionMetadata.id },
    principalId: device.certificateId,
    serverName: HOST,
    clientCertificateChain: [device.certPem],
  });
  assert.notEqual(first?.connectionMetadata.id, second?.connectionMetadata.id);

  for (const answer of [
    () => ({ isAuthenticated: false }),
    () => ({ isAuthenticated: 'true' }),
    () => ['no'],
    (_: unknown, response: ServerResponse) => void response.writeHead(500).end(),
  ]) {
    fn.answer = answer;
    const refused = await DeviceConnection.connect(server, 5, 'lamp', at(HOST, device));
    using _closed = refused.device;
    assert.deepEqual([refused.answer.cmd, 'reasonCode' in refused.answer && refused.answer.reasonCode], ['connack', 0x87]);
    const { check, certificateId } = await server.logged(({ reason }) =>
      /callback of the domain configuration checked/.test(String(reason)),
    );
    assert.deepEqual([check, certificateId], ['authorizer', device.certificateId]);
  }
});

test('what is sent of the chain is told; a certificate that nobody knows never gets the function asked', async () => {
  using folder = certificateFolder();
  const made = await certifyHost(folder.path, 'robot.example.com');
  const [certPem, chainPem, keyPem] = [made.certificate, made.chain, made.privateKey].map((file) => readFileSync(file, 'utf8'));
  assert(certPem !== undefined && chainPem !== undefined && keyPem !== undefined);
  const robot = { certPem: certPem + chainPem, keyPem };
  const unknown = await DeviceConnection.connect(server, 5, 'robot', at(HOST, robot));
  unknown.device[Symbol.dispose]();
  assert.notEqual(unknown.answer.cmd, 'puback');
  assert.deepEqual(events(), []);

  const { certificateArn } = await server.iot.send(
    new RegisterCertificateWithoutCACommand({ certificatePem: certPem, status: 'ACTIVE' }),
  );
  await server.iot.send(new AttachPolicyCommand({ policyName: 'all', target: certificateArn }));
  using _admitted = await DeviceConnection.admitted(server, 5, 'robot', at(HOST, robot));
  const [{ clientCertificateChain } = { clientCertificateChain: [] }] = events();
  const bare = (pem: string): string => pem.replaceAll(/\s/g, '');
  assert.deepEqual(
    clientCertificateChain.map(bare),
    [certPem, ...(chainPem.match(/-----BEGIN.+?-----END CERTIFICATE-----/gs) ?? [])].map(bare),
  );
});

test('other host names do not ask; HTTPS asks once for a connection; what can be named is checked', async () => {
  using _elsewhere = await DeviceConnection.admitted(server, 5, 'lamp', at('localhost', device));
  assert.deepEqual(events(), []);

  const post = (times: number) => {
    const one = [
      ...['-s', '-o', '/dev/null', '-w', '%{http_code} ', '--cacert', server.rootCa, '--cert', device.cert, '--key', device.key],
      ...['--resolve', `${HOST}:${server.ports.https}:127.0.0.1`, '-d', 'x'],
    ];
    const url = `https://${HOST}:${server.ports.https}/topics/a?qos=1`;
    return run('curl', Array.from({ length: times }, (_, i) => [...(i === 0 ? [] : ['--next']), ...one, url]).flat());
  };
  assert.equal((await post(3)).stdout.trim(), '200 200 200');
  assert.equal(events().length, 1);
  fn.answer = () => ({ isAuthenticated: false });
  assert.equal((await post(1)).stdout.trim(), '403');

  const change = (clientCertificateCallbackArn?: string) =>
    server.iot.send(
      new UpdateDomainConfigurationCommand({
        domainConfigurationName: 'checked',
        clientCertificateConfig: { clientCertificateCallbackArn },
      }),
    );
  await assert.rejects(change('arn:aws:s3:::bucket'), { name: 'InvalidRequestException' });
  await change(undefined);
  assert.equal((await post(1)).stdout.trim(), '200');
});
