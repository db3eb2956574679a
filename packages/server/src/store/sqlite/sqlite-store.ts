/**
 * The embedded store. Writes that wait together are committed together: one sync to disk for all of them, and none is
 * acknowledged before it. Reads and write batches take turns, so a read never sees what is not yet committed. A caller
 * that reads or writes in a loop gives the event loop its turn: a batch that follows a batch starts in the next turn, and
 * so does a read once as many records as {@link READS_PER_TURN} were read in this one. Where several write at a time, a
 * batch that is not full waits as long as the last commit took, so that more of them share a commit.
 */
import type { DatabaseSync } from 'node:sqlite';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { asRefusal, diskFailure } from '../../runtime/disk-failure.ts';
import type { CommitHook, HookedStore, ReadTransaction, WriteOrder, WriteTransaction } from '../contract.ts';
import type { Damage } from '../damage.ts';
import type { StoreFigures } from '../store-figures.ts';
import { CommitMark } from './commit-mark.ts';
import { DamageList } from './damage-list.ts';
import { DataFileError } from './data-file-error.ts';
import { FileCopy } from './file-copy.ts';
import { Neighbours } from './neighbours.ts';
import { openDatabase, type OpenOptions } from './open.ts';
import { RecordTable } from './record-table.ts';
import { RowTable } from './row-table.ts';
import { Tallies } from './tallies.ts';
import { SqliteTransaction } from './transaction.ts';

export { DataFileError } from './data-file-error.ts';

