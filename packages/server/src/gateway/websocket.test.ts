/** MQTT over WebSocket (MQTT section 6, RFC 6455) on a real HTTP server and broker: upgrades, and frames cut in all ways. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { generate, type Packet, parser } from 'mqtt-packet';
import { pino } from 'pino';
import WebSocket from 'ws';
import { presign, type PresignOptions } from '../../../../test/end-to-end/presign.ts';
import { until } from '../../../../test/end-to-end/until.ts';
import type { KeyPermissions } from '../api/access-keys.ts';
import { signedHead } from '../api/signed-request.ts';
import { createSigv4 } from '../api/sigv4.ts';
import { ACCOUNT, TestBench } from '../broker/test-bench.ts';
import { createAttemptReader } from './attempt-reader.ts';
import type { Authenticator } from './authentication/authenticator.ts';
import { AuthenticatorRegistry } from './authentication/authenticator-registry.ts';
import { Sigv4Authenticator } from './authentication/sigv4/sigv4-authenticator.ts';
import { handedHttpServer } from './listeners/handed-http.ts';
import { asksForWebSocket } from './upgrade.ts';
import { webSockets, type WebSocketUpgrades } from './websocket.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const KEY = { accessKeyId: 'AKIAABCDEFGHIJKLMNOP', secretAccessKey: 'secret' };
const TEMPORARY = { accessKeyId: 'ASIAABCDEFGHIJKLMNOP', secretAccessKey: 'other secret', sessionToken: 'to/ken==' };

let permissions: KeyPermissions | undefined;
let bench: TestBench;
let upgrades: WebSocketUpgrades;
let server: Server;
let url = '';
let answer: RequestListener;
/** Holds back the search for access keys. */
let searching: Promise<void> | undefined;
const faults: string[] = [];

const nobody: Authenticator = {
  authenticate: async () => ({ refused: { check: 'certificate-missing', reason: 'nothing was shown' } }),
  authenticateRequest: async () => ({ refused: { check: 'certificate-missing', reason: 'nothing was shown' } }),
};

