/** Ties the API to a Node HTTP server: limits, `Expect`, and an answer in AWS's form for what is not even HTTP. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { extendHttpDeadlines } from '../runtime/http-deadlines.ts';
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

/** Requests of one connection that may be served at once; pipelining beyond that is no SDK. */
const MAX_IN_FLIGHT = 64;

interface ParseFailure {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

const MALFORMED: ParseFailure = {
  status: '400 Bad Request',
  code: 'InvalidRequestException',
  message: 'The request is not well-formed HTTP',
};
const FAILURES: ReadonlyMap<string, ParseFailure> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    {
      status: '431 Request Header Fields Too Large',
      code: 'InvalidRequestException',
      message: 'The request header is too large',
    },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { status: '408 Request Timeout', code: 'InvalidRequestException', message: 'The request did not arrive in time' },
  ],
]);
/** Codes of errors about what came as HTTP. All others are about the connection: its TLS, which could not carry an answer, or its end. */
const ABOUT_HTTP = /^(HPE|ERR_HTTP)_/;
const FULL: ParseFailure = {
  status: '503 Service Unavailable',
  code: 'ServiceUnavailableException',
  message: 'There is no room for more connections',
};
const NO_TUNNEL: ParseFailure = { status: '404 Not Found', code: 'UnknownOperationException', message: 'This is no proxy' };

/** A whole answer for a socket that has no request object; then the socket closes. */
function refuse(socket: Duplex, { status, code, message }: ParseFailure): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify({ message });
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-amzn-ErrorType: ${code}`,
    `x-amzn-RequestId: ${randomUUID()}`,
    'connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What followed a whole request was no HTTP: the request still gets its answer, then the connection closes. */
function closeAfter(socket: Duplex, { response }: HttpExchange): void {
  response.shouldKeepAlive = false;
  response.once('close', () => socket.destroy());
  socket.pause();
}

/** A connection whose bytes stopped being HTTP, while these exchanges are under way on it. */
function breakOff(socket: Duplex, failure: ParseFailure, exchanges: ReadonlySet<HttpExchange>): void {
  const last = [...exchanges].at(-1);
  if (last === undefined) refuse(socket, failure);
  else if (last.request.complete) closeAfter(socket, last);
  // Nothing else is owed on this connection, so what is written to it is the answer to the request that broke off.
  else if (exchanges.size === 1 && !last.response.headersSent) refuse(socket, failure);
  else socket.destroy();
}

export interface ServingOptions {
  readonly upgrades?: Upgrades;
  readonly standstill?: Standstill;
  /** Called with bytes that are no HTTP, and where they came. */
  readonly notHttp?: (bytes: Buffer, socket: Duplex) => void;
}

/** Serves the API on this server, and what `upgrades` make of the upgrades that the server lets through. */
export function serveApi(server: Server, api: Api, { upgrades, standstill, notHttp }: ServingOptions = {}): void {
  if (standstill !== undefined) extendHttpDeadlines(server, standstill);
  const inFlight = new WeakMap<Duplex, Set<HttpExchange>>();
  const listen = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const exchanges = inFlight.get(socket) ?? new Set();
    if (exchanges.size >= MAX_IN_FLIGHT) return void socket.destroy();
    const exchange: HttpExchange = { request, response };
    inFlight.set(socket, exchanges.add(exchange));
    response.once('close', () => exchanges.delete(exchange));
    api(request, response);
  };
  server.on('request', listen);
  server.on('checkContinue', listen);
  server.on('checkExpectation', listen);
  if (upgrades !== undefined)
    server.on('upgrade', (request, socket, head) => {
      // An answer that is still owed would come in the middle of the other protocol.
      if (inFlight.get(socket)?.size) socket.destroy();
      else if (!upgrades.admits(request.socket)) refuse(socket, FULL);
      else upgrades.upgrade(request, request.socket, head);
    });
  server.on('connect', (_request, socket) => refuse(socket, NO_TUNNEL));
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    const { code = '', rawPacket } = error;
    if (rawPacket !== undefined) notHttp?.(rawPacket, socket);
    if (ABOUT_HTTP.test(code)) breakOff(socket, FAILURES.get(code) ?? MALFORMED, inFlight.get(socket) ?? new Set());
    else socket.destroy();
  });
}
