/**
 * A copy of the data file while it is in use: everything that is committed is put into the file itself, which then stays
 * as it is, since new commits stay in the log beside it until the copy is done.
 */
import { closeSync, fchmodSync, fstatSync, fsync, openSync, read, write } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { fail } from '@thingkeep/wire/errors.ts';

/** Bytes that are read at a time: the event loop has its turn in between. */
const CHUNK = 1024 * 1024;
/** Pages in the log at which SQLite puts them into the file by itself: its default. */
const PAGES_IN_LOG = 1000;

const readAt = (file: number, chunk: Buffer, at: number): Promise<number> =>
  new Promise((resolve, reject) =>
    read(file, chunk, 0, chunk.length, at, (error, count) => (error ? reject(error) : resolve(count))),
  );
const writeAt = (file: number, chunk: Buffer, at: number): Promise<number> =>
  new Promise((resolve, reject) =>
    write(file, chunk, 0, chunk.length, at, (error, count) => (error ? reject(error) : resolve(count))),
  );

const syncFile = (file: number): Promise<void> =>
  new Promise((resolve, reject) => fsync(file, (error) => (error ? reject(error) : resolve())));

export class FileCopy {
  readonly #db: DatabaseSync;
  readonly #path: string;
  /** Stays open as long as the database: closing any handle of the file would end the lock that keeps others out. */
  #source: number | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
  }

  /** Copies into a new file. `alone` runs what it is given when no read and no write is under way. */
  async write(to: string, alone: (begin: () => void) => void): Promise<void> {
    if (this.#path === ':memory:') fail('InvalidRequestException', 'A store in memory has no file to copy.');
    if (this.#running !== undefined) fail('InvalidRequestException', 'The data file is being copied already.');
    this.#running = this.#write(to, alone);
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends a copy that is under way: it fails. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
  }

  /** To be called once the database is closed. */
  close(): void {
    if (this.#source !== undefined) closeSync(this.#source);
    this.#source = undefined;
  }

  async #write(to: string, alone: (begin: () => void) => void): Promise<void> {
    const target = openSync(to, 'wx', 0o600);
    try {
      fchmodSync(target, 0o600);
      await new Promise<void>((resolve, reject) => {
        alone(() => {
          try {
            this.#settleFile();
            resolve();
          } catch (error) {
            reject(error);
          }
        });
      });
      await this.#copy(target);
      await syncFile(target);
    } finally {
      this.#db.exec(`PRAGMA wal_autocheckpoint = ${PAGES_IN_LOG}`);
      closeSync(target);
    }
  }

  /** Puts the log into the file, and keeps SQLite from doing so again. */
  #settleFile(): void {
    this.#db.exec('PRAGMA wal_autocheckpoint = 0');
    const done = this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (done.busy !== 0) fail('ServiceUnavailableException', 'The data file is too busy to be copied.');
  }

  async #copy(target: number): Promise<void> {
    this.#source ??= openSync(this.#path, 'r');
    const before = fstatSync(this.#source, { bigint: true });
    const size = Number(before.size);
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let at = 0; at < size; ) {
      if (this.#stopped) fail('ServiceUnavailableException', 'The server is stopping.');
      const count = await readAt(this.#source, chunk.subarray(0, Math.min(CHUNK, size - at)), at);
      if (count === 0) break;
      for (let written = 0; written < count; ) written += await writeAt(target, chunk.subarray(written, count), at + written);
      at += count;
    }
    const after = fstatSync(this.#source, { bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs)
      fail('ServiceUnavailableException', 'The data file changed while it was copied.');
  }
}
