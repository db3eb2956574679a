/**
 * The two ways out of a function's namespaces: unix sockets in a folder that is bound into them, one for the API of this server
 * and one for the runtime API. Who comes through a door is the process that the door was made for.
 */
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { REMOVAL } from './sandbox-directory.ts';
import type { ApiShare } from '../../runtime/api-share.ts';

/** Connections of one process at a time, by door; as many more wait until one ends. */
const MOST = 16;
/** Milliseconds after which one that has said nothing makes way for one that waits. */
const SILENCE = 250;

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
  readonly share: ApiShare;
  readonly runtime: (socket: Socket) => void;
}

export interface Doors {
  readonly folder: string;
  close(): Promise<void>;
}

export const API_DOOR = 'api';
export const RUNTIME_DOOR = 'runtime';

export async function openDoors({ parent, group, api, share, runtime }: DoorsOptions): Promise<Doors> {
  const folder = await mkdtemp(join(parent, 'r-'));
  const doors: Door[] = [];
  const process_ = {};
  const closeAll = async (): Promise<void> => {
    for (const door of doors) door.close();
    // The server's own folder, in which no other user may write: two sockets.
    await rm(folder, REMOVAL);
  };
  try {
    doors.push(await Door.open(join(folder, API_DOOR), group, (socket) => relay(socket, api(), share, process_)));
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
  readonly #serve: (socket: Socket) => void;
  /** Oldest first. */
  readonly #open = new Set<Socket>();
  /** Those that were let in a moment ago: they need say nothing yet. */
  readonly #fresh = new Set<Socket>();
  readonly #waiting = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(serve: (socket: Socket) => void) {
    this.#serve = serve;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        this.#waiting.delete(socket);
        this.#open.delete(socket);
        this.#letIn();
      });
      this.#waiting.add(socket);
      this.#letIn();
      if (this.#waiting.size > MOST) this.#makeRoom();
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

  #letIn(): void {
    for (const socket of this.#waiting) {
      if (this.#open.size >= MOST && !this.#endSilent(true)) break;
      this.#waiting.delete(socket);
      this.#open.add(socket);
      this.#fresh.add(socket);
      setTimeout(() => this.#fresh.delete(socket), SILENCE).unref();
      this.#serve(socket);
      socket.resume();
    }
    if (this.#waiting.size === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#letIn();
    }, SILENCE).unref();
  }

  /** Too many wait: one that has said nothing goes at once, or else the last that came. */
  #makeRoom(): void {
    if (this.#endSilent(false)) {
      this.#letIn();
      return;
    }
    const last = [...this.#waiting].at(-1);
    last?.destroy();
  }

  /** Ends one that has said nothing, none of a moment ago if those are spared; says whether there was one. */
  #endSilent(sparesFresh: boolean): boolean {
    const silent = [...this.#open].find((socket) => socket.bytesRead === 0 && !(sparesFresh && this.#fresh.has(socket)));
    if (silent === undefined) return false;
    this.#open.delete(silent);
    silent.destroy();
    return true;
  }

  close(): void {
    this.#server.close();
    clearTimeout(this.#timer);
    for (const socket of [...this.#waiting, ...this.#open]) socket.destroy();
  }
}

/** Bytes both ways, until either side has enough. `process_` stands for the process that the door was made for. */
function relay(socket: Socket, address: ApiAddress, share: ApiShare, process_: object): void {
  if (!share.enter(process_, socket)) {
    socket.destroy();
    return;
  }
  const to = connect({ ...address, allowHalfOpen: true, noDelay: true });
  share.follow(to);
  const end = (error: unknown): void => {
    if (error === null || error === undefined) return;
    socket.destroy();
    to.destroy();
  };
  pipeline(socket, to, end);
  pipeline(to, socket, end);
}
