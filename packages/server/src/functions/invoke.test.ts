/** Functions behind real HTTP: what counts as an answer, and every way of giving none (fact sheet 11.1: 5 s). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { FunctionFault } from './contract.ts';
import { Functions } from './invoke.ts';
import { LARGEST_ANSWER } from './post.ts';

const LAMBDA = 'arn:aws:lambda:eu-central-1:123456789012:function:authorize:live';
const EVENT = Buffer.from('{"token":"t"}');

async function serve(listener: RequestListener): Promise<{ url: URL } & AsyncDisposable> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const functionsAt = (lambdaEndpoint?: URL): Functions =>
  new Functions({
    ...(lambdaEndpoint === undefined ? {} : { lambdaEndpoint }),
    sign: (_url, region) => ({ 'x-signed-for': region }),
  });

const refused = (work: Promise<unknown>, fault: FunctionFault, words: RegExp): Promise<void> =>
  assert.rejects(work, { name: 'FunctionError', fault, message: words });

describe('a function at a URL', () => {
  test('gets the event as a POST of JSON and answers in the body', async () => {
    const seen: unknown[] = [];
    await using there = await serve((request, response) => {
      void textOf(request).then((text) => {
        seen.push([request.method, request.url, request.headers['content-type'], text]);
        response.end('{"ok":true}');
      });
    });
    const answer = await functionsAt().invoke(`${there.url.href}f?code=1`, EVENT, { timeoutMs: 5000 });
    assert.equal(Buffer.from(answer).toString(), '{"ok":true}');
    assert.deepEqual(seen, [['POST', '/f?code=1', 'application/json', EVENT.toString()]]);
  });

  test('statuses but 200 are no answer, and a redirect is not followed', async () => {
    const paths: (string | undefined)[] = [];
    await using there = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(request.url === '/moved' ? 307 : 500, { location: '/elsewhere' }).end('{}');
    });
    await refused(functionsAt().invoke(`${there.url.href}moved`, EVENT, { timeoutMs: 5000 }), 'failed', /status 307/);
    await refused(functionsAt().invoke(`${there.url.href}f`, EVENT, { timeoutMs: 5000 }), 'failed', /status 500/);
    assert.deepEqual(paths, ['/moved', '/f']);
  });

  test('an answer that never comes, or never ends, is waited for no longer than said', async () => {
    await using there = await serve((request, response) => {
      if (request.url === '/begun') response.writeHead(200).write('{');
    });
    for (const path of ['silent', 'begun'])
      await refused(
        functionsAt().invoke(`${there.url.href}${path}`, EVENT, { timeoutMs: 50 }),
        'timeout',
        /within 0\.05 seconds/,
      );
  });

  test('an answer may have 64 KiB', async () => {
    await using there = await serve((request, response) => {
      response.end('x'.repeat(LARGEST_ANSWER + Number(request.url?.slice(1))));
    });
    const invoke = (more: number) => functionsAt().invoke(`${there.url.href}${more}`, EVENT, { timeoutMs: 5000 });
    assert.equal((await invoke(0)).length, LARGEST_ANSWER);
    await refused(invoke(1), 'failed', /more than 65536 bytes/);
  });

  test('nobody there, and a peer that hangs up, are told without the URL', async () => {
    await using there = await serve((request) => void request.socket.destroy());
    await refused(
      functionsAt().invoke(`${there.url.href}?code=secret`, EVENT, { timeoutMs: 5000 }),
      'unavailable',
      /^it could not be reached \(ECONNRESET\)$/,
    );
    const gone = await serve(() => undefined);
    await gone[Symbol.asyncDispose]();
    await refused(
      functionsAt().invoke(gone.url.href, EVENT, { timeoutMs: 5000 }),
      'unavailable',
      /^it could not be reached \(ECONNREFUSED\)$/,
    );
  });
});

describe('a Lambda function', () => {
  test('is invoked at the endpoint, by its ARN, with the signature for its region', async () => {
    const seen: unknown[] = [];
    await using there = await serve((request, response) => {
      seen.push([request.url, request.headers['x-amz-invocation-type'], request.headers['x-signed-for']]);
      response.end('{}');
    });
    await functionsAt(new URL('base/', there.url)).invoke(LAMBDA, EVENT, { timeoutMs: 5000 });
    const name = encodeURIComponent(LAMBDA);
    assert.deepEqual(seen, [[`/base/2015-03-31/functions/${name}/invocations`, 'RequestResponse', 'eu-central-1']]);
  });

  test('that failed says so in a header of a 200', async () => {
    await using there = await serve((_request, response) => {
      response.writeHead(200, { 'X-Amz-Function-Error': 'Unhandled' }).end('{"isAuthenticated":true}');
    });
    await refused(
      functionsAt(there.url).invoke(LAMBDA, EVENT, { timeoutMs: 5000 }),
      'failed',
      /ended with an error \(Unhandled\)/,
    );
  });

  test('can not be called without an endpoint', () =>
    refused(functionsAt().invoke(LAMBDA, EVENT, { timeoutMs: 5000 }), 'unavailable', /without --lambda-endpoint/));
});

describe('what is under way', () => {
  test('is bounded in all and for one function, and makes room when it ends', async () => {
    const waiting: (() => void)[] = [];
    const arrived = Promise.withResolvers<void>();
    await using there = await serve((_request, response) => {
      waiting.push(() => response.end('{}'));
      if (waiting.length === 3) arrived.resolve();
    });
    const functions = new Functions({ sign: () => ({}), most: 3, mostOfOne: 2 });
    const invoke = (name: string) => functions.invoke(`${there.url.href}${name}`, EVENT, { timeoutMs: 5000 });
    const running = [invoke('a'), invoke('a')];
    await refused(invoke('a'), 'overload', /too many/);
    running.push(invoke('b'));
    await refused(invoke('c'), 'overload', /too many/);
    await arrived.promise;
    for (const answer of waiting.splice(0)) answer();
    await Promise.all(running);
    const last = invoke('a');
    last.catch(() => undefined);
    functions.close();
    await refused(last, 'unavailable', /could not be reached/);
  });
});
