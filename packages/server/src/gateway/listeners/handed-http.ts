/** An HTTP server that does not listen: it is handed sockets whose TLS has been done elsewhere. */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { answerBrokenHttp, HttpExchanges, inTurn, type OnForeignBytes } from '../../runtime/http-failure.ts';

/** Takes over a connection for another protocol (RFC 9110 section 7.8); `head` is what came behind the request. */
export type UpgradeListener = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

export interface HandedHttpListeners {
  readonly request: RequestListener;
  readonly upgrade?: UpgradeListener;
  readonly notHttp?: OnForeignBytes;
}

export function handedHttpServer(options: ServerOptions, { request: listener, upgrade, notHttp }: HandedHttpListeners): Server {
  const server = createServer(options);
  const exchanges = new HttpExchanges();
  const serve: RequestListener = (request, response) => {
    exchanges.begin(request, response);
    inTurn(response, () => void listener(request, response));
  };
  server.on('request', serve);
  // The listener tells the client to go on once it wants the body.
  server.on('checkContinue', serve);
  if (upgrade !== undefined)
    server.on('upgrade', (request, _socket, head) => {
      const { socket } = request;
      // An answer that is still owed would come in the middle of the other protocol.
      if (exchanges.of(socket).size > 0) socket.destroy();
      else upgrade(request, socket, head);
    });
  answerBrokenHttp(server, exchanges, notHttp);
  // Node keeps the deadlines of requests only once a server listens; without this, a peer could send its head for ever.
  server.emit('listening');
  return server;
}
