/**
 * Deadlines of an HTTP server's requests, after a standstill. Node keeps them by timers of its own, which fire before what
 * has come meanwhile is read: so they are lengthened by the standstill until all that began before it has ended.
 */
import type { Server, Socket } from 'node:net';
import { GRACE, type Standstill } from './standstill.ts';

/** A server of HTTP, or of HTTP over TLS. */
type HttpServer = Server & { readonly headersTimeout: number; readonly requestTimeout: number };

/** Lengthens the server's deadlines for requests, and for connections that are kept for a next one, after a standstill. */
export function extendHttpDeadlines(server: HttpServer, standstill: Standstill): void {
  const { clock } = standstill;
  let longer = 0;
  let until = 0;
  standstill.on((milliseconds) => {
    longer = milliseconds;
    until = clock.monotonic() + server.requestTimeout;
  });
  // Node asks for both at each of its looks, and compares them with the age of each request.
  for (const name of ['headersTimeout', 'requestTimeout'] as const) {
    const usual = server[name];
    const get = (): number => {
      standstill.look();
      return clock.monotonic() < until ? usual + longer : usual;
    };
    Object.defineProperty(server, name, { get, configurable: true, enumerable: true });
  }
  // A connection that is kept for a next request, which may wait in its socket.
  server.on('timeout', (socket: Socket) => {
    if (standstill.mayJudge()) socket.destroy();
    else socket.setTimeout(GRACE);
  });
}
