/** Opens listening sockets; the error of one that can't be opened is worded for the operator. */
import { type AddressInfo, createServer, type Server } from 'node:net';

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

/** Sockets that were opened early, by address and port. */
const early = new Map<string, Server>();

/** Opens a port early, before the process gives up the permission to do so. `listen` takes it over. */
export async function openEarly(host: string, port: number): Promise<void> {
  const holder = createServer((socket) => socket.destroy());
  await listen(holder, host, port, '--user');
  early.set(`${host} ${port}`, holder);
}

/** Resolves with the port once the server listens. */
export const listen = (server: Server, host: string, port: number, what: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(explain(what, host, port, error)));
    const listens = (): void => resolve((server.address() as AddressInfo).port);
    const holder = early.get(`${host} ${port}`);
    early.delete(`${host} ${port}`);
    if (holder === undefined) server.listen({ host, port, backlog: 4096 }, listens);
    else server.listen(holder, listens);
  });

/** Closes a server for new connections; resolves when the open ones have ended. */
export const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
