/**
 * The journal gathers what must be on disk before it is acknowledged. Urgent work of one turn of the event loop is one commit
 * with one sync, during which the process stands still. Paced records wait for a commit, {@link MAX_PACE} ms at most, so that
 * a burst shares it; records that can wait do so for {@link SOON} ms.
 */
import type { Clock } from '../runtime/clock.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import type { Row, RowKey, Rows, Store, WriteTransaction } from './contract.ts';

/** Bytes waiting for the disk beyond which publishers are held back. */
const MUCH = 4 * 1024 * 1024;

/** Milliseconds for which a record that can wait waits for a commit of others. */
const SOON = 100;

/** A paced commit begins once as many times the time of the last commit have passed since that one, */
const PACE = 4;
/** and after as many milliseconds in any case. */
const MAX_PACE = 50;

/** Milliseconds between a commit that failed and the next one. */
const RETRY = 100;

type RecordWrite = (tx: WriteTransaction) => Promise<void>;

interface CommitListener {
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Key of a row in a batch: a number where there is one owner only, so that no text is made of it. */
type BatchKey = number | string;
const batchKey = (owner: number, at: number): BatchKey => (owner === 0 ? at : `${owner}/${at}`);

/** Rows of one name in a batch. */
class RowChanges {
  readonly of: Rows;
  readonly puts = new Map<BatchKey, Row>();
  readonly deletes = new Map<BatchKey, RowKey>();

  constructor(of: Rows) {
    this.of = of;
  }
}

class JournalBatch {
  readonly records = new Map<string, RecordWrite>();
  /** Few: one for each name of rows. */
  readonly rows: RowChanges[] = [];
  readonly listeners: CommitListener[] = [];
  bytes = 0;
  /** Whether something in it is not to be paced. */
  isUrgent = false;

  get empty(): boolean {
    if (this.records.size > 0) return false;
    for (const { puts, deletes } of this.rows) if (puts.size > 0 || deletes.size > 0) return false;
    return true;
  }

  changesOf(of: Rows): RowChanges {
    for (const each of this.rows) if (each.of === of) return each;
    const changes = new RowChanges(of);
    this.rows.push(changes);
    return changes;
  }

  async write(tx: WriteTransaction): Promise<void> {
    for (const write of this.records.values()) await write(tx);
    for (const { of, puts, deletes } of this.rows) {
      await tx.putRows(of, puts.values());
      await tx.deleteRows(of, deletes.values());
    }
  }
}

export interface JournalOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Journal {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Logger;
  #batch = new JournalBatch();
  /** Bytes of the batch that is being written. */
  #onWay = 0;
  #writing = false;
  #scheduled = false;
  #soon: NodeJS.Timeout | undefined;
  #paced: NodeJS.Timeout | undefined;
  /** Monotonic ms: begin and end of the last commit. */
  #began = 0;
  #ended = Number.NEGATIVE_INFINITY;

  constructor({ store, clock, log }: JournalOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether so much waits for the disk that publishers should wait too. */
  get full(): boolean {
    return this.#batch.bytes + this.#onWay > MUCH;
  }

  /** Stores a row. */
  putRow(of: Rows, row: Row): void {
    const batch = this.#batch;
    batch.changesOf(of).puts.set(batchKey(row.owner, row.at), row);
    batch.bytes += row.value.length;
    this.#schedule();
  }

  /** Removes a row. One that has not reached the disk never will. */
  deleteRow(of: Rows, key: RowKey): void {
    const batch = this.#batch;
    const { puts, deletes } = batch.changesOf(of);
    const name = batchKey(key.owner, key.at);
    const waiting = puts.get(name);
    if (waiting === undefined) deletes.set(name, key);
    else {
      puts.delete(name);
      batch.bytes -= waiting.value.length;
    }
    this.#schedule();
  }

  /** Writes records; a write under the same name that has not begun yet is replaced. */
  record(name: string, write: RecordWrite): void {
    this.#batch.records.set(name, write);
    this.#schedule();
  }

  /** As {@link record}, for what can wait for a while: it goes with the next commit, and alone after {@link SOON}. */
  recordSoon(name: string, write: RecordWrite): void {
    this.#batch.records.set(name, write);
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      if (!this.#batch.empty) this.#schedule();
    }, SOON).unref();
  }

