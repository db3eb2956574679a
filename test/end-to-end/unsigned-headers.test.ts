/** Requests that were changed on their way: what is not signed decides nothing. */
import { defined } from '@thingkeep/wire/defined.ts';
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { presign } from './presign.ts';
import { startServer, type TestServer } from './test-core.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server[Symbol.asyncDispose]());

interface Sent {
  readonly service: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly signed?: Readonly<Record<string, string>>;
  /** Put in after signing, in the place of signed ones of the same name. */
  readonly added?: Readonly<Record<string, string>>;
  readonly trailers?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly isHttps?: boolean;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function send({
  service,
  method = 'POST',
  path = '/',
  body = '',
  signed = {},
  added = {},
  ...more
}: Sent): Promise<Answer> {
  const port = more.port ?? server.ports.api;
  const signer = new SignatureV4({ service, region: 'us-east-1', credentials: server.credentials(), sha256: Sha256 });
  const made = await signer.sign({
    method,
    protocol: 'http:',
    hostname: 'localhost',
    port,
    path,
    body,
    headers: { host: `localhost:${port}`, ...signed },
  });
  const answer = Promise.withResolvers<Answer>();
  const open = more.isHttps === true ? httpsRequest : httpRequest;
  const headers = {
    ...made.headers,
    ...added,
    ...defined({ trailer: more.trailers === undefined ? undefined : Object.keys(more.trailers).join() }),
  };
  const ca = readFileSync(server.rootCa);
  const request = open({ host: 'localhost', port, method, path, headers, ca }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => answer.resolve({ status: response.statusCode ?? 0, text }));
  });
  request.on('error', answer.reject);
  if (more.trailers !== undefined) {
    request.setHeader('transfer-encoding', 'chunked');
    request.addTrailers(more.trailers);
  }
  request.end(body);
  return answer.promise;
}

const JSON_TYPE = { 'content-type': 'application/x-amz-json-1.1' };

test('x-amz-target in the place of another, or of none', async () => {
  const list = 'Logs_20140328.DescribeLogGroups';
  assert.equal((await send({ service: 'logs', body: '{}', signed: { ...JSON_TYPE, 'x-amz-target': list } })).status, 200);
  for (const [service, target] of [
    ['logs', list],
    ['acm', 'CertificateManager.ListCertificates'],
  ] as const) {
    const { status, text } = await send({ service, body: '{}', signed: JSON_TYPE, added: { 'X-Amz-Target': target } });
    assert.equal(status, 403);
    assert.match(text, /InvalidSignatureException.*not signed: 'x-amz-target'/);
  }
  const changed = await send({
    service: 'logs',
    body: '{"logGroupName":"g"}',
    signed: { 'x-amz-target': 'Logs_20140328.DescribeLogGroups' },
    added: { 'x-amz-target': 'Logs_20140328.CreateLogGroup' },
  });
  assert.equal(changed.status, 403);
});

test('headers that members stand in, of each service', async () => {
  const cases: readonly [header: string, sent: Sent][] = [
    ['x-amzn-principal', { service: 'iot', method: 'PUT', path: '/things/t/principals' }],
    ['x-amzn-iot-principal', { service: 'iot', method: 'PUT', path: '/principal-policies/p' }],
    ['x-amzn-iot-policy', { service: 'iot', method: 'GET', path: '/policy-principals' }],
    ['x-amz-tagging', { service: 'iot', path: '/rules/r', body: '{"sql":"SELECT * FROM \'a\'","actions":[]}' }],
    ['x-amz-invocation-type', { service: 'lambda', path: '/2015-03-31/functions/f/invocations' }],
    ['x-amz-client-context', { service: 'lambda', path: '/2015-03-31/functions/f/invocations' }],
    ['x-amz-mqtt5-user-properties', { service: 'iotdata', path: '/topics/t' }],
    ['x-amz-security-token', { service: 'sts', body: 'Action=GetCallerIdentity&Version=2011-06-15' }],
  ];
  for (const [header, sent] of cases) {
    const { status, text } = await send({ ...sent, added: { [header]: 'x' } });
    assert.equal(status, 403, header);
    assert.match(text, new RegExp(header));
  }
});

test('the ports for devices: HTTPS requests, and upgrades to a WebSocket', async () => {
  const publish = { service: 'iotdata', path: '/topics/t', port: server.ports.https, isHttps: true, body: 'x' };
  assert.equal((await send(publish)).status, 200);
  const { status, text } = await send({ ...publish, added: { 'x-amz-mqtt5-user-properties': 'W10=' } });
  assert.equal(status, 403);
  assert.match(text, /x-amz-mqtt5-user-properties/);
  const handed = await send({ ...publish, added: { 'x-amz-customauthorizer-name': 'mine' } });
  assert.equal(handed.status, 403);
  assert.match(handed.text, /x-amz-customauthorizer-name/, 'it stays a signed request, and is authorized as one');
  const { pathname, search } = new URL(await presign(`ws://localhost:${server.ports.api}`, server.credentials()));
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-protocol': 'mqtt',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  for (const [more, expected] of [
    [{}, 101],
    [{ 'x-amz-target': 'x' }, 403],
    [{ 'x-amzn-principal': 'x' }, 403],
  ] as const) {
    const answer = Promise.withResolvers<number>();
    const headers = { ...upgrade, ...more };
    const request = httpRequest({ host: 'localhost', port: server.ports.api, path: `${pathname}${search}`, headers });
    request.on('response', (response) => answer.resolve(response.resume().statusCode ?? 0));
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      answer.resolve(101);
    });
    request.on('error', answer.reject);
    request.end();
    assert.equal(await answer.promise, expected);
  }
});

test('what comes behind the body says nothing', async () => {
  const { status, text } = await send({
    service: 'logs',
    body: '{}',
    signed: JSON_TYPE,
    trailers: { 'x-amz-target': 'Logs_20140328.DescribeLogGroups' },
  });
  assert.notEqual(status, 200);
  assert.match(text, /UnknownOperationException/);
});
