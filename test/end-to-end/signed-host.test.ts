/** A signature counts for a Host that is a name of the server, on each of its listeners, in a header and in a presigned URL. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { Sha256 } from '@aws-crypto/sha256-js';
import { CreateDomainConfigurationCommand, DescribeEndpointCommand } from '@aws-sdk/client-iot';
import { SignatureV4 } from '@smithy/signature-v4';
import { startServer, type TestServer } from './test-core.ts';

let server: TestServer;
before(async () => {
  server = await startServer({
    args: ['--log-level', 'warn', '--endpoint', 'iot.example', '--endpoint=other.example', '--bind', '0.0.0.0'],
  });
  await server.iot.send(
    new CreateDomainConfigurationCommand({ domainConfigurationName: 'd', domainName: 'Fleet.example', serviceType: 'DATA' }),
  );
});
after(() => server[Symbol.asyncDispose]());

interface Place {
  readonly port: number;
  readonly tls: boolean;
  readonly service: string;
  readonly method: string;
  readonly path: string;
  /** Of the answer when the signature counts. */
  readonly status: number;
  /** Of a refusal; 403 but for services of the JSON protocol, whose errors are all 400. */
  readonly refused?: number;
  readonly headers?: Record<string, string>;
}

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'mqtt',
};

const places = (): Record<string, Place> => {
  const { api, https } = server.ports;
  const socket = { service: 'iotdevicegateway', method: 'GET', path: '/mqtt', status: 101, headers: upgrade };
  return {
    'the API': { port: api, tls: false, service: 'iot', method: 'GET', path: '/things', status: 200 },
    'the data plane on the API port': {
      port: api,
      tls: false,
      service: 'iotdata',
      method: 'POST',
      path: '/topics/a',
      status: 200,
    },
    'the HTTPS data plane': { port: https, tls: true, service: 'iotdata', method: 'POST', path: '/topics/a', status: 200 },
    'a WebSocket on the HTTPS port': { port: https, tls: true, ...socket },
    'a WebSocket on the API port': { port: api, tls: false, ...socket },
    IAM: { port: api, tls: false, service: 'iam', method: 'GET', path: '/', status: 400 },
    'CloudWatch Logs': { port: api, tls: false, service: 'logs', method: 'POST', path: '/', status: 400, refused: 400 },
    'the administrative requests': {
      port: api,
      tls: false,
      service: 'thingkeep',
      method: 'GET',
      path: '/admin/refusals',
      status: 200,
    },
  };
};

/** Signs for one host, by header or as a presigned URL, and sends it to the server whatever that host is. */
async function ask(place: Place, host: string, presigned: boolean): Promise<{ status: number; text: string }> {
  const { service, method, path, tls, port, headers: more = {} } = place;
  const signer = new SignatureV4({ service, region: 'us-east-1', sha256: Sha256, credentials: server.credentials() });
  const unsigned = { method, protocol: 'http:', hostname: 'localhost', path, query: {}, headers: { host } };
  const signed = presigned ? await signer.presign(unsigned, { expiresIn: 60 }) : await signer.sign(unsigned);
  const query = Object.entries(signed.query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const headers = { ...signed.headers, ...more };
  const options: RequestOptions = {
    host: '127.0.0.1',
    port,
    method,
    path: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers,
    agent: false,
  };
  const ca = readFileSync(server.rootCa);
  const sent = tls ? httpsRequest({ ...options, ca, servername: 'iot.example' }) : httpRequest(options);
  sent.end();
  const upgraded = once(sent, 'upgrade').then(([response, socket]) => {
    socket.destroy();
    return { status: response.statusCode as number, text: '' };
  });
  const answered = once(sent, 'response').then(async ([response]) => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode as number, text: Buffer.concat(chunks).toString() };
  });
  return Promise.any([upgraded, answered]);
}

test('every name of the server, with any port and without', async () => {
  const names = ['iot.example', 'IOT.example', 'other.example', 'fleet.example', 'localhost', '127.0.0.1'];
  for (const [what, place] of Object.entries(places()))
    for (const name of names)
      for (const host of [name, `${name}:${place.port}`, `${name}:1`])
        for (const presigned of [false, true]) {
          const { status, text } = await ask(place, host, presigned);
          assert.equal(status, place.status, `${what}, ${host}, presigned ${presigned}: ${text}`);
        }
});

test('any other is refused with the flag, though the signature is right', async () => {
  const hosts = [
    'evil.example',
    'iot.example.evil.example',
    'xiot.example',
    'evil.example:4680',
    '127.0.0.2',
    '[::1]',
    '10.0.0.1:80',
    'a.fleet.example',
    'localhost.evil.example',
    'iot.example.',
  ];
  for (const [what, place] of Object.entries(places()))
    for (const host of hosts)
      for (const presigned of [false, true]) {
        const { status, text } = await ask(place, host, presigned);
        assert.equal(status, place.refused ?? 403, `${what}, ${host}, presigned ${presigned}: ${text}`);
        const [name = ''] = host.replace(/:\d+$/, '').split('\n');
        assert.ok(text.includes('is no name of this server') && text.includes(`--endpoint ${name}`), text);
      }
});

test('what is no host is refused too', async () => {
  for (const host of [
    'iot.example@evil.example',
    'iot.example/',
    'iot.example#',
    'a b',
    'iot.example:x',
    '',
    'iot.example,evil.example',
  ])
    for (const place of [places()['the API'], places()['the HTTPS data plane']] as Place[]) {
      const { status, text } = await ask(place, host, false).catch(() => ({ status: 0, text: '' }));
      assert.ok(status === 403 || status === 400 || status === 0, `${host}: ${status} ${text}`);
    }
});

test('the first name is what devices get, and the server certificate is made out to all of them', async () => {
  assert.equal(
    (await server.iot.send(new DescribeEndpointCommand({ endpointType: 'iot:Data-ATS' }))).endpointAddress,
    'iot.example',
  );
  assert.match(server.readyLine, / endpoint iot\.example /);
  for (const servername of ['iot.example', 'other.example', 'localhost']) {
    const socket = connect({ host: '127.0.0.1', port: server.ports.https, servername, ca: readFileSync(server.rootCa) });
    await once(socket, 'secureConnect');
    assert.equal(socket.authorized, true);
    socket.destroy();
  }
});
