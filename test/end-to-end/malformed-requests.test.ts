/**
 * Malformed unsigned requests, on every port that speaks HTTP: each is answered with a 4xx, and none is a line in the error
 * log.
 */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from './test-core.ts';

let server: TestServer;
before(async () => {
  server = await startServer({ args: ['--log-level', 'warn'] });
});
after(() => server[Symbol.asyncDispose]());

/** Status of an unsigned request whose target is sent as it stands. */
function statusOf(origin: string, method: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  const { protocol, hostname, port } = new URL(origin);
  const options = { hostname, port, method, path, headers, rejectUnauthorized: false, agent: false };
  return new Promise((resolve, reject) => {
    const sent = (protocol === 'https:' ? httpsRequest : httpRequest)(options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}

const ESCAPES = ['%', '%z', '%zz', '%ff', '%C3%28', '%ED%A0%80', '%F8%80%80%80', '%00', '%2e%2e/%2f', 'a%', '%E0%A4%A'];
const PLACES = [
  '/confirmdestination/',
  '/functions/code?code=',
  '/functions/code/',
  '/root-ca.pem/',
  '/health/',
  '/metrics/',
  '/admin/refusals?limit=',
  '/admin/',
  '/things/',
  '/topics/',
  '/role-aliases/',
  '/mqtt/',
  '/2015-03-31/functions/',
  '/',
  '/?Action=',
];

test('escapes that are none, in every path and query that strangers may send', async () => {
  const origins = [server.url, `https://127.0.0.1:${server.ports.https}`];
  for (const origin of origins)
    for (const place of PLACES)
      for (const text of ESCAPES)
        for (const method of ['GET', 'POST', 'HEAD', 'DELETE']) {
          const status = await statusOf(origin, method, `${place}${text}`);
          assert.ok(status >= 400 && status < 500, `${method} ${origin}${place}${text}: ${status}`);
        }
  assert.deepEqual(
    server.log.filter(({ level }) => Number(level) >= 50),
    [],
  );
});

test('headers that are none of what they are called', async () => {
  const lies: readonly Record<string, string>[] = [
    { authorization: 'AWS4-HMAC-SHA256' },
    { authorization: 'AWS4-HMAC-SHA256 Credential=/////, SignedHeaders=, Signature=' },
    { authorization: 'AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=zz' },
    { authorization: 'Basic %zz', 'x-amz-date': '99999999T999999Z' },
    { 'x-amz-security-token': '%zz', 'x-amz-target': '%zz' },
    { 'content-encoding': '%zz', 'transfer-encoding': 'chunked' },
    { upgrade: 'websocket', connection: 'upgrade' },
    { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-key': '%zz', 'sec-websocket-version': '13' },
  ];
  for (const headers of lies)
    for (const origin of [server.url, `https://127.0.0.1:${server.ports.https}`])
      for (const path of ['/things/x', '/mqtt', '/topics/a', '/confirmdestination/a']) {
        const status = await statusOf(origin, 'GET', path, headers);
        assert.ok(status >= 400 && status < 500, `${path} ${JSON.stringify(headers)}: ${status}`);
      }
  assert.deepEqual(
    server.log.filter(({ level }) => Number(level) >= 50),
    [],
  );
});
