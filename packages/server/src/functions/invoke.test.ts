/** Functions behind real HTTP: what counts as an answer, and every way of giving none (fact sheet 11.1: 5 s). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { FunctionFault, InvokedAs } from './contract.ts';
import { testEgress } from '../outgoing/egress.fixture.ts';
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

/** Reaches the loopback network, which no URL of a user leads to by itself. */
const egress = testEgress();

const functionsAt = (lambdaEndpoint?: URL): Functions =>
  new Functions({ lambdaEndpoint, egress, sign: ({ region, accountId }) => ({ 'x-signed-for': `${region} ${accountId}` }) });

/** Who asks: a rule of the function's account. */
const [, , , , sourceAccount = ''] = LAMBDA.split(':');
const as = { service: 'iot.amazonaws.com', sourceAccount };

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

describe('where a URL may lead', () => {
  test('not to this machine, unless the root of the home account wrote it; the reason names the flag', async () => {
    const seen: unknown[] = [];
    await using there = await serve((_request, response) => void response.end(String(seen.push(1))));
    const closed = testEgress({ homeAccountId: '111111111111', allowed: [] });
    const functions = new Functions({ egress: closed, sign: () => ({}) });
    const invoke = (asker: Partial<InvokedAs>) =>
      functions.invoke(there.url.href, EVENT, { timeoutMs: 5000, as: { service: 'iot.amazonaws.com', ...asker } });
    const reason = new RegExp(`loopback.*--outgoing-allow 127\\.0\\.0\\.1:${there.url.port}$`);
    await refused(invoke({ sourceAccount: '111111111111' }), 'refused', reason);
    await refused(invoke({ sourceAccount: '222222222222', byRoot: true }), 'refused', reason);
    await refused(functions.invokeLater(there.url.href, EVENT), 'refused', reason);
    assert.deepEqual(seen, []);
    await invoke({ sourceAccount: '111111111111', byRoot: true });
    await invoke({ vouched: true });
    assert.deepEqual(seen, [1, 1]);
  });
});

describe('a Lambda function', () => {
  test('is invoked at the endpoint, by its ARN, with the signature for its region', async () => {
    const seen: unknown[] = [];
    await using there = await serve((request, response) => {
      seen.push([request.url, request.headers['x-amz-invocation-type'], request.headers['x-signed-for']]);
      response.end('{}');
    });
    await functionsAt(new URL('base/', there.url)).invoke(LAMBDA, EVENT, { timeoutMs: 5000, as });
    const name = encodeURIComponent(LAMBDA);
    assert.deepEqual(seen, [
      [`/base/2015-03-31/functions/${name}/invocations`, 'RequestResponse', `eu-central-1 ${sourceAccount}`],
    ]);
  });

  test('that failed says so in a header of a 200', async () => {
    await using there = await serve((_request, response) => {
      response.writeHead(200, { 'X-Amz-Function-Error': 'Unhandled' }).end('{"isAuthenticated":true}');
    });
    await refused(
      functionsAt(there.url).invoke(LAMBDA, EVENT, { timeoutMs: 5000, as }),
      'failed',
      /ended with an error \(Unhandled\)/,
    );
  });

  test('of another account is not asked for, nor one that the operator has given no key for', async () => {
    const asked: unknown[] = [];
    await using there = await serve((request, response) => void response.end(String(asked.push(request.url))));
    const other = { ...as, sourceAccount: '999999999999' };
    const invoke = (of: Functions, asker: InvokedAs) => of.invoke(LAMBDA, EVENT, { timeoutMs: 5000, as: asker });
    await refused(invoke(functionsAt(there.url), other), 'refused', /of another account/);
    await refused(functionsAt(there.url).invoke(LAMBDA, EVENT, { timeoutMs: 5000 }), 'refused', /of another account/);
    const unsigned = new Functions({ lambdaEndpoint: there.url, egress, sign: () => undefined });
    await refused(invoke(unsigned, as), 'refused', /no profile for lambda in --action-credentials/);
    assert.deepEqual(asked, []);
  });

  test('can not be called without an endpoint', () =>
    refused(functionsAt().invoke(LAMBDA, EVENT, { timeoutMs: 5000, as }), 'unavailable', /without --lambda-endpoint/));
});

describe('what is under way', () => {
  test('is bounded in all and for one function, and makes room when it ends', async () => {
    const waiting: (() => void)[] = [];
    const arrived = Promise.withResolvers<void>();
    await using there = await serve((_request, response) => {
      waiting.push(() => response.end('{}'));
      if (waiting.length === 3) arrived.resolve();
    });
    const functions = new Functions({ egress, sign: () => ({}), most: 3, mostOfOne: 2 });
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
