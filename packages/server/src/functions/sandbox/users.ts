/**
 * User ids for the processes of functions, a different one for each: what belongs to one can't be read, signalled or traced
 * by another. An id is held machine-wide, for another server may use the same range; whoever gets it first ends what is
 * still running under it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';

/** A user id, and the group of the same number. */
export interface FunctionUser {
  readonly id: number;
  /** Ends every process of this user, wherever it may have gone. */
  killAll(): Promise<void>;
  /** Gives the id back, once all of its processes have been ended. */
  release(): Promise<void>;
}

/** Ids of the range. */
export const USERS = 256;

/** A name in the kernel's table of abstract sockets: it is gone with its holder, however that ends (unix(7)). */
async function hold(id: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy()).unref();
  server.listen(`\0thingkeep-function-user-${id}`);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

/** kill(2): -1 means every process that the caller may signal, but itself: all of them at once, however fast they fork. */
async function killAtOnce(id: number): Promise<void> {
  const child = spawn('/bin/sh', ['-c', 'kill -9 -1'], { uid: id, gid: id, env: {}, cwd: '/', stdio: 'ignore' });
  child.on('error', () => undefined);
  await once(child, 'close').catch(() => undefined);
}

const STATUS = /^State:\s+(\S)[\s\S]*^Uid:\s+(\d+)\s+(\d+)/m;

/** Processes whose real or effective user this is, without those that only wait to be noticed (proc(5)). */
async function processesOf(id: number): Promise<number[]> {
  const own: number[] = [];
  const look = async (name: string): Promise<void> => {
    const [, state = '', real, effective] = STATUS.exec(await readFile(`/proc/${name}/status`, 'utf8').catch(() => '')) ?? [];
    if ((Number(real) === id || Number(effective) === id) && state !== 'Z' && state !== 'X') own.push(Number(name));
  };
  await Promise.all((await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(look));
  return own;
}

const MOST_PASSES = 200;
/** Milliseconds between two passes. */
const PAUSE = 10;

/**
 * Ends every process of a user; says whether none is left. Who is ended at once can kill the killer first, as both are of one
 * user; who is ended one by one, by root, can fork in the meantime. Nobody can do both for long.
 */
async function killAllOf(id: number): Promise<boolean> {
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    await killAtOnce(id);
    const left = await processesOf(id);
    if (left.length === 0) return true;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone in the meantime.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return false;
}

/**
 * Ids that are held from the first use on: a function may take the names of those that nobody holds, and would keep the
 * server from running others. Few enough for several servers on one machine.
 */
const AHEAD = 32;

export class FunctionUsers {
  readonly #first: number;
  readonly #locks = new Map<number, Server>();
  /** Held, and used by nobody. */
  readonly #free: number[] = [];
  #ahead: Promise<void> | undefined;

  constructor(first: number) {
    this.#first = first;
  }

  /** An id that nobody else holds; undefined when there is none left. */
  async take(): Promise<FunctionUser | undefined> {
    this.#ahead ??= this.#holdAhead();
    await this.#ahead;
    for (;;) {
      const id = this.#free.shift() ?? (await this.#holdOne());
      if (id === undefined) return undefined;
      // What can't be ended keeps its id: nobody else gets it.
      if (await killAllOf(id)) return this.#user(id);
    }
  }

  async #holdAhead(): Promise<void> {
    for (let count = 0; count < AHEAD; count += 1) {
      const id = await this.#holdOne();
      if (id === undefined) return;
      this.#free.push(id);
    }
  }

  /** Holds one more id of the range; undefined when the others are all held. */
  async #holdOne(): Promise<number | undefined> {
    for (let id = this.#first; id < this.#first + USERS; id += 1) {
      if (this.#locks.has(id)) continue;
      const lock = await hold(id);
      if (lock === undefined) continue;
      this.#locks.set(id, lock);
      return id;
    }
    return undefined;
  }

  /** Ends what runs under ids of the range that nobody holds: its server is gone. */
  async endLeftovers(): Promise<void> {
    const ids = new Set<number>();
    for (const name of await readdir('/proc')) {
      const { uid = 0 } = /^\d+$/.test(name) ? await stat(`/proc/${name}`).catch(() => ({ uid: 0 })) : {};
      if (uid >= this.#first && uid < this.#first + USERS) ids.add(uid);
    }
    for (const id of ids) {
      const lock = await hold(id);
      if (lock === undefined) continue;
      await killAllOf(id);
      lock.close();
    }
  }

  #user(id: number): FunctionUser {
    return {
      id,
      killAll: async () => void (await killAllOf(id)),
      release: async () => {
        if (await killAllOf(id)) this.#free.push(id);
      },
    };
  }
}
