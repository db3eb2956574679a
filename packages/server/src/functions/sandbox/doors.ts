/**
 * The two ways out of a function's namespaces: unix sockets in a folder that is bound into them, one for the API of this server
 * and one for the runtime API. Who comes through a door is the process that the door was made for.
 */
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { REMOVAL } from './workshop.ts';

/** Connections of one process at a time, by door. */
const MOST = 128;

export interface ApiAddress {
  readonly host: string;
  readonly port: number;
}

export interface DoorsOptions {
  /** Folder that each pair of doors has its own in. */
  readonly parent: string;
  /** Group that may go through; absent where it is the server's own user who does. */
  readonly group: number | undefined;
  readonly api: () => ApiAddress;
  readonly runtime: (socket: Socket) => void;
}

export interface Doors {
  readonly folder: string;
  close(): Promise<void>;
}

export const API_DOOR = 'api';
export const RUNTIME_DOOR = 'runtime';

export async function openDoors({ parent, group, api, runtime }: DoorsOptions): Promise<Doors> {
  const folder = await mkdtemp(join(parent, 'r-'));
  const doors: Door[] = [];
  const closeAll = async (): Promise<void> => {
    for (const door of doors) door.close();
    // The server's own folder, in which nobody else may write: two sockets.
    await rm(folder, REMOVAL);
  };
  try {
    doors.push(await Door.open(join(folder, API_DOOR), group, (socket) => relay(socket, api())));
    doors.push(await Door.open(join(folder, RUNTIME_DOOR), group, runtime));
    if (group !== undefined) {
      await chown(folder, -1, group);
      await chmod(folder, 0o750);
    }
    return { folder, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

class Door {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(serve: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      if (!this.#hasRoom()) {
        socket.destroy();
        return;
      }
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
      serve(socket);
    });
    this.#server.on('error', () => undefined);
    // The API keeps the server running, and no door does.
    this.#server.unref();
  }

  static async open(path: string, group: number | undefined, serve: (socket: Socket) => void): Promise<Door> {
    const door = new Door(serve);
    await new Promise<void>((resolve, reject) => {
      door.#server.once('error', reject);
      door.#server.listen(path, resolve);
    });
    try {
      if (group !== undefined) {
        await chown(path, -1, group);
        await chmod(path, 0o660);
      }
      return door;
    } catch (error) {
      door.close();
      throw error;
    }
  }

  /** One that has said nothing goes for a new one. */
  #hasRoom(): boolean {
    if (this.#open.size < MOST) return true;
    const silent = [...this.#open].find((socket) => socket.bytesRead === 0);
    if (silent === undefined) return false;
    this.#open.delete(silent);
    silent.destroy();
    return true;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }
}

/** Bytes both ways, until either side has enough. */
function relay(socket: Socket, address: ApiAddress): void {
  const to = connect({ ...address, allowHalfOpen: true, noDelay: true });
  const end = (error: unknown): void => {
    if (error === null || error === undefined) return;
    socket.destroy();
    to.destroy();
  };
  pipeline(socket, to, end);
  pipeline(to, socket, end);
}
