/** A Unix socket that this user alone can connect to: the file has mode 0600 and goes when the listener does. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';

export interface PrivateSocketOptions {
  /** Connections at a time; more are closed. */
  readonly most: number;
  readonly onConnection: (socket: Socket) => void;
}

/** Listens until it is disposed of, which closes all connections. */
export async function listenOnPrivateSocket(
  path: string,
  { most, onConnection }: PrivateSocketOptions,
): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A connection that breaks concerns its own client only.
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.maxConnections = most;
  // The umask gives the file its mode as it is made; a chmod afterwards would leave a moment in between.
  const before = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, 'listening');
  } finally {
    process.umask(before);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      rmSync(path, { force: true });
    },
  };
}
