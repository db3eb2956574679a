/** Opens listening sockets, and says in an operator's words when one can't be opened. */
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

/** Sockets that were opened ahead, by address and port. */
const early = new Map<string, Server>();

/** Opens a port that the process can't open later, when it has fewer rights. `listen` takes it over. */
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

/** Takes no more connections; resolves when those that stand have ended. */
export const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
  });
