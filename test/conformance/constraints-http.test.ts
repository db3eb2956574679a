/**
 * The same breaches over real HTTP, signed by the AWS SDK's own signer: refused, declared, never a 5xx, never a handler
 * reached.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { ServiceName } from '@thingkeep/wire/api/model.ts';
import { operationsOf, signingName } from '@thingkeep/wire/api/table.ts';
import { createApi } from '../../packages/server/src/api/http.ts';
import { serveApi, serverOptions } from '../../packages/server/src/api/serve.ts';
import { systemClock } from '../../packages/server/src/runtime/clock.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { brokenRequests, everyOperation, validRequest, type WireRequest } from './constraints.ts';

const KEY = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret',
  accountId: '000000000000',
  arn: 'arn:aws:iam::000000000000:user/u',
  userId: 'AIDA',
};

async function startApi() {
  const reached: string[] = [];
  const handlersOf = (service: ServiceName) =>
    Object.fromEntries(
      operationsOf(service).map(({ name }) => [
        name,
        async () => {
          reached.push(name);
          return {};
        },
      ]),
    );
  const api = createApi({
    clock: systemClock,
    log: openLog('silent'),
    findAccessKey: async (id) => (id === KEY.accessKeyId ? KEY : undefined),
    services: () => ({
      iot: handlersOf('iot'),
      'iot-data': handlersOf('iot-data'),
      'iot-jobs-data': handlersOf('iot-jobs-data'),
      lambda: handlersOf('lambda'),
    }),
    plain: new Map(),
    admin: new Map(),
  });
  const server = createServer(serverOptions);
  serveApi(server, api);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port, reached };
}

const signers = new Map<string, SignatureV4>();
function signerOf(service: string): SignatureV4 {
  const signer = signers.get(service) ?? new SignatureV4({ service, region: 'us-east-1', credentials: KEY, sha256: Sha256 });
  signers.set(service, signer);
  return signer;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

async function call(port: number, service: string, { method, path, query, headers, body }: WireRequest) {
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split('=').map(decodeURIComponent) as [string, string]);
  const signed = await signerOf(service).sign({
    method,
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    path,
    query: Object.fromEntries(pairs),
    headers: { ...headers, host: `127.0.0.1:${port}` },
    body,
  });
  const target = query === '' ? path : `${path}?${query}`;
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; type: string; body: string }>();
  const sent = httpRequest({ agent, host: '127.0.0.1', port, method, path: target, headers: signed.headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        type: String(response.headers['x-amzn-errortype'] ?? '').replace(/:$/, ''),
        body: Buffer.concat(chunks).toString('utf8'),
      }),
    );
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

test('over HTTP with SigV4: valid input reaches its handler, and no broken constraint does', async (t) => {
  const { server, port, reached } = await startApi();
  try {
    for (const operation of everyOperation()) {
      const answer = await call(port, signingName(operation.service), validRequest(operation));
      assert.equal(answer.status, operation.status, `${operation.name}: ${answer.body}`);
      assert.equal(reached.pop(), operation.name);
    }
    const broken = everyOperation().flatMap((operation) => [...brokenRequests(operation)]);
    const next = broken.values();
    const worker = async (): Promise<void> => {
      for (const { operation, constraint, at, request } of next) {
        const where = `${operation.name} ${at} ${constraint}`;
        const answer = await call(port, signingName(operation.service), request);
        assert.ok(answer.status >= 400 && answer.status < 500, `${where}: ${answer.status} ${answer.body}`);
        assert.ok(Object.hasOwn(operation.errors, answer.type), `${where}: ${answer.type} ${answer.body}`);
        assert.equal(typeof JSON.parse(answer.body).message, 'string');
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.deepEqual(reached, []);
    t.diagnostic(`${broken.length} broken constraints over HTTP`);
  } finally {
    agent.destroy();
    server.close();
    server.closeAllConnections();
  }
});
