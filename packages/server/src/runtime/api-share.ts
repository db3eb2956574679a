/**
 * Connections of functions to the API, of all processes together: a quarter of the limit of connections, in addition to it.
 * So they take none of devices and operators, and a process with many loses its oldest to one with few.
 */
import type { Socket } from 'node:net';
import { connectionsWithin, openFileLimit } from './connection-limit.ts';
import type { Logger } from './log.ts';

/** Connections of all functions at most: those of 32 processes. */
const MOST = 512;
/** Files of one connection: to its forwarder, and both ends of the connection to the API. */
const FILES = 3;

/** Connections of functions beside a limit of `bound` for all others. */
export const shareOf = (bound: number): number => Math.min(MOST, Math.max(1, Math.floor(bound / 4)));

/** Connections out of `files`, such that the connections of functions have their files too. */
export const besideFunctions = (files: number): number => Math.max(Math.floor((files * 4) / (4 + FILES)), files - FILES * MOST);

/** The limit of connections: the setting, or what the limit of open files allows if that is less. */
export function connectionBound(asked: number | undefined, log: Logger, files = openFileLimit()): number {
  const room = besideFunctions(connectionsWithin(files));
  if (asked === undefined || asked <= room) return asked ?? room;
  log.warn({ event: 'connections-lowered', asked, most: room }, 'the limit of open files leaves no room for as many connections');
  return room;
}

export class ApiShare {
  readonly #most: number;
  /** Connections by door, oldest first. */
  readonly #open = new Map<object, Set<Socket>>();
  readonly #ports = new Set<number>();
  #count = 0;

  constructor(bound: number) {
    this.#most = shareOf(bound);
  }

  /** Counts a connection that has come through a door; false at the limit. */
  enter(door: object, socket: Socket): boolean {
    const own = this.#open.get(door) ?? new Set();
    if (this.#count >= this.#most && !this.#makeWay(own.size)) return false;
    this.#open.set(door, own.add(socket));
    this.#count += 1;
    socket.once('close', () => this.#leave(door, own, socket));
    return true;
  }

  /** Recognises the connection to the API that was just begun for it. */
  follow(to: Socket): void {
    let port: number | undefined;
    const see = (): void => {
      if (port !== undefined || to.localPort === undefined) return;
      port = to.localPort;
      this.#ports.add(port);
    };
    // With an address the port is known at the end of this turn, before the API accepts; a name is resolved first.
    process.nextTick(see);
    to.once('connect', see);
    to.once('close', () => port !== undefined && this.#ports.delete(port));
  }

  /** Whether a connection to the API is a function's. */
  has({ remoteAddress, localAddress, remotePort }: Socket): boolean {
    return remotePort !== undefined && remoteAddress === localAddress && this.#ports.has(remotePort);
  }

  /** Ends the oldest connection of the process with most, if it has more than `has + 1`; returns whether it did. */
  #makeWay(has: number): boolean {
    const [door, most] = [...this.#open].reduce((a, b) => (b[1].size > a[1].size ? b : a));
    const [oldest] = most;
    if (oldest === undefined || most.size <= has + 1) return false;
    this.#leave(door, most, oldest);
    oldest.destroy();
    return true;
  }

  #leave(door: object, own: Set<Socket>, socket: Socket): void {
    if (!own.delete(socket)) return;
    this.#count -= 1;
    if (own.size === 0 && this.#open.get(door) === own) this.#open.delete(door);
  }
}
