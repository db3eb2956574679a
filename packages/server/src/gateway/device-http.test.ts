/**
 * Devices over HTTPS (developer guide, page http) with real TLS: how bodies that end badly, and requests that are none, are
 * answered.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:net';
import { after, before, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { ALL, permissionsOf } from '../broker/test-bench.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { CallFigures } from '../runtime/call-figures.ts';
import { systemClock } from '../runtime/clock.ts';
import { close, listen } from '../runtime/listen.ts';
import { openLog } from '../runtime/log.ts';
import type { RequestIdentity } from './authentication/authenticator.ts';
import { createAttemptReader, type ReadHead } from './attempt-reader.ts';
import { openTestAuthority } from '../testing/authority-fixture.ts';
import { deviceHttp } from './device-http.ts';
import { selectOnHttpsPort } from './listeners/alpn.ts';
import { HandshakeFigures } from './listeners/handshake-figures.ts';
import { handedHttpServer } from './listeners/handed-http.ts';
import { createTlsListener } from './listeners/tls.ts';
import { WrongPort } from './wrong-port.ts';

const place = { accountId: '000000000000', region: 'us-east-1' };
const refusals: Refusal[] = [];
const published: (string | undefined)[] = [];
const lines: string[] = [];
const calls = new CallFigures(systemClock);
let who: RequestIdentity = { place, principal: 'p', permissions: ALL };
let server: Server;
let port = 0;
let rootCa = '';
let onFirstBytes: () => void = () => {};

before(async () => {
  const authority = await openTestAuthority(systemClock, ['localhost']);
  rootCa = authority.rootCaPem;
  const listener = deviceHttp({
    log: openLog('info', { write: (line: string) => void lines.push(line) }),
    attempts: createAttemptReader(readHead, undefined),
    authenticators: {
      beginRequest: async ({ peer: { certificateId } }) => {
        onFirstBytes();
        return certificateId === undefined && who.principal === 'nobody'
          ? { refused: { check: 'certificate-missing', reason: 'the client showed no certificate' } }
          : { prove: async () => who };
      },
    },
    dataPlane: () => ({
      'iot-data': {
        Publish: async ({ topic }) => {
          published.push(topic);
          return {};
        },
        GetRetainedMessage: async ({ topic }) => ({ topic, qos: 1 }),
        ListRetainedMessages: async () => ({ retainedTopics: [] }),
      },
      'iot-jobs-data': {},
    }),
    refuse: (refusal) => refusals.push(refusal),
    calls,
  });
  const http = handedHttpServer({}, { request: listener });
  const credentials = authority.serverCredentials();
  const refuse = (refusal: Refusal): void => void refusals.push(refusal);
  server = createTlsListener({
    protocol: 'https',
    credentials,
    selectProtocol: selectOnHttpsPort,
    refuse,
    onSocket: (socket) => http.emit('connection', socket),
    handshakes: new HandshakeFigures(),
    clock: systemClock,
    wrongPort: new WrongPort(() => ({ mqtt: 1, https: 2, api: 3, apiTls: false })),
  }).server;
  port = await listen(server, '127.0.0.1', 0, 'test');
});
after(async () => {
  await close(server);
});

/** Names and values as they came: no signature is read here. */
const readHead: ReadHead = (method, target, rawHeaders) => {
  const [path = '', query = ''] = target.split('?');
  const headers = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    headers.set((rawHeaders[at] ?? '').toLowerCase(), [rawHeaders[at + 1] ?? '']);
  return { method, path, query, headers };
};

const open = async (): Promise<TLSSocket> => {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: rootCa });
  await once(socket, 'secureConnect');
  return socket;
};

/** All that is answered to these bytes until the server closes. */
const exchange = async (...parts: (string | Buffer)[]): Promise<string> => {
  const socket = await open();
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return text;
};

const head = (line: string, ...headers: string[]): string =>
  `${[`${line} HTTP/1.1`, 'host: x', ...headers].join('\r\n')}\r\n\r\n`;
const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status);

test('requests sent ahead of their answers are answered in order', async () => {
  const first = head('POST /topics/a%2Fb?qos=1', 'content-length: 2');
  const second = head('GET /topics/a', 'connection: close');
  const text = await exchange(`${first}hi${second}`);
  assert.equal(statuses(text)[0], '200');
  assert.match(statuses(text)[1] ?? '', /^4/);
  assert.deepEqual(published.splice(0), ['a/b']);
});

test('a body over the limit is answered 413, announced or not', async () => {
  assert.deepEqual(statuses(await exchange(head('POST /topics/a', 'content-length: 999999999'))), ['413']);
  const chunk = Buffer.alloc(0x22000, 'x');
  const text = await exchange(head('POST /topics/a', 'transfer-encoding: chunked'), '22000\r\n', chunk, '\r\n');
  assert.deepEqual(statuses(text), ['413']);
  assert.deepEqual(published, []);
});

test('malformed percent-encoding and other methods are the client fault', async () => {
  for (const line of ['POST /topics/%zz', 'POST /topics/%ff', 'PUT /topics/a', 'HEAD /topics/a', 'POST /'])
    assert.match(statuses(await exchange(head(line, 'content-length: 0', 'connection: close')))[0] ?? '', /^4/, line);
});

const ask = (line: string): Promise<string> => exchange(head(line, 'content-length: 0', 'connection: close'));

