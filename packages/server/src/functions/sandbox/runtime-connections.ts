/**
 * Connections to the runtime API, bounded so that no process takes those of others: few for each process, and of those that
 * have not shown whose they are the oldest goes when there are many.
 */
import type { Socket } from 'node:net';

/** A runtime has one, or one for each of its threads. */
const MAX_OF_ONE = 16;
const MAX_UNKNOWN = 256;

export class RuntimeConnections {
  readonly #unknown = new Set<Socket>();
  readonly #known = new Map<string, Set<Socket>>();

  /** A connection that has shown nothing yet. */
  open(socket: Socket): void {
    this.#unknown.add(socket);
    socket.once('close', () => this.#unknown.delete(socket));
    endOldest(this.#unknown, MAX_UNKNOWN);
  }

  /** It is of the process of this key. */
  belongs(socket: Socket, key: string): void {
    if (!this.#unknown.delete(socket)) return;
    const own = this.#known.get(key) ?? new Set();
    this.#known.set(key, own.add(socket));
    socket.once('close', () => {
      own.delete(socket);
      if (own.size === 0 && this.#known.get(key) === own) this.#known.delete(key);
    });
    endOldest(own, MAX_OF_ONE);
  }
}

function endOldest(sockets: Set<Socket>, most: number): void {
  if (sockets.size <= most) return;
  const [oldest] = sockets;
  if (oldest === undefined) return;
  sockets.delete(oldest);
  oldest.destroy();
}
