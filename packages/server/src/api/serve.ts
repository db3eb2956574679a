/** Ties the API to a Node HTTP server: limits, `Expect`, and an answer in AWS's form for what is not even HTTP. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { extendHttpDeadlines } from '../runtime/http-deadlines.ts';
import {
  answerBrokenHttp,
  endWithFailure,
  type HttpFailure,
  HttpExchanges,
  inTurn,
  type OnForeignBytes,
} from '../runtime/http-failure.ts';
import type { Standstill } from '../runtime/standstill.ts';
import type { Api } from './http.ts';

/** What becomes of upgrades: `admits` says whether there is room for a connection that is not the API's any more. */
export interface Upgrades {
  readonly upgrade: (request: IncomingMessage, socket: IncomingMessage['socket'], head: Buffer) => void;
  readonly admits: (socket: IncomingMessage['socket']) => boolean;
}

/** For `http.createServer` and `https.createServer`. */
export const serverOptions = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  insecureHTTPParser: false,
  // The API answers a missing Host itself, in AWS's form.
  requireHostHeader: false,
  noDelay: true,
} as const satisfies ServerOptions;

/** Requests of one connection that may wait for their answers; pipelining beyond that is no SDK. */
const MAX_IN_FLIGHT = 64;

const FULL: HttpFailure = {
  status: '503 Service Unavailable',
  code: 'ServiceUnavailableException',
  message: 'There is no room for more connections',
};
const NO_TUNNEL: HttpFailure = { status: '404 Not Found', code: 'UnknownOperationException', message: 'This is no proxy' };

export interface ServingOptions {
  readonly upgrades?: Upgrades;
  readonly standstill?: Standstill;
  readonly notHttp?: OnForeignBytes;
}

/** Serves the API on this server, and what `upgrades` make of the upgrades that the server lets through. */
export function serveApi(server: Server, api: Api, { upgrades, standstill, notHttp }: ServingOptions = {}): void {
  if (standstill !== undefined) extendHttpDeadlines(server, standstill);
  const exchanges = new HttpExchanges();
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    if (exchanges.of(socket).size >= MAX_IN_FLIGHT) return void socket.destroy();
    exchanges.begin(request, response);
    inTurn(response, () => api(request, response));
  };
  server.on('request', listen);
  server.on('checkContinue', listen);
  server.on('checkExpectation', listen);
  if (upgrades !== undefined)
    server.on('upgrade', (request, socket, head) => {
      // An answer that is still owed would come in the middle of the other protocol.
      if (exchanges.of(socket).size > 0) socket.destroy();
      else if (!upgrades.admits(request.socket)) endWithFailure(socket, FULL);
      else upgrades.upgrade(request, request.socket, head);
    });
  server.on('connect', (_request, socket) => endWithFailure(socket, NO_TUNNEL));
  answerBrokenHttp(server, exchanges, notHttp);
}
