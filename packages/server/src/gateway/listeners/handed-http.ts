/** An HTTP server that does not listen: it is handed sockets whose TLS has been done elsewhere. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Takes over a connection for another protocol (RFC 9110 section 7.8); `head` is what came behind the request. */
export type UpgradeListener = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

const STATUS_OF_FAULT: ReadonlyMap<string | undefined, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Payload Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

/** Ends a connection whose bytes are no HTTP, with a status where no answer has begun. */
export function answerBrokenHttp(code: string | undefined, socket: Duplex): void {
  const answer: unknown = Reflect.get(socket, '_httpMessage');
  const hasBegun = answer instanceof ServerResponse && answer.headersSent;
  if (socket.writable && !hasBegun)
    socket.write(`HTTP/1.1 ${STATUS_OF_FAULT.get(code) ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
}

export function handedHttpServer(options: ServerOptions, listener: RequestListener, upgrade?: UpgradeListener): Server {
  const server = createServer(options);
  const unanswered = new WeakMap<Socket, number>();
  const count = (socket: Socket, change: number): void => void unanswered.set(socket, (unanswered.get(socket) ?? 0) + change);
  const serve: RequestListener = (request, response) => {
    const { socket } = request;
    count(socket, 1);
    response.once('close', () => count(socket, -1));
    listener(request, response);
  };
  server.on('request', serve);
  // The listener tells the client to go on once it wants the body.
  server.on('checkContinue', serve);
  if (upgrade !== undefined)
    server.on('upgrade', (request, _socket, head) => {
      const { socket } = request;
      // An answer that is still owed would come in the middle of the other protocol.
      if (unanswered.get(socket)) socket.destroy();
      else upgrade(request, socket, head);
    });
  // Node keeps the deadlines of requests only once a server listens; without this, a peer could send its head for ever.
  server.emit('listening');
  return server;
}
