/**
 * A bound on connections, all listening sockets together: when it is reached, whoever comes is closed at once, and those
 * who are there stay. So the process never comes to its limit of open files, beyond which it could not even do its own work.
 */
import type { Server, Socket } from 'node:net';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** The connections of some servers. */
export interface Connections {
  /** Ends them at once, whatever they are at. */
  destroyAll(): void;
}

export interface ConnectionLimitOptions {
  readonly most: number;
  /** Connections of one server that are bounded elsewhere: they count for nothing here, and are let in when it is full. */
  readonly apart?: { readonly server: Server; has(socket: Socket): boolean };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Milliseconds between two log lines about peers that were turned away. */
const QUIET = 1000;
/** Files for the store, for calls of functions and for whatever Node needs: never more than half of what there is. */
const RESERVE = 512;

/** The limit of open files of this process; undefined where there is none, or none is known. */
export function openFileLimit(): number | undefined {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

/** Connections that a limit of open files leaves room for. */
export const connectionsWithin = (openFiles: number | undefined): number =>
  openFiles === undefined ? Number.POSITIVE_INFINITY : openFiles - Math.min(RESERVE, openFiles >> 1);

class ConnectionLimit implements Connections {
  readonly #servers: readonly Server[];
  readonly #options: ConnectionLimitOptions;
  readonly #open = new Set<Socket>();
  readonly #apart = new Set<Socket>();
  #full = false;
  #turnedAway = 0;
  #lastLine = Number.NEGATIVE_INFINITY;

  constructor(servers: readonly Server[], options: ConnectionLimitOptions) {
    const gone = (socket: Socket): void => {
      this.#apart.delete(socket);
      this.#open.delete(socket);
      this.#counted();
    };
    this.#gone = function (this: Socket) {
      gone(this);
    };
    this.#servers = servers;
    this.#options = options;
    for (const server of servers) {
      server.on('connection', server === options.apart?.server ? this.#cameThere : this.#came);
      server.on('drop', () => this.#tell('connections-full'));
      // The system has run out of files, or the peer was gone before it was met: the next one may fare better. A port that
      // can't be opened is told where it is asked for.
      server.on('error', (error) => {
        if (server.listening) this.#tell('accept-failed', error);
      });
    }
  }

  readonly #came = (socket: Socket): void => {
    this.#open.add(socket);
    this.#counted();
    socket.on('close', this.#gone);
  };

  /** To a server that must take some connections even now. */
  readonly #cameThere = (socket: Socket): void => {
    const { most, apart } = this.#options;
    if (apart?.has(socket) === true) {
      this.#apart.add(socket);
      socket.on('close', this.#gone);
    } else if (this.#open.size < most) this.#came(socket);
    else {
      socket.destroy();
      this.#tell('connections-full');
    }
  };

  /** One function for all sockets: a closure for each would weigh on every connection. */
  readonly #gone: (this: Socket) => void;

  destroyAll(): void {
    for (const socket of [...this.#open, ...this.#apart]) socket.destroy();
  }

  #counted(): void {
    const full = this.#open.size >= this.#options.most;
    if (full === this.#full) return;
    this.#full = full;
    // Node closes what comes beyond this before it makes a socket of it.
    for (const server of this.#servers)
      if (server !== this.#options.apart?.server) server.maxConnections = full ? 0 : Number.POSITIVE_INFINITY;
  }

  #tell(event: string, error?: Error): void {
    const { clock, log } = this.#options;
    this.#turnedAway += 1;
    const now = clock.monotonic();
    if (now - this.#lastLine < QUIET) return;
    this.#lastLine = now;
    const known = { event, open: this.#open.size, turnedAway: this.#turnedAway, ...(error === undefined ? {} : { err: error }) };
    this.#turnedAway = 0;
    log.warn(known, 'connections were turned away: there is no room for more');
  }
}

/** Bounds the connections of these servers together. To be called before they listen. */
export const limitConnections = (servers: readonly Server[], options: ConnectionLimitOptions): Connections =>
  new ConnectionLimit(servers, options);
