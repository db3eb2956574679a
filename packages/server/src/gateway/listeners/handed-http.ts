/** An HTTP server that does not listen: it is handed sockets whose TLS has been done elsewhere. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';

export function handedHttpServer(options: ServerOptions, listener: RequestListener): Server {
  const server = createServer(options, listener);
  // Node keeps the deadlines of requests only once a server listens; without this, a peer could send its head for ever.
  server.emit('listening');
  return server;
}