/** Writes of one commit; more wait for the next, so that no reader waits without end. */
const LARGEST_BATCH = 512;
/** Milliseconds of work after which a batch takes no more writes: nothing else runs meanwhile. */
const LONGEST_BATCH = 20;
/** Milliseconds that a batch waits for more writes at most. */
const LONGEST_REST = 50;
/** Records that are read in one turn of the event loop; more are read in the next turn. */
const READS_PER_TURN = 2_000;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Write {
  readonly work: (tx: WriteTransaction) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The steps of a transaction, parsed once. */
const prepareSteps = (db: DatabaseSync) => ({
  begin: db.prepare('BEGIN IMMEDIATE'),
  commit: db.prepare('COMMIT'),
  savepoint: db.prepare('SAVEPOINT one'),
  release: db.prepare('RELEASE one'),
  rollbackTo: db.prepare('ROLLBACK TO one'),
});
type Steps = ReturnType<typeof prepareSteps>;

class SqliteStore implements HookedStore {
  readonly #db: DatabaseSync;
  readonly #sql: Steps;
  readonly #tx: SqliteTransaction;
  readonly #writes: Write[] = [];
  readonly #waitingReads: (() => void)[] = [];
  readonly #hooks: CommitHook[] = [];
  readonly #tallies: Tallies;
  readonly #mark: CommitMark;
  readonly #copy: FileCopy;
  /** Work that wants neither reads nor writes beside it; it ends within its call. */
  readonly #alone: (() => void)[] = [];
  readonly #panic: OpenOptions['panic'];
  readonly #figures: StoreFigures | undefined;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #isOnDisk: boolean;
  #reading = 0;
  /** Records read in this turn of the event loop. */
  #readInTurn = 0;
  #writing = false;
  /** Whether a batch has run in this turn: the next one runs in another. */
  #resting = false;
  #closed = false;

  constructor(db: DatabaseSync, damage: DamageList, { path, panic, figures, clock = systemClock }: OpenOptions) {
    this.#db = db;
    this.#sql = prepareSteps(db);
    this.#panic = panic;
    this.#figures = figures;
    this.#clock = clock;
    this.#isOnDisk = path !== ':memory:';
    this.#copy = new FileCopy(db, path);
    this.#tallies = new Tallies(db);
    this.#mark = new CommitMark(db, this.#tallies.commits);
    const neighbours = new Neighbours(db);
    const records = new RecordTable(db, this.#tallies, damage, neighbours);
    const rows = new RowTable(db, this.#tallies, damage, neighbours);
    this.#tx = new SqliteTransaction(records, rows, (count) => this.#countReads(count));
  }

  async read<R>(work: (tx: ReadTransaction) => Promise<R>): Promise<R> {
    this.#refuseWhenClosed();
    while (this.#readInTurn >= READS_PER_TURN) await nextTurn();
    if (this.#writing) await new Promise<void>((resolve) => this.#waitingReads.push(resolve));
    this.#reading += 1;
    try {
      return await work(this.#tx);
    } finally {
      this.#reading -= 1;
      this.#startBatch();
    }
  }

  /** Writes of all orders are one order here. */
  async write<R>(work: (tx: WriteTransaction) => Promise<R>, _order?: WriteOrder): Promise<R> {
    this.#refuseWhenClosed();
    return new Promise<R>((resolve, reject) => {
      this.#writes.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#startBatch();
    });
  }

  beforeCommit(hook: CommitHook): void {
    this.#hooks.push(hook);
  }

  async backup(path: string): Promise<void> {
    this.#refuseWhenClosed();
    await this.#copy.write(path, (begin) => {
      this.#alone.push(begin);
      this.#startBatch();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    await this.#copy.stop();
    // A store that can't commit any more still closes: its writes are refused.
    while (this.#writing || this.#writes.length > 0) await this.write(async () => {}).catch(() => undefined);
    this.#closed = true;
    this.#db.close();
    this.#copy.close();
    this.#mark[Symbol.dispose]();
  }

  #refuseWhenClosed(): void {
    if (this.#closed) fail('ServiceUnavailableException', 'The server is stopping.');
  }

  #countReads(count: number): void {
    if (this.#readInTurn === 0)
      setImmediate(() => {
        this.#readInTurn = 0;
      });
    this.#readInTurn += count;
  }

  #startBatch(): void {
    if (this.#writing || this.#resting || this.#reading > 0) return;
    for (const act of this.#alone.splice(0)) act();
    if (this.#writes.length === 0) return;
    this.#writing = true;
    void this.#runBatch();
  }

  async #runBatch(): Promise<void> {
    const done: (() => void)[] = [];
    const batch: Write[] = [];
    let committing = this.#clock.monotonic();
    const end = committing + LONGEST_BATCH;
    try {
      this.#sql.begin.run();
      while (batch.length < LARGEST_BATCH && (batch.length === 0 || this.#clock.monotonic() < end)) {
        const write = this.#writes.shift();
        if (write === undefined) break;
        batch.push(write);
        done.push(await this.#runOne(write));
      }
      const after: ((() => void) | undefined)[] = [];
      for (const hook of this.#hooks) after.push(await hook(this.#tx));
      this.#tallies.keep();
      this.#tallies.store();
      committing = this.#clock.monotonic();
      this.#commit(batch.length);
      if (this.#tallies.committed()) this.#mark.write(this.#tallies.commits);
      for (const settle of done) settle();
      for (const act of after) act?.();
    } catch (error) {
      this.#rollBack(batch, error);
    } finally {
      this.#writing = false;
      // Reads that waited go before the next batch: writers can't starve them, nor they the writers.
      for (const wake of this.#waitingReads.splice(0)) wake();
      const isShared = batch.length > 1 && this.#isOnDisk;
      this.#rest(isShared ? this.#clock.monotonic() - committing : 0);
    }
  }

  /** Lets no batch begin before the next turn, and one that is not full not before these milliseconds are over. */
  #rest(ms: number): void {
    this.#resting = true;
    const goOn = (): void => {
      this.#resting = false;
      this.#startBatch();
    };
    setImmediate(() => {
      if (ms < 1 || this.#writes.length >= LARGEST_BATCH || this.#alone.length > 0) goOn();
      else setTimeout(goOn, Math.min(ms, LONGEST_REST));
    });
  }

  #commit(writes: number): void {
    if (this.#figures === undefined) this.#sql.commit.run();
    else this.#figures.commit(writes, () => void this.#sql.commit.run());
  }

  /** Runs one write inside the batch; a failure undoes that write alone. Says how to settle it once all is on disk. */
  async #runOne(write: Write): Promise<() => void> {
    this.#sql.savepoint.run();
    try {
      const value = await write.work(this.#tx);
      this.#sql.release.run();
      this.#tallies.keep();
      return () => write.resolve(value);
    } catch (error) {
      // A full disk takes the whole transaction back: the batch fails for that reason.
      if (!this.#db.isTransaction) throw error;
      this.#sql.rollbackTo.run();
      this.#sql.release.run();
      this.#tallies.drop();
      return () => write.reject(asRefusal(error));
    }
  }

  /** An error of the file with the file's name, for the operator. */
  #named(error: unknown): unknown {
    if ((error as { code?: unknown }).code !== 'ERR_SQLITE_ERROR') return error;
    return new DataFileError(`data file ${this.#db.location()} can't be written: ${(error as Error).message}`, { cause: error });
  }

  #rollBack(batch: readonly Write[], error: unknown): void {
    if (this.#figures !== undefined) this.#figures.failedCommits += 1;
    if (diskFailure(error) === 'unsynced') this.#panic?.('the data file', error);
    const known = asRefusal(this.#named(error));
    const refusal =
      known instanceof ThingkeepError
        ? known
        : new ThingkeepError('ServiceUnavailableException', 'The change could not be stored.', {}, error);
    // When not even a transaction could begin, those who wait are refused too: tried again at once, they would spin.
    const refused = batch.length > 0 ? batch : this.#writes.splice(0, LARGEST_BATCH);
    this.#tallies.rolledBack();
    for (const write of refused) write.reject(refusal);
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // The next batch fails at its beginning, and tries this again.
    }
  }
}

/** Opens, and where there is none makes, the data file at `path` (`:memory:` for one that goes with the process). */
export async function openSqliteStore(options: OpenOptions): Promise<HookedStore> {
  const { log, figures } = options;
  const report = (damage: Damage): void => {
    figures?.met(damage);
    log?.error({ event: 'damaged-record', ...damage }, 'a stored record is damaged and is not served: see thingkeep check');
  };
  return new SqliteStore(await openDatabase(options), new DamageList(report), options);
}
