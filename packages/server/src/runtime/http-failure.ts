/** Connections whose bytes are no HTTP, or stop being HTTP: a whole answer in AWS's form where one can be given, then the end. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

export interface HttpFailure {
  readonly status: string;
  /** Name of the error, as in AWS's answers. */
  readonly code: string;
  readonly message: string;
}

const MALFORMED: HttpFailure = {
  status: '400 Bad Request',
  code: 'InvalidRequestException',
  message: 'The request is not well-formed HTTP',
};
const FAILURES: ReadonlyMap<string, HttpFailure> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    {
      status: '431 Request Header Fields Too Large',
      code: 'InvalidRequestException',
      message: 'The request header is too large',
    },
  ],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    {
      status: '413 Payload Too Large',
      code: 'InvalidRequestException',
      message: 'The chunk extensions of the request are too large',
    },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    { status: '408 Request Timeout', code: 'InvalidRequestException', message: 'The request did not arrive in time' },
  ],
]);
/**
 * Codes of errors about what came as HTTP. All others are about the connection: its TLS, which could not carry an answer, or
 * its end.
 */
const ABOUT_HTTP = /^(HPE|ERR_HTTP)_/;

/** A whole answer for a socket that has no request object; then the socket closes. */
export function endWithFailure(socket: Duplex, { status, code, message }: HttpFailure): void {
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

export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const NONE: ReadonlySet<HttpExchange> = new Set();

/** The exchanges that are under way on each connection: what is answered to broken HTTP depends on them. */
export class HttpExchanges {
  readonly #underWay = new WeakMap<Duplex, Set<HttpExchange>>();

  of(socket: Duplex): ReadonlySet<HttpExchange> {
    return this.#underWay.get(socket) ?? NONE;
  }

  /** Ends when the response has closed. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchanges = this.#underWay.get(socket) ?? new Set();
    const exchange: HttpExchange = { request, response };
    this.#underWay.set(socket, exchanges.add(exchange));
    response.once('close', () => exchanges.delete(exchange));
  }
}

/**
 * Serves a request once the answers to those before it on its connection are sent: one that is ahead would be held in memory,
 * and keep its file open, for as long as its client does not read.
 */
export function inTurn(response: ServerResponse, serve: () => void): void {
  if (response.socket === null) response.once('socket', serve);
  else serve();
}

/** What followed a whole request was no HTTP: the request still gets its answer, then the connection closes. */
function closeAfter(socket: Duplex, { response }: HttpExchange): void {
  response.shouldKeepAlive = false;
  response.once('close', () => socket.destroy());
  socket.pause();
}

/** A connection whose bytes stopped being HTTP, while these exchanges are under way on it. */
function breakOff(socket: Duplex, failure: HttpFailure, exchanges: ReadonlySet<HttpExchange>): void {
  const last = [...exchanges].at(-1);
  if (last === undefined) endWithFailure(socket, failure);
  else if (last.request.complete) closeAfter(socket, last);
  // Nothing else is owed on this connection, so what is written to it is the answer to the request that broke off.
  else if (exchanges.size === 1 && !last.response.headersSent) endWithFailure(socket, failure);
  else socket.destroy();
}

/** Called with bytes that are no HTTP, and where they came. */
export type OnForeignBytes = (bytes: Buffer, socket: Duplex) => void;

/** Answers what comes to the server and is no HTTP. */
export function answerBrokenHttp(server: Server, exchanges: HttpExchanges, notHttp?: OnForeignBytes): void {
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    const { code = '', rawPacket } = error;
    if (rawPacket !== undefined) notHttp?.(rawPacket, socket);
    if (ABOUT_HTTP.test(code)) breakOff(socket, FAILURES.get(code) ?? MALFORMED, exchanges.of(socket));
    else socket.destroy();
  });
}
