/**
 * The limit of connections of all listening sockets together: beyond it new connections are closed at once. So the process
 * never reaches its limit of open files, beyond which it could not do its own work. One server, the API, has a share that
 * connections to the others can't take, so that the operator can always connect.
 */
import type { Server, Socket } from 'node:net';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

/** The connections of some servers. */
export interface LimitedConnections {
  /** Connections that count, those that may be open, and those that were turned away since the start. */
  readonly figures: { readonly open: number; readonly max: number; readonly turnedAway: number };
  /** Ends all connections at once. */
  destroyAll(): void;
  /** Counts a connection of the server with a share as a device's; false at the limit: the caller then ends it. */
  readonly becomesDevice: (socket: Socket) => boolean;
}

export interface ConnectionLimitOptions {
  readonly max: number;
  /**
   * The server that has a share of its own. Its connections for which `has` is true are bounded elsewhere: they are not
   * counted here, and are accepted at the limit.
   */
  readonly apart?: { readonly server: Server; has(socket: Socket): boolean; readonly share: number };
  readonly clock: Clock;
  readonly log: Logger;
}

/** Milliseconds between two log lines about refused connections. */
const QUIET = 1000;
/** Files for the store, for calls of functions and for Node: at most half of the limit. */
const RESERVE = 512;
/** Connections that are kept for the API: operators, their tools and monitoring. */
const MAX_KEPT = 64;

/** The key of a peer, which a TCP socket and the TLS socket made of it have in common. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** The limit of open files of this process; undefined where there is none, or none is known. */
export function openFileLimit(): number | undefined {
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : undefined;
}

/** Connections that are reserved for the API out of `max`: at least one, and not all. */
export const operatorShare = (max: number): number => Math.min(MAX_KEPT, Math.max(1, Math.floor(max / 8)), max - 1);

/** Connections that are possible within a limit of open files. */
export const connectionsWithin = (openFiles: number | undefined): number =>
  openFiles === undefined ? Number.POSITIVE_INFINITY : openFiles - Math.min(RESERVE, openFiles >> 1);

class ConnectionLimit implements LimitedConnections {
  readonly #servers: readonly Server[];
  readonly #options: ConnectionLimitOptions;
  readonly #open = new Set<Socket>();
  /** Connections of the server that has a share, oldest first, by peer. */
  readonly #kept = new Map<string, Socket>();
  readonly #apart = new Set<Socket>();
  #full = false;
  /** Since the last log line, and before it. */
  #turnedAway = 0;
  #logged = 0;
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
      server.on('drop', () => this.#report('connections-full'));
      // The system has no more files, or the peer has gone before it was accepted: the next connection may succeed. A port
      // that can't be opened is reported by listen().
      server.on('error', (error) => {
        if (server.listening) this.#report('accept-failed', error);
      });
    }
  }

  get figures(): LimitedConnections['figures'] {
    return { open: this.#count, max: this.#options.max, turnedAway: this.#logged + this.#turnedAway };
  }

  get #count(): number {
    return this.#open.size + this.#kept.size;
  }

  readonly #came = (socket: Socket): void => {
    this.#open.add(socket);
    this.#counted();
    socket.on('close', this.#gone);
  };

  /** A connection to the server with a share has come. */
  readonly #cameThere = (socket: Socket): void => {
    const { max, apart } = this.#options;
    if (apart?.has(socket) === true) {
      this.#apart.add(socket);
      socket.on('close', this.#gone);
    } else if (this.#count < max || (apart !== undefined && apart.share > 0 && this.#endSilent())) this.#keep(socket);
    else {
      socket.destroy();
      this.#report('connections-full');
    }
  };

  #keep(socket: Socket): void {
    const peer = peerOf(socket);
    this.#kept.set(peer, socket);
    this.#counted();
    socket.on('close', () => {
      if (this.#kept.get(peer) === socket) this.#kept.delete(peer);
      this.#open.delete(socket);
      this.#counted();
    });
  }

  /** Ends the oldest connection that has sent nothing; returns whether there was one. */
  #endSilent(): boolean {
    for (const [peer, socket] of this.#kept) {
      if (socket.bytesRead > 0) continue;
      this.#kept.delete(peer);
      socket.destroy();
      this.#report('connections-full');
      return true;
    }
    return false;
  }

  readonly becomesDevice = (socket: Socket): boolean => {
    const peer = peerOf(socket);
    const kept = this.#kept.get(peer);
    // A function's connection, which is bounded elsewhere.
    if (kept === undefined) return true;
    if (this.#isFull()) {
      this.#report('connections-full');
      return false;
    }
    this.#kept.delete(peer);
    this.#open.add(kept);
    this.#counted();
    return true;
  };

  /** The one listener of all sockets; a closure for each would cost memory for each connection. */
  readonly #gone: (this: Socket) => void;

  destroyAll(): void {
    for (const socket of [...this.#open, ...this.#kept.values(), ...this.#apart]) socket.destroy();
  }

  /** Whether connections of devices have reached their limit. */
  #isFull(): boolean {
    const { max, apart } = this.#options;
    return this.#open.size >= max - (apart?.share ?? 0) || this.#count >= max;
  }

  #counted(): void {
    const full = this.#isFull();
    if (full === this.#full) return;
    this.#full = full;
    // Node closes connections beyond this number before it makes sockets of them.
    for (const server of this.#servers)
      if (server !== this.#options.apart?.server) server.maxConnections = full ? 0 : Number.POSITIVE_INFINITY;
  }

  #report(event: string, error?: Error): void {
    const { clock, log } = this.#options;
    this.#turnedAway += 1;
    const now = clock.monotonic();
    if (now - this.#lastLine < QUIET) return;
    this.#lastLine = now;
    const known = { event, open: this.#count, turnedAway: this.#turnedAway, err: error };
    this.#logged += this.#turnedAway;
    this.#turnedAway = 0;
    log.warn(known, 'connections were turned away: there is no room for more');
  }
}

/** Limits the connections of these servers together. To be called before they listen. */
export const limitConnections = (servers: readonly Server[], options: ConnectionLimitOptions): LimitedConnections =>
  new ConnectionLimit(servers, options);