  /**
   * As {@link record}, for what comes in bursts: it goes with the next commit, which need not begin in this turn. Commits
   * that hold nothing else take a fifth of the time, so that a burst shares them.
   */
  recordPaced(name: string, write: RecordWrite): void {
    this.#batch.records.set(name, write);
    this.#schedulePaced();
  }

  /** As {@link after}, but asks for no commit: for what waits for paced records alone. */
  afterPaced(done: () => void, failed: (error: unknown) => void): void {
    if (this.#batch.empty && !this.#writing) done();
    else this.#batch.listeners.push({ done, failed });
  }

  /** Calls `done` once all that came before is on disk, in the order of the calls; `failed` when it could not be put there. */
  after(done: () => void, failed: (error: unknown) => void): void {
    if (this.#batch.empty && !this.#writing) done();
    else {
      this.#batch.listeners.push({ done, failed });
      this.#schedule();
    }
  }

  /** Resolves once all that came before is on disk; rejects when it could not be put there. */
  committed(): Promise<void> {
    return new Promise((resolve, reject) => this.after(resolve, reject));
  }

  #schedulePaced(): void {
    if (this.#scheduled || this.#writing || this.#paced !== undefined) return;
    const pause = Math.min((this.#ended - this.#began) * PACE, MAX_PACE);
    const wait = this.#ended + pause - this.#clock.monotonic();
    // A timer of less than a millisecond is one of a millisecond.
    if (wait < 0.5) this.#begin();
    else this.#paced = setTimeout(() => this.#begin(), wait);
  }

  #schedule(): void {
    this.#batch.isUrgent = true;
    if (!this.#scheduled && !this.#writing) this.#begin();
  }

  #begin(): void {
    if (this.#paced !== undefined) {
      clearTimeout(this.#paced);
      this.#paced = undefined;
    }
    this.#scheduled = true;
    // Behind the flusher's turn: what subscribers get is on its way before the disk is waited for.
    setImmediate(this.#commit);
  }

  readonly #commit = (): void => {
    this.#scheduled = false;
    const batch = this.#batch;
    this.#batch = new JournalBatch();
    this.#writing = true;
    this.#began = this.#clock.monotonic();
    this.#onWay = batch.bytes;
    const written = batch.empty ? Promise.resolve() : this.#store.write((tx) => batch.write(tx));
    written.then(
      () => this.#settled(batch, undefined),
      (error: unknown) => {
        // It is tried again ten times a second: of a disk that takes nothing the log hears once, by readiness.
        if (!isDiskRefusal(error)) this.#log.error({ err: error }, 'a commit of the journal failed');
        this.#takeBack(batch);
        this.#settled(batch, error);
      },
    );
  };

  #settled(batch: JournalBatch, error: unknown): void {
    this.#writing = false;
    this.#ended = this.#clock.monotonic();
    this.#onWay = 0;
    for (const listener of batch.listeners) this.#notify(listener, error);
    if (this.#batch.empty && this.#batch.listeners.length === 0) return;
    if (error === undefined) {
      if (this.#batch.isUrgent) this.#schedule();
      else this.#schedulePaced();
    } else {
      // A disk that is full stays so for a while: what is tried again waits a little.
      this.#scheduled = true;
      setTimeout(this.#commit, RETRY).unref();
    }
  }

  /** One listener that fails keeps no other from hearing, nor the next commit from coming. */
  #notify({ done, failed }: CommitListener, error: unknown): void {
    try {
      if (error === undefined) done();
      else failed(error);
    } catch (fault) {
      this.#log.error({ err: fault }, 'what waited for a commit failed after it');
    }
  }

  /**
   * Takes a batch back that has failed. Its rows were not acknowledged, so they are gone: publishers send them again.
   * Removals and records are tried again with the next batch, unless that has newer ones.
   */
  #takeBack(failed: JournalBatch): void {
    const batch = this.#batch;
    for (const [name, write] of failed.records) if (!batch.records.has(name)) batch.records.set(name, write);
    for (const { of, deletes } of failed.rows) {
      const changes = batch.changesOf(of);
      for (const [name, key] of deletes) if (!changes.puts.has(name)) changes.deletes.set(name, key);
    }
  }
}
