/**
 * Deadlines of an HTTP server's requests after a standstill. Node's own timers fire before the bytes that arrived meanwhile
 * are read, so deadlines are lengthened by the standstill for all that began before it.
 */
import type { Server, Socket } from 'node:net';
import { GRACE, type Standstill } from './standstill.ts';

/** A server of HTTP or HTTPS. */
type HttpServer = Server & { readonly headersTimeout: number; readonly requestTimeout: number };

/** Lengthens the server's deadlines of requests and of idle connections after a standstill. */
export function extendHttpDeadlines(server: HttpServer, standstill: Standstill): void {
  const { clock } = standstill;
  let longer = 0;
  let until = 0;
  standstill.on((milliseconds) => {
    longer = milliseconds;
    until = clock.monotonic() + server.requestTimeout;
  });
  // Node reads both at each of its checks, and compares them with the age of each request.
  for (const name of ['headersTimeout', 'requestTimeout'] as const) {
    const usual = server[name];
    const get = (): number => {
      standstill.look();
      return clock.monotonic() < until ? usual + longer : usual;
    };
    Object.defineProperty(server, name, { get, configurable: true, enumerable: true });
  }
  // An idle connection; a next request may wait in its socket.
  server.on('timeout', (socket: Socket) => {
    if (standstill.mayEnforceDeadlines()) socket.destroy();
    else socket.setTimeout(GRACE);
  });
}
