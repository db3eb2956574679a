/**
 * The embedded store. Writes that wait together are committed together: one sync to disk for all of them, and none is
 * acknowledged before it. Reads and write batches take turns, so a read never sees what is not yet committed.
 */
import type { DatabaseSync } from 'node:sqlite';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { CommitHook, HookedStore, ReadTransaction, WriteTransaction } from '../contract.ts';
import { openDatabase } from './open.ts';
import { SqliteTransaction } from './transaction.ts';

export { DataFileError } from './open.ts';

/** Writes of one commit; more wait for the next, so that nobody waits without end. */
const LARGEST_BATCH = 256;

interface Write {
  readonly work: (tx: WriteTransaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

class SqliteStore implements HookedStore {
  readonly #db: DatabaseSync;
  readonly #tx: SqliteTransaction;
  readonly #writes: Write[] = [];
  readonly #waitingReads: (() => void)[] = [];
  readonly #hooks: CommitHook[] = [];
  #reading = 0;
  #writing = false;
  #closed = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#tx = new SqliteTransaction(db);
  }

  async read<R>(work: (tx: ReadTransaction) => Promise<R>): Promise<R> {
    this.#refuseWhenClosed();
    if (this.#writing) await new Promise<void>((resolve) => this.#waitingReads.push(resolve));
    this.#reading += 1;
    try {
      return await work(this.#tx);
    } finally {
      this.#reading -= 1;
      this.#startBatch();
    }
  }

  async write<R>(work: (tx: WriteTransaction) => Promise<R>): Promise<R> {
    this.#refuseWhenClosed();
    return new Promise<R>((resolve, reject) => {
      this.#writes.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#startBatch();
    });
  }

  beforeCommit(hook: CommitHook): void {
    this.#hooks.push(hook);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    // A store that can't commit any more still closes: its writes are refused, and those who wrote are told.
    while (this.#writing || this.#writes.length > 0) await this.write(async () => {}).catch(() => undefined);
    this.#closed = true;
    this.#db.close();
  }

  #refuseWhenClosed(): void {
    if (this.#closed) fail('ServiceUnavailableException', 'The server is stopping.');
  }

  #startBatch(): void {
    if (this.#writing || this.#reading > 0 || this.#writes.length === 0) return;
    this.#writing = true;
    void this.#runBatch();
  }

  async #runBatch(): Promise<void> {
    const done: (() => void)[] = [];
    const batch: Write[] = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      while (batch.length < LARGEST_BATCH) {
        const write = this.#writes.shift();
        if (write === undefined) break;
        batch.push(write);
        done.push(await this.#runOne(write));
      }
      const after: ((() => void) | undefined)[] = [];
      for (const hook of this.#hooks) after.push(await hook(this.#tx));
      this.#db.exec('COMMIT');
      for (const settle of done) settle();
      for (const act of after) act?.();
    } catch (error) {
      this.#rollBack(batch, error);
    } finally {
      this.#writing = false;
      // Reads that waited go before the next batch: writers can't starve them, nor they the writers.
      for (const wake of this.#waitingReads.splice(0)) wake();
      // The event loop has its turn between two batches: a flood of writes holds no socket up.
      setImmediate(() => this.#startBatch());
    }
  }

  /** Runs one write inside the batch; a failure undoes that write alone. Says how to settle it once all is on disk. */
  async #runOne(write: Write): Promise<() => void> {
    this.#db.exec('SAVEPOINT one');
    try {
      const value = await write.work(this.#tx);
      this.#db.exec('RELEASE one');
      return () => write.resolve(value);
    } catch (error) {
      this.#db.exec('ROLLBACK TO one; RELEASE one');
      return () => write.reject(error);
    }
  }

  #rollBack(batch: readonly Write[], error: unknown): void {
    const refusal = new ThingkeepError('ServiceUnavailableException', 'The change could not be stored.', {}, error);
    // When not even a transaction could begin, those who wait are told too: tried again at once, they would spin.
    const refused = batch.length > 0 ? batch : this.#writes.splice(0, LARGEST_BATCH);
    for (const write of refused) write.reject(refusal);
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // The next batch fails at its beginning, and tries this again.
    }
  }
}

/** Opens, and where there is none makes, the data file at `path` (`:memory:` for one that goes with the process). */
export const openSqliteStore = async ({ path }: { path: string }): Promise<HookedStore> => new SqliteStore(openDatabase(path));