test('a request that no operation here answers is recorded, by the name of one that is not there yet', async () => {
  refusals.splice(0);
  who = { ...who, everything: true };
  for (const line of ['GET /things/x/jobs', 'GET /nowhere', 'GET /things/x/shadow']) await ask(line);
  assert.deepEqual(
    refusals
      .splice(0)
      .map(({ check, protocol, accountId, principal, reason }) => [check, protocol, accountId, principal, reason]),
    [
      'GET /things/x/jobs: GetPendingJobExecutions is not in Thingkeep yet. COMPATIBILITY.md lists what is there.',
      'GET /nowhere: No operation of AWS IoT answers GET at this path',
      'GET /things/x/shadow: GetThingShadow is not in Thingkeep yet. COMPATIBILITY.md lists what is there.',
    ].map((reason) => ['not-implemented', 'https', place.accountId, 'p', reason]),
  );
  // What a sender without an account leaves is shown to all accounts.
  who = { place, principal: 'nobody', permissions: ALL };
  for (const line of ['GET /things/x/jobs', 'GET /nowhere', 'GET /things/x/shadow'])
    assert.deepEqual(statuses(await ask(line)), ['403'], line);
  assert.deepEqual(
    refusals.splice(0).map(({ check, reason }) => [check, reason]),
    Array.from({ length: 3 }, () => ['certificate-missing', 'the client showed no certificate']),
  );
  who = { place, principal: 'p', permissions: ALL };
});

test('an upload that is broken off publishes nothing and is no failure of the server', async () => {
  const asked = new Promise<void>((resolve) => {
    onFirstBytes = resolve;
  });
  const socket = await open();
  const gone = once(server, 'connection').catch(() => undefined);
  socket.write(`${head('POST /topics/a', 'content-length: 100')}half`);
  await asked;
  socket.destroy();
  // A request that follows shows that the server is well.
  assert.deepEqual(statuses(await exchange(head('POST /topics/next', 'content-length: 0', 'connection: close'))), ['200']);
  await gone;
  assert.deepEqual(published.splice(0), ['next']);
  assert.deepEqual(lines, []);
});

test('without permissions, or without a certificate, the answer is 403 and the refusal is recorded', async () => {
  const request = head('POST /topics/a', 'content-length: 0', 'connection: close');
  who = { place, principal: 'p', permissions: permissionsOf(() => false) };
  assert.deepEqual(statuses(await exchange(request)), ['403']);
  assert.equal(refusals.at(-1)?.check, 'policy');
  who = { ...who, principal: 'nobody' };
  assert.deepEqual(statuses(await exchange(request)), ['403']);
  assert.equal(refusals.at(-1)?.check, 'certificate-missing');
  assert.deepEqual(published, []);
});

const get = (target: string): Promise<string> => exchange(head(`GET ${target}`, 'connection: close'));
/** Allows these actions on these resources, each as `action resource`. */
const only = (...allowed: string[]): RequestIdentity => ({
  place,
  principal: 'p',
  permissions: {
    volatile: false,
    decide: (action: string, resource: string) => ({
      effect: allowed.includes(`${action} ${resource}`) ? 'ALLOWED' : 'IMPLICIT_DENY',
    }),
  },
});
const topicArn = (topic: string): string => `arn:aws:iot:us-east-1:000000000000:topic/${topic}`;

test('each operation of the data plane needs its own action (iot-policy-actions)', async () => {
  who = only(`iot:GetRetainedMessage ${topicArn('a')}`);
  assert.match(await get('/retainedMessage/a'), /200 OK[\s\S]*{"topic":"a","qos":1}/);
  assert.deepEqual(statuses(await get('/retainedMessage/b')), ['403']);
  assert.deepEqual(statuses(await get('/retainedMessage')), ['403']);
  assert.equal(refusals.at(-1)?.action, 'iot:ListRetainedMessages');
  who = only('iot:ListRetainedMessages *');
  assert.match(await get('/retainedMessage'), /200 OK[\s\S]*{"retainedTopics":\[\]}/);
});

test('a retained publish needs iot:RetainPublish as well', async () => {
  const retain = head('POST /topics/a?retain=true', 'content-length: 0', 'connection: close');
  who = only(`iot:Publish ${topicArn('a')}`);
  assert.deepEqual(statuses(await exchange(retain)), ['403']);
  assert.equal(refusals.at(-1)?.action, 'iot:RetainPublish');
  who = only(`iot:Publish ${topicArn('a')}`, `iot:RetainPublish ${topicArn('a')}`);
  assert.deepEqual(statuses(await exchange(retain)), ['200']);
  assert.deepEqual(published.splice(0), ['a']);
});

test('whoever may do everything needs no action; an operation without a handler says so', async () => {
  who = { ...only(), everything: true };
  assert.deepEqual(statuses(await get('/retainedMessage/a')), ['200']);
  assert.match(await get('/things/t/shadow'), /404[\s\S]*GetThingShadow is not implemented/);
});

test('a body that waits for 100-continue is asked for once the head is known to be good', async () => {
  who = { ...only(), everything: true };
  const expecting = head('POST /topics/a', 'content-length: 2', 'expect: 100-continue', 'connection: close');
  assert.deepEqual(statuses(await exchange(expecting, 'hi')), ['100', '200']);
  assert.deepEqual(published.splice(0), ['a']);
  who = { ...who, principal: 'nobody' };
  assert.deepEqual(statuses(await exchange(expecting)), ['403']);
  const long = head('POST /topics/a', 'content-length: 999999', 'expect: 100-continue');
  who = only();
  assert.deepEqual(statuses(await exchange(long)), ['413']);
});
