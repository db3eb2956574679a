/** Objects of a store that speaks S3's API, over real sockets: bytes, ranges, faults, deadlines, and that nothing stays open. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import type { AskingRole } from './contract.ts';
import { openRemoteObject, type RemoteStore } from './remote-objects.ts';

const role: AskingRole = {
  place: { region: 'eu-west-1', accountId: '123456789012' },
  roleArn: 'arn:aws:iam::123456789012:role/r',
  permissions: { decide: () => ({ effect: 'ALLOWED' }) } as unknown as AskingRole['permissions'],
};
const NAME = { bucket: 'bucket', key: 'in/lines.json' };
/** More than the buffers of sockets take. */
const LARGE = 64 * 1024 * 1024;

let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  answer(request, response);
});
let store: RemoteStore;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const key = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
  store = { endpoint: `http://127.0.0.1:${port}`, credentialsOf: async () => key };
});
beforeEach(() => {
  requests.length = 0;
});
after(() => server.close().closeAllConnections());

/** Resolves once no client has a connection to the store. */
async function allClosed(): Promise<void> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<number>();
    server.getConnections((_, count) => resolve(count));
    if ((await promise) === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const read = async (content: AsyncIterable<Uint8Array>): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const bytes of content) pieces.push(bytes);
  return Buffer.concat(pieces).toString();
};

/** An endless object, as far as its reader is concerned. */
const large = (_: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(200, { etag: '"e"', 'content-length': LARGE }).write(Buffer.alloc(LARGE));
};

test('a part of a version is asked for alone, and the size is that of the whole', async () => {
  answer = (_, response) => response.writeHead(206, { 'content-length': 2, 'content-range': 'bytes 6-7/11' }).end('wo');
  using opened = await openRemoteObject(store, role, { ...NAME, version: 'v1' }, 6, 8);
  assert.deepEqual([opened.size, await read(opened.content)], [11, 'wo']);
  const { url = '', headers } = requests.at(-1) ?? assert.fail('nothing was asked');
  assert.match(url, /[?&]versionId=v1/);
  assert.equal(headers.range, 'bytes=6-7');
});

test('an object is read from the place that is asked for, signed with the credentials of the role', async () => {
  answer = (_, response) =>
    response
      .writeHead(206, {
        ...{ etag: '"e"', 'content-length': 5, 'content-range': 'bytes 6-10/11', 'content-type': 'text/plain' },
        'last-modified': new Date(1000).toUTCString(),
      })
      .end('world');
  using opened = await openRemoteObject(store, role, NAME, 6);
  const { size, etag, lastModified, contentType } = opened;
  assert.deepEqual([size, etag, lastModified, contentType], [11, '"e"', 1000, 'text/plain']);
  assert.equal(await read(opened.content), 'world');
  const [{ url = '', headers } = assert.fail('nothing was asked')] = requests;
  assert.match(url, /^\/bucket\/in\/lines\.json/);
  assert.equal(headers.range, 'bytes=6-');
  assert.match(headers.authorization ?? '', /AKIDEXAMPLE\/\d+\/eu-west-1\/s3\//);
  assert.equal(headers['x-amz-security-token'], 'token');
});

test('an object that is closed before it is read has no connection any more', async () => {
  answer = large;
  const opened = await openRemoteObject(store, role, NAME, 0);
  opened[Symbol.dispose]();
  await allClosed();
});

test('an object whose reader leaves is closed with it', async () => {
  answer = large;
  {
    using opened = await openRemoteObject(store, role, NAME, 0);
    for await (const bytes of opened.content) {
      assert.ok(bytes.length > 0);
      break;
    }
  }
  await allClosed();
});

test('an object that is read to its end leaves no connection behind', async () => {
  answer = (_, response) => response.writeHead(200, { 'content-length': 2 }).end('ok');
  {
    using opened = await openRemoteObject(store, role, NAME, 0);
    assert.equal(await read(opened.content), 'ok');
  }
  await allClosed();
});

test('a store that begins no answer, or stops in the midst of one, has a deadline', async () => {
  answer = () => undefined;
  await assert.rejects(openRemoteObject({ ...store, patience: 20 }, role, NAME, 0), { code: 'ServiceUnavailable' });
  answer = (_, response) => response.writeHead(200, { 'content-length': 100 }).write('first');
  const readAll = async (): Promise<void> => {
    using opened = await openRemoteObject({ ...store, patience: 100 }, role, NAME, 0);
    await read(opened.content);
  };
  await assert.rejects(readAll, { code: 'ServiceUnavailable' });
});

test('a reader may take longer than the deadline of the store', async (t) => {
  answer = (_, response) => response.writeHead(200, { 'content-length': 6 }).write('first');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  using opened = await openRemoteObject({ ...store, patience: 20_000 }, role, NAME, 0);
  t.mock.timers.tick(30_000);
  const pieces = opened.content[Symbol.asyncIterator]();
  assert.equal(Buffer.from((await pieces.next()).value).toString(), 'first');
  t.mock.timers.tick(30_000);
  await pieces.return?.();
});

test('a connection that breaks in the midst of an object is ServiceUnavailable', async () => {
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('first', () => response.destroy());
  };
  using opened = await openRemoteObject(store, role, NAME, 0);
  await assert.rejects(read(opened.content), { code: 'ServiceUnavailable' });
});

test('faults of the store are told by their codes, and leave no connection behind', async () => {
  const faults = [
    [404, 'NoSuchKey', 'NoSuchKey'],
    [404, 'NoSuchBucket', 'NoSuchBucket'],
    [403, 'AccessDenied', 'AccessDenied'],
    [400, 'ExpiredToken', 'ServiceUnavailable'],
  ] as const;
  for (const [status, code, expected] of faults) {
    answer = (_, response) =>
      response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
    await assert.rejects(openRemoteObject(store, role, NAME, 0), { code: expected });
  }
  await allClosed();
  const nothing = { ...store, credentialsOf: async () => undefined };
  await assert.rejects(openRemoteObject(nothing, role, NAME, 0), { code: 'AccessDenied' });
});

test('a name that is another one in a URL is refused, and nothing is asked', async () => {
  for (const name of [
    { bucket: 'bucket', key: 'pub/../../other/k' },
    { bucket: 'bucket', key: './k' },
    { bucket: 'bucket', key: '..' },
    { bucket: '..', key: 'k' },
    { bucket: 'a/../b', key: 'k' },
    { bucket: '%2e%2e', key: 'k' },
  ])
    await assert.rejects(openRemoteObject(store, role, name, 0), { name: 'ObjectFault', code: 'InvalidRequest' }, name.key);
  assert.equal(requests.length, 0);
});
