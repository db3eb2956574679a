/**
 * The salesforce action against a receiver: the service model lets rules name Salesforce's own hosts alone, the action itself
 * sends.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { testEgress } from '../../outgoing/egress.fixture.ts';
import { ActionError } from './action-error.ts';
import type { ActionTools, Order, ParametersOf } from './contract.ts';
import { salesforce } from './salesforce.ts';

test('posts the event with its token; 5xx passes, 4xx does not, and no failure names the token', async () => {
  const seen: { headers: IncomingHttpHeaders; path: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ headers: request.headers, path: request.url, body: Buffer.concat(chunks).toString() });
      response.writeHead(Number(request.url?.split('/')[1])).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const token = 't'.repeat(40);
    const run = (status: number): Promise<void> => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${status}/streams/a/b/event`;
      const order = { parameters: { token, url }, payload: Buffer.from('{"a":1}'), isJson: true };
      const tools = { egress: testEgress(), signal: AbortSignal.timeout(5000) };
      return salesforce.run([order as Order<ParametersOf<'salesforce'>>], tools as ActionTools);
    };
    await run(200);
    assert.deepEqual(
      [seen[0]?.path, seen[0]?.body, seen[0]?.headers.authorization, seen[0]?.headers['content-type']],
      ['/200/streams/a/b/event', '{"a":1}', `Bearer ${token}`, 'application/json'],
    );
    for (const [status, passing] of [
      [503, true],
      [429, true],
      [401, false],
    ] as const)
      await assert.rejects(run(status), (error: unknown) => {
        assert.ok(error instanceof ActionError && error.passing === passing);
        assert.ok(error.message.includes(String(status)) && !error.message.includes(token));
        return true;
      });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
