/**
 * The listener of metrics (`--metrics-bind`). It is apart from the API, since what it tells is for the operator: how
 * much is going on, and on request the names of accounts and rules.
 */
import { createServer, type Server } from 'node:http';

/** Connections at a time: a scraper or two, and room for those that hang. */
const MAX_CONNECTIONS = 32;
const TIMEOUT = 10_000;
const TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Answers `GET /metrics` with what `text` gives at that moment. */
export function createMetricsServer(text: () => string): Server {
  const server = createServer(
    { maxHeaderSize: 4096, headersTimeout: TIMEOUT, requestTimeout: TIMEOUT, keepAliveTimeout: 5_000 },
    (request, response) => {
      const [path] = (request.url ?? '').split('?', 1);
      const known = path === '/metrics';
      const reads = request.method === 'GET' || request.method === 'HEAD';
      const body = known && reads ? text() : known ? 'Only GET is answered here.\n' : 'Metrics are at /metrics.\n';
      response.writeHead(known ? (reads ? 200 : 405) : 404, { 'content-type': TYPE, 'content-length': Buffer.byteLength(body) });
      response.end(request.method === 'HEAD' ? undefined : body);
      request.resume();
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}
