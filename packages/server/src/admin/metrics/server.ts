/**
 * The listener of metrics (`--metrics-bind`). It is apart from the API, since what it reports is for the
 * operator: how much is going on, and on request the names of accounts and rules.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { close, listen } from '../../runtime/listen.ts';
import type { Logger } from '../../runtime/log.ts';
import { formatOf } from './accept.ts';
import { CONTENT_TYPES, renderMetrics } from './render.ts';
import type { MetricSources } from './sources.ts';

/** Connections at a time: a scraper or two, and room for those that hang. */
const MAX_CONNECTIONS = 32;
const TIMEOUT_MS = 10_000;
const PLAIN = 'text/plain; charset=utf-8';

interface MetricsAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
}

type AnswerReady = () => Pick<MetricsAnswer, 'status' | 'body'>;

/** Listens for `GET /ready`, and for `GET /metrics`, which is answered with what `sources` provide at that moment. */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  sources: Pick<MetricSources, 'collect'>,
  ready: AnswerReady,
  log: Pick<Logger, 'error'>,
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createMetricsServer(sources, ready, log);
  return {
    port: await listen(server, host, port, 'metrics (--metrics-bind)'),
    close: () => {
      server.closeAllConnections();
      return close(server);
    },
  };
}

function createMetricsServer(sources: Pick<MetricSources, 'collect'>, ready: AnswerReady, log: Pick<Logger, 'error'>): Server {
  const answerTo = async ({ url = '', method, headers }: IncomingMessage): Promise<MetricsAnswer> => {
    const [path] = url.split('?', 1);
    if (path !== '/metrics' && path !== '/ready') return { status: 404, type: PLAIN, body: 'Metrics are at /metrics.\n' };
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: PLAIN, body: 'Only GET is answered here.\n' };
    if (path === '/ready') return { type: 'application/json', ...ready() };
    const format = formatOf(headers.accept);
    return { status: 200, type: CONTENT_TYPES[format], body: renderMetrics(await sources.collect(), format) };
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.resume();
    const { status, type, body } = await answerTo(request);
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), vary: 'accept' });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const server = createServer(
    { maxHeaderSize: 4096, headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, keepAliveTimeout: 5_000 },
    (request, response) => {
      serve(request, response).catch((error: unknown) => {
        log.error({ err: error, event: 'metrics-failed' }, 'metrics could not be answered');
        response.destroy();
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}
