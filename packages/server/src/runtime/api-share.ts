/**
 * Connections of functions to the API, all processes together: a quarter of the bound on connections, beside it. So they never
 * take those of devices and operators, and a process that wants many makes way for one that has few.
 */
import type { Socket } from 'node:net';
import { connectionsWithin, openFileLimit } from './connection-limit.ts';
import type { Logger } from './log.ts';

/** As many as 32 processes may have. */
const MOST = 512;
/** What one of them holds open: at the door, and both ends of its connection to the API. */
const FILES = 3;

/** How many functions may have where there are `bound` for others. */
export const shareOf = (bound: number): number => Math.min(MOST, Math.max(1, Math.floor(bound / 4)));

/** Of so many files, those that connections may take, so that a quarter more of functions finds its files too. */
export const besideFunctions = (files: number): number => Math.max(Math.floor((files * 4) / (4 + FILES)), files - FILES * MOST);

/** Connections that there may be: as many as were asked for, and no more than the limit of open files leaves room for. */
export function connectionBound(asked: number | undefined, log: Logger, files = openFileLimit()): number {
  const room = besideFunctions(connectionsWithin(files));
  if (asked === undefined || asked <= room) return asked ?? room;
  log.warn({ event: 'connections-lowered', asked, most: room }, 'the limit of open files leaves no room for as many connections');
  return room;
}

export class ApiShare {
  readonly #most: number;
  /** Oldest first, by door. */
  readonly #open = new Map<object, Set<Socket>>();
  readonly #ports = new Set<number>();
  #count = 0;

  constructor(bound: number) {
    this.#most = shareOf(bound);
  }

  /** Takes a place for a connection that came through a door; false where there is none. */
  enter(door: object, socket: Socket): boolean {
    const own = this.#open.get(door) ?? new Set();
    if (this.#count >= this.#most && !this.#makeWay(own.size)) return false;
    this.#open.set(door, own.add(socket));
    this.#count += 1;
    socket.once('close', () => this.#leave(door, own, socket));
    return true;
  }

  /** `to` is its connection to the API, that has just been begun. */
  follow(to: Socket): void {
    let port: number | undefined;
    const see = (): void => {
      if (port !== undefined || to.localPort === undefined) return;
      port = to.localPort;
      this.#ports.add(port);
    };
    // An address is asked at the end of this turn, long before the API sees who comes; a name is looked up first.
    process.nextTick(see);
    to.once('connect', see);
    to.once('close', () => port !== undefined && this.#ports.delete(port));
  }

  /** Whether a connection of the API is of a function. */
  has({ remoteAddress, localAddress, remotePort }: Socket): boolean {
    return remotePort !== undefined && remoteAddress === localAddress && this.#ports.has(remotePort);
  }

  /** Ends the oldest of the process that has most, where that is more than the one who asks has. */
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
