/** A short run of the HTTP fuzz against the API's front; the long one runs against a whole server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createApi } from '../../packages/server/src/api/http.ts';
import { serveApi, serverOptions } from '../../packages/server/src/api/serve.ts';
import { systemClock } from '../../packages/server/src/runtime/clock.ts';
import { openLog } from '../../packages/server/src/runtime/log.ts';
import { fuzzHttp } from './http-fuzz.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

test('hostile requests get an answer, and never a 5xx', async (t) => {
  const api = createApi({
    clock: systemClock,
    log: openLog('silent'),
    findAccessKey: async (id) =>
      id === credentials.accessKeyId
        ? { ...credentials, accountId: '000000000000', arn: 'arn:aws:iam::000000000000:user/u', userId: 'A' }
        : undefined,
    services: () => ({ iot: {}, 'iot-data': {}, 'iot-jobs-data': {}, lambda: {} }),
    plain: new Map(),
    admin: new Map(),
  });
  const server = createServer(serverOptions);
  serveApi(server, api);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const { failures, statuses, slowestMs } = await fuzzHttp({ host: '127.0.0.1', port, seed: 20, requests: 2_000, credentials });
    assert.deepEqual(failures, []);
    t.diagnostic(
      `${[...statuses].map(([status, count]) => `${count} x ${status}`).join(', ')}; slowest ${Math.round(slowestMs)} ms`,
    );
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