beforeEach(async () => {
  bench = await TestBench.open();
  answer = (_request, response) => response.end('plain');
  searching = undefined;
  permissions = { volatile: false, decide: () => ({ effect: 'ALLOWED' }) };
  const log = pino({ level: 'error' }, { write: (line: string) => void faults.push(line) });
  const identity = { accountId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:user/u`, userId: 'AIDAU' };
  const sigv4 = createSigv4({
    clock: { now: () => NOW, monotonic: () => 0 },
    findAccessKey: async (id) => {
      await searching;
      if (id === KEY.accessKeyId) return { ...KEY, ...identity };
      return id === TEMPORARY.accessKeyId ? { ...TEMPORARY, ...identity, permissions: async () => permissions } : undefined;
    },
  });
  const authenticators = new AuthenticatorRegistry(
    { x509: nobody, custom: nobody, sigv4: new Sigv4Authenticator(sigv4, log) },
    (authorizer) => authorizer,
  );
  const refuse = bench.broker.refuse;
  upgrades = webSockets({
    broker: bench.broker,
    attempts: createAttemptReader(signedHead, undefined),
    authenticators,
    refuse,
    log,
  });
  server = handedHttpServer(
    { shouldUpgradeCallback: asksForWebSocket },
    { request: (request, response) => answer(request, response), upgrade: upgrades.upgrade },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.close();
  await bench[Symbol.asyncDispose]();
  upgrades.closeAll();
  server.closeAllConnections();
  assert.deepEqual(faults, []);
});

const presigned = (options: PresignOptions = {}, key: Parameters<typeof presign>[1] = KEY): Promise<string> =>
  presign(url, key, { at: new Date(NOW), ...options });

/** A client whose packets are read one after the other. */
class Peer {
  readonly socket: WebSocket;
  readonly #seen: (Packet | number)[] = [];
  readonly #waiting: ((seen: Packet | number) => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    const reader = parser({ protocolVersion: 5 });
    reader.on('packet', (packet) => this.#see(packet));
    socket.on('message', (data) => reader.parse(data as Buffer));
    socket.on('error', () => undefined);
    socket.on('close', (code) => this.#see(code));
  }

  static async open(target: string, options: WebSocket.ClientOptions = {}): Promise<Peer> {
    const peer = new Peer(new WebSocket(target, 'mqtt', options));
    await once(peer.socket, 'open');
    return peer;
  }

  #see(seen: Packet | number): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#seen.push(seen);
    else waiting(seen);
  }

  /** The next packet's name, or the code of the close frame. */
  async next(): Promise<string | number> {
    const seen = this.#seen.shift() ?? (await new Promise<Packet | number>((resolve) => this.#waiting.push(resolve)));
    return typeof seen === 'number' ? seen : seen.cmd;
  }

  async connected(clientId = 'c', keepalive = 60): Promise<this> {
    this.socket.send(connectPacket(clientId, keepalive));
    assert.equal(await this.next(), 'connack');
    return this;
  }
}

const bytes = (packet: object): Buffer => generate(packet as Packet, { protocolVersion: 5 });
const connectPacket = (clientId: string, keepalive = 60): Buffer =>
  bytes({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId, clean: true, keepalive });
const PING = bytes({ cmd: 'pingreq' });
const SUBSCRIBE = bytes({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a', qos: 0 }] });
const publish = (size: number): Buffer =>
  bytes({ cmd: 'publish', topic: 'a', payload: Buffer.alloc(size), qos: 0, retain: false, dup: false });

describe('messages [MQTT-6.0.0-2]', () => {
  test('a packet may come in many messages, and a message hold many packets', async () => {
    const peer = await Peer.open(await presigned());
    for (const byte of connectPacket('c')) peer.socket.send(Buffer.of(byte));
    assert.equal(await peer.next(), 'connack');
    peer.socket.send(Buffer.concat([PING, SUBSCRIBE, PING]));
    for (const cmd of ['pingresp', 'suback', 'pingresp']) assert.equal(await peer.next(), cmd);
    peer.socket.close(1000);
    assert.equal(await peer.next(), 1000);
  });

  test('a message may come in fragments, with control frames between them (RFC 6455 section 5.4)', async () => {
    const peer = await (await Peer.open(await presigned())).connected();
    const whole = Buffer.concat([SUBSCRIBE, publish(1_000), PING]);
    peer.socket.send(whole.subarray(0, 3), { fin: false });
    peer.socket.ping('still there?');
    peer.socket.send(whole.subarray(3, 500), { fin: false });
    peer.socket.send(whole.subarray(500));
    const [pong] = await once(peer.socket, 'pong');
    assert.equal(String(pong), 'still there?');
    const seen = [await peer.next(), await peer.next(), await peer.next()].sort();
    assert.deepEqual(seen, ['pingresp', 'publish', 'suback']);
    peer.socket.terminate();
  });

  test('the subprotocol is agreed on [MQTT-6.0.0-4], and no compression (RFC 7692) whoever offers it', async () => {
    const peer = await Peer.open(await presigned(), { perMessageDeflate: true });
    assert.deepEqual([peer.socket.protocol, peer.socket.extensions], ['mqtt', '']);
    peer.socket.terminate();
  });

  test('text ends the connection with 1003, and is recorded [MQTT-6.0.0-1]', async () => {
    const peer = await (await Peer.open(await presigned())).connected();
    peer.socket.send('PINGREQ');
    assert.equal(await peer.next(), 'disconnect');
    assert.equal(await peer.next(), 1003);
    assert.match(bench.refusals.at(-1)?.reason ?? '', /text/);
  });

  test('a message over 256 KiB ends the connection with 1009, and is recorded', async () => {
    const peer = await (await Peer.open(await presigned())).connected();
    peer.socket.send(Buffer.alloc(256 * 1024 + 1));
    assert.equal(await peer.next(), 1009);
    assert.match(bench.refusals.at(-1)?.reason ?? '', /payload size/i);
    assert.equal(bench.broker.connections.count, 0);
  });

  test('MQTT that is none is told so, and the connection closed', async () => {
    const peer = await Peer.open(await presigned());
    peer.socket.send(PING);
    assert.equal(await peer.next(), 1000);
    assert.match(bench.refusals.at(-1)?.reason ?? '', /first packet/);
  });

  test('a Close frame, whatever its code, is the client that leaves; an end without one publishes its will', async () => {
    const watcher = await bench.subscribed('watcher', 'w');
    const ends: string[] = [];
    bench.broker.connections.listen({ disconnected: ({ clientId }, why) => void ends.push(`${clientId} ${why}`) });
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false };
    const leave: [name: string, end: (socket: WebSocket) => void][] = [
      ['1000', (socket) => socket.close(1000)],
      ['1001', (socket) => socket.close(1001)],
      ['3000', (socket) => socket.close(3000, 'enough')],
      ['empty', (socket) => socket.close()],
      ['none', (socket) => socket.terminate()],
    ];
    for (const [clientId, end] of leave) {
      const peer = await Peer.open(await presigned());
      peer.socket.send(
        bytes({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clientId, clean: true, keepalive: 60, will }),
      );
      assert.equal(await peer.next(), 'connack');
      end(peer.socket);
      await until('the end of the client', () => (bench.broker.connections.count === 1 ? true : undefined));
    }
    await bench.settle();
    assert.deepEqual(ends, [
      ...['1000', '1001', '3000', 'empty'].map((name) => `${name} CLIENT_INITIATED_DISCONNECT`),
      'none CONNECTION_LOST',
    ]);
    assert.deepEqual(
      watcher.publishes().map(({ payload }) => payload),
      ['gone'],
    );
  });

  test('a peer that is gone leaves no client behind', async () => {
    const peer = await (await Peer.open(await presigned())).connected();
    assert.equal(bench.broker.connections.count, 1);
    const client = bench.broker.account(ACCOUNT).clients.get('c');
    peer.socket.terminate();
    await until('the end of the client', () => (bench.broker.connections.count === 0 ? true : undefined));
    assert.equal(client?.state, 'closed');
  });
});

/** All that is answered to these bytes until the server closes. */
async function exchange(...parts: string[]): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return text;
}

const GOOD: Readonly<Record<string, string>> = {
  host: 'localhost',
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'sec-websocket-protocol': 'mqtt',
};
const headText = (line: string, headers: Readonly<Record<string, string | undefined>>): string =>
  `${[`${line} HTTP/1.1`, ...Object.entries({ ...GOOD, ...headers }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))].join('\r\n')}\r\n\r\n`;

describe('upgrades that are none', () => {
  for (const [what, line, headers, status] of [
    ['another path', 'GET /mqtt2', {}, 404],
    ['no path', 'GET http://localhost/mqtt', {}, 404],
    ['another method', 'POST /mqtt', { 'content-length': '0' }, 405],
    ['a body', 'GET /mqtt', { 'content-length': '3' }, 400],
    ['a chunked body', 'GET /mqtt', { 'transfer-encoding': 'chunked' }, 400],
    ['another version (RFC 6455 section 4.4)', 'GET /mqtt', { 'sec-websocket-version': '12' }, 400],
    ['no version', 'GET /mqtt', { 'sec-websocket-version': undefined }, 400],
    ['no key', 'GET /mqtt', { 'sec-websocket-key': undefined }, 400],
    ['a key that is none', 'GET /mqtt', { 'sec-websocket-key': 'short' }, 400],
    ['no subprotocol [MQTT-6.0.0-3]', 'GET /mqtt', { 'sec-websocket-protocol': undefined }, 400],
    ['another subprotocol', 'GET /mqtt', { 'sec-websocket-protocol': 'mqttv3.1, chat' }, 400],
    ['a signature that is not whole', 'GET /mqtt?X-Amz-Signature=0', {}, 403],
  ] as const)
    test(`${what}: ${status}`, async () => {
      const text = await exchange(headText(line, headers));
      assert.match(text, new RegExp(`^HTTP/1.1 ${status} `));
      const [, body = ''] = text.split('\r\n\r\n');
      const requestId = /x-amzn-requestid: (\S+)/i.exec(text)?.[1];
      assert.deepEqual(Object.keys(JSON.parse(body)), ['message', 'traceId']);
      assert.equal(JSON.parse(body).traceId, requestId);
      assert.equal(bench.refusals.length, 1);
      assert.equal(bench.refusals[0]?.protocol, 'websocket');
      assert.equal(bench.broker.connections.count, 0);
    });

  test('a version that is understood is named', async () => {
    assert.match(await exchange(headText('GET /mqtt', { 'sec-websocket-version': '7' })), /sec-websocket-version: 13/i);
  });

  test('an upgrade to something else is ignored (RFC 9110 section 7.8)', async () => {
    const text = await exchange(headText('GET /', { connection: 'Upgrade, close', upgrade: 'h2c' }));
    assert.match(text, /^HTTP\/1.1 200 OK[\s\S]*plain$/);
  });

  test('an upgrade behind a request that waits for its answer gets none', async () => {
    answer = () => undefined;
    const text = await exchange('GET / HTTP/1.1\r\nhost: x\r\n\r\n', headText('GET /mqtt', {}));
    assert.equal(text, '');
  });
});

describe('signatures (fact 1.5)', () => {
  const refused = async (
    target: string,
    options: WebSocket.ClientOptions = {},
  ): Promise<{ status: number; type: string; reason: string }> => {
    const socket = new WebSocket(target, 'mqtt', options);
    const [request, response] = await once(socket, 'unexpected-response');
    request.destroy();
    const [last] = bench.refusals.slice(-1);
    assert.equal(last?.check, 'signature');
    return { status: response.statusCode, type: response.headers['x-amzn-errortype'], reason: last?.reason ?? '' };
  };
  const MINUTE = 60_000;

  for (const [what, options, key, reason] of [
    ['expired', { at: new Date(NOW - 6 * MINUTE) }, KEY, /expired.*It was presigned \d+ seconds ago/],
    ['of the future', { at: new Date(NOW + 6 * MINUTE) }, KEY, /not yet current.*It is dated 360 seconds in the future/],
    ['for another service', { service: 'iotdata' }, KEY, /'iotdevicegateway'/],
    ['with another secret', {}, { ...KEY, secretAccessKey: 'guess' }, /does not match/],
    ['with an unknown key', {}, { ...KEY, accessKeyId: 'AKIAUNKNOWN' }, /UnrecognizedClient/],
    ['without its session token', {}, { ...TEMPORARY, sessionToken: '' }, /UnrecognizedClient/],
    ['with another session token', {}, { ...TEMPORARY, sessionToken: 'guess' }, /UnrecognizedClient/],
  ] as const)
    test(`${what}: 403`, async () => {
      const { status, type, reason: recorded } = await refused(await presigned(options, key));
      assert.equal(status, 403);
      assert.equal(type, 'ForbiddenException:');
      assert.match(recorded, reason);
    });

  test('tampered with: 403', async () => {
    const target = await presigned();
    assert.equal((await refused(`${target}&x=1`)).status, 403);
    assert.equal((await refused(target.replace(/Signature=[0-9a-f]/, 'Signature=g'))).status, 403);
    assert.equal((await refused(target.replace('us-east-1', 'us-west-2'))).status, 403);
  });

  for (const token of ['appended', 'signed'] as const)
    test(`a session token, ${token}`, async () => {
      const peer = await (await Peer.open(await presigned({ token }, TEMPORARY))).connected();
      peer.socket.terminate();
    });

  test('an upgrade that is signed in its headers', async () => {
    const signer = new SignatureV4({ service: 'iotdevicegateway', region: 'us-east-1', credentials: KEY, sha256: Sha256 });
    const { protocol, hostname, host } = new URL(url);
    const unsigned = { method: 'GET', protocol, hostname, path: '/mqtt', headers: { host } };
    const { headers } = await signer.sign(unsigned, { signingDate: new Date(NOW) });
    const peer = await (await Peer.open(`${url}/mqtt`, { headers })).connected();
    peer.socket.terminate();
    assert.equal((await refused(`${url}/mqtt?later=1`, { headers })).status, 403);
  });

  test('a key with less than all permissions is authorized by them: the client id, each topic, and what is left of them later', async () => {
    const may = new Set(['iot:Connect client/c', 'iot:Subscribe topicfilter/a', 'iot:Receive topic/a']);
    permissions = {
      volatile: false,
      decide: (action, resource) => ({
        effect: may.has(`${action} ${resource.slice(`arn:aws:iot:us-east-1:${ACCOUNT}:`.length)}`) ? 'ALLOWED' : 'IMPLICIT_DENY',
      }),
    };
    const peer = await (await Peer.open(await presigned({}, TEMPORARY))).connected('c');
    peer.socket.send(Buffer.concat([SUBSCRIBE, publish(1)]));
    assert.equal(await peer.next(), 'suback');
    assert.equal(await peer.next(), 'disconnect');
    assert.equal(bench.refusals.at(-1)?.action, 'iot:Publish');
    const other = await Peer.open(await presigned({}, TEMPORARY));
    other.socket.send(connectPacket('d'));
    assert.equal(await other.next(), 'connack');
    assert.equal(bench.refusals.at(-1)?.action, 'iot:Connect');
    permissions = undefined;
    const late = await Peer.open(await presigned({}, TEMPORARY));
    late.socket.send(connectPacket('c'));
    assert.equal(await late.next(), 'connack');
    assert.match(bench.refusals.at(-1)?.reason ?? '', /nobody who has permissions/);
  });
});

test('a connection of a signed upgrade ends after 24 hours, however alive it is (fact 2.2)', async () => {
  const peer = await (await Peer.open(await presigned())).connected('c', 1_200);
  for (let hour = 0; hour < 24; hour += 1) {
    for (let part = 0; part < 4; part += 1) {
      peer.socket.send(PING);
      assert.equal(await peer.next(), 'pingresp');
      await bench.pass(part < 3 ? 900 : 899);
    }
  }
  peer.socket.send(PING);
  assert.equal(await peer.next(), 'pingresp');
  await bench.pass(25);
  assert.deepEqual([await peer.next(), await peer.next()], ['disconnect', 1000]);
});

test('an upgrade that is being authorized ends when all are closed', async () => {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  const search = Promise.withResolvers<void>();
  searching = search.promise;
  const arrived = once(server, 'upgrade');
  const target = new URL(await presigned());
  socket.write(headText(`GET ${target.pathname}${target.search}`, { host: target.host }));
  await arrived;
  upgrades.closeAll();
  socket.resume();
  await once(socket, 'close');
  search.resolve();
  await bench.settle();
  assert.equal(bench.broker.connections.count, 0);
});
