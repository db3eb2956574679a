/**
 * The listener of metrics (`--metrics-bind`). It is apart from the API, since what it tells is for the operator: how
 * much is going on, and on request the names of accounts and rules.
 */
import { createServer, type Server } from 'node:http';
import { close, listen } from '../runtime/listen.ts';

/** Connections at a time: a scraper or two, and room for those that hang. */
const MAX_CONNECTIONS = 32;
const TIMEOUT = 10_000;
const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface MetricsAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
}

type AnswerReady = () => Pick<MetricsAnswer, 'status' | 'body'>;

/** Listens for `GET /ready`, and for `GET /metrics`, which is answered with what `text` gives at that moment. */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  text: () => string,
  ready: AnswerReady,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createMetricsServer(text, ready);
  return {
    port: await listen(server, host, port, 'metrics (--metrics-bind)'),
    close: () => {
      server.closeAllConnections();
      return close(server);
    },
  };
}

function createMetricsServer(text: () => string, ready: AnswerReady): Server {
  const answerTo = (path: string | undefined, reads: boolean): MetricsAnswer => {
    if (path !== '/metrics' && path !== '/ready') return { status: 404, type: TYPE, body: 'Metrics are at /metrics.\n' };
    if (!reads) return { status: 405, type: TYPE, body: 'Only GET is answered here.\n' };
    if (path === '/ready') return { type: 'application/json', ...ready() };
    return { status: 200, type: TYPE, body: text() };
  };
  const server = createServer(
    { maxHeaderSize: 4096, headersTimeout: TIMEOUT, requestTimeout: TIMEOUT, keepAliveTimeout: 5_000 },
    (request, response) => {
      const [path] = (request.url ?? '').split('?', 1);
      const reads = request.method === 'GET' || request.method === 'HEAD';
      const { status, type, body } = answerTo(path, reads);
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
      request.resume();
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}
