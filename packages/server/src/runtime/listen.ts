/** Opens listening sockets, and says in an operator's words when one can't be opened. */
import type { AddressInfo, Server } from 'node:net';

export class ListenError extends Error {
  override readonly name = 'ListenError';
}

const explain = (what: string, host: string, port: number, error: NodeJS.ErrnoException): ListenError => {
  const why =
    error.code === 'EADDRINUSE'
      ? `port ${port} on ${host} is in use`
      : error.code === 'EACCES'
        ? `port ${port} on ${host} may not be opened by this user`
        : error.code === 'EADDRNOTAVAIL'
          ? `${host} is no address of this machine`
          : `port ${port} on ${host} can't be opened: ${error.message}`;
  return new ListenError(`${what}: ${why}`, { cause: error });
};

/** Resolves with the port once the server listens. */
export const listen = (server: Server, host: string, port: number, what: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(explain(what, host, port, error)));
    server.listen({ host, port, backlog: 4096 }, () => resolve((server.address() as AddressInfo).port));
  });

/** Takes no more connections; resolves when those that stand have ended. */
export const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
