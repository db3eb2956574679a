/**
 * What must be on disk before it is acknowledged: queued messages, and the sessions that they are for. All that comes
 * up in one turn of the event loop is one transaction with one sync to disk; while it is under way the next one gathers.
 */
import { isDiskRefusal } from '../../runtime/disk-failure.ts';
import type { Logger } from '../../runtime/log.ts';
import { type Row, type RowKey, type Rows, rows, type Store, type WriteTransaction } from '../../store/contract.ts';

/** Messages by queue (a session's or a share's number) and sequence. An empty value: the message is in `bodies`. */
export const queued = rows('queued');
/** Messages that several queues hold, once, by sequence. */
export const bodies = rows('bodies');
export const BODY_OWNER = 0;

/** Bytes waiting for the disk beyond which publishers are held back. */
const MUCH = 4 * 1024 * 1024;

/** Milliseconds for which a record that can wait waits for a commit of others. */
const SOON = 100;

/** Milliseconds between a commit that failed and the next one. */
const RETRY = 100;

const EMPTY = new Uint8Array(0);
const nameOf = (owner: number, at: number): string => `${owner}/${at}`;

type Work = (tx: WriteTransaction) => Promise<void>;

interface Waiting {
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Rows of one name in a batch, by owner and place. */
interface Changes {
  readonly puts: Map<string, Row>;
  readonly deletes: Map<string, RowKey>;
}

class Batch {
  readonly records = new Map<string, Work>();
  /** What others than the broker keep. */
  readonly others = new Map<Rows, Changes>();
  readonly puts = new Map<string, Row>();
  readonly deletes = new Map<string, RowKey>();
  readonly bodies = new Map<number, Row>();
  readonly bodyDeletes = new Set<number>();
  readonly waiting: Waiting[] = [];
  bytes = 0;

  get empty(): boolean {
    return (
      this.records.size === 0 &&
      this.others.size === 0 &&
      this.puts.size === 0 &&
      this.deletes.size === 0 &&
      this.bodies.size === 0 &&
      this.bodyDeletes.size === 0
    );
  }

  changesOf(of: Rows): Changes {
    let changes = this.others.get(of);
    if (changes === undefined) {
      changes = { puts: new Map(), deletes: new Map() };
      this.others.set(of, changes);
    }
    return changes;
  }

  async write(tx: WriteTransaction): Promise<void> {
    for (const work of this.records.values()) await work(tx);
    for (const [of, { puts, deletes }] of this.others) {
      await tx.putRows(of, puts.values());
      await tx.deleteRows(of, deletes.values());
    }
    await tx.putRows(bodies, this.bodies.values());
    await tx.putRows(queued, this.puts.values());
    await tx.deleteRows(queued, this.deletes.values());
    await tx.deleteRows(
      bodies,
      [...this.bodyDeletes].map((at) => ({ owner: BODY_OWNER, at })),
    );
  }
}

export class Journal {
  readonly #store: Store;
  readonly #log: Logger;
  #batch = new Batch();
  /** Bytes of the batch that is being written. */
  #onWay = 0;
  #writing = false;
  #scheduled = false;
  #soon: NodeJS.Timeout | undefined;
  #sequence = 1;
  /** Queues that hold a message of `bodies`. */
  readonly #holders = new Map<number, number>();

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** Whether so much waits for the disk that publishers should wait too. */
  get full(): boolean {
    return this.#batch.bytes + this.#onWay > MUCH;
  }

  /** What the data file holds at the start: numbers go on behind it. */
  startAfter(sequence: number, holders: ReadonlyMap<number, number>): void {
    this.#sequence = sequence + 1;
    for (const [at, count] of holders) this.#holders.set(at, count);
  }

  /** A number above all before: the place of a message in every queue that it is put in. */
  next(): number {
    return this.#sequence++;
  }

  /** Keeps a message that one queue holds. */
  put(owner: number, at: number, value: Uint8Array): void {
    this.#batch.puts.set(nameOf(owner, at), { owner, at, value });
    this.#batch.bytes += value.length;
    this.#schedule();
  }

  /** Keeps a message that `holders` queues will hold: see {@link putShared}. */
  putBody(at: number, value: Uint8Array, holders: number): void {
    this.#holders.set(at, holders);
    this.#batch.bodies.set(at, { owner: BODY_OWNER, at, value });
    this.#batch.bytes += value.length;
    this.#schedule();
  }

  putShared(owner: number, at: number): void {
    this.#batch.puts.set(nameOf(owner, at), { owner, at, value: EMPTY });
    this.#schedule();
  }

  /** Takes a message out of a queue. One that has not reached the disk never will. */
  delete(owner: number, at: number, shared: boolean): void {
    const batch = this.#batch;
    const name = nameOf(owner, at);
    const waiting = batch.puts.get(name);
    if (waiting === undefined) batch.deletes.set(name, { owner, at });
    else {
      batch.puts.delete(name);
      batch.bytes -= waiting.value.length;
    }
    if (shared) this.#release(at);
    this.#schedule();
  }

  /** Stores a row of another domain in the same commit. */
  putRow(of: Rows, row: Row): void {
    this.#batch.changesOf(of).puts.set(nameOf(row.owner, row.at), row);
    this.#batch.bytes += row.value.length;
    this.#schedule();
  }

  deleteRow(of: Rows, { owner, at }: RowKey): void {
    const { puts, deletes } = this.#batch.changesOf(of);
    const name = nameOf(owner, at);
    const waiting = puts.get(name);
    if (waiting === undefined) deletes.set(name, { owner, at });
    else {
      puts.delete(name);
      this.#batch.bytes -= waiting.value.length;
    }
    this.#schedule();
  }

  /** Writes records; work under the same name that has not begun yet is replaced. */
  record(name: string, work: Work): void {
    this.#batch.records.set(name, work);
    this.#schedule();
  }

  /** As {@link record}, for what can wait for a while: it goes with the next commit, and alone after {@link SOON}. */
  recordSoon(name: string, work: Work): void {
    this.#batch.records.set(name, work);
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      if (!this.#batch.empty) this.#schedule();
    }, SOON).unref();
  }

  /** Calls `done` once all that came before is on disk, in the order of the calls; `failed` when it could not be put there. */
  after(done: () => void, failed: (error: unknown) => void): void {
    if (this.#batch.empty && !this.#writing) done();
    else {
      this.#batch.waiting.push({ done, failed });
      this.#schedule();
    }
  }

  /** Resolves once all that came before is on disk; rejects when it could not be put there. */
  committed(): Promise<void> {
    return new Promise((resolve, reject) => this.after(resolve, reject));
  }

  #release(at: number): void {
    const left = (this.#holders.get(at) ?? 1) - 1;
    if (left > 0) {
      this.#holders.set(at, left);
      return;
    }
    this.#holders.delete(at);
    const waiting = this.#batch.bodies.get(at);
    if (waiting === undefined) this.#batch.bodyDeletes.add(at);
    else {
      this.#batch.bodies.delete(at);
      this.#batch.bytes -= waiting.value.length;
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    // Behind the flusher's turn: what subscribers get is on its way before the disk is waited for.
    setImmediate(this.#commit);
  }

  readonly #commit = (): void => {
    this.#scheduled = false;
    const batch = this.#batch;
    this.#batch = new Batch();
    this.#writing = true;
    this.#onWay = batch.bytes;
    const written = batch.empty ? Promise.resolve() : this.#store.write((tx) => batch.write(tx));
    written.then(
      () => this.#settled(batch, undefined),
      (error: unknown) => {
        // It is tried again ten times a second: of a disk that takes nothing the log hears once, by readiness.
        if (!isDiskRefusal(error)) this.#log.error({ err: error }, 'queued messages could not be stored');
        this.#takeBack(batch);
        this.#settled(batch, error);
      },
    );
  };

  #settled(batch: Batch, error: unknown): void {
    this.#writing = false;
    this.#onWay = 0;
    for (const { done, failed } of batch.waiting) {
      if (error === undefined) done();
      else failed(error);
    }
    if (this.#batch.empty && this.#batch.waiting.length === 0) return;
    if (error === undefined) this.#schedule();
    else {
      // A disk that is full stays so for a while: what is tried again waits a little.
      this.#scheduled = true;
      setTimeout(this.#commit, RETRY).unref();
    }
  }

  /**
   * A batch has failed. Its messages were not acknowledged, so they are gone: who published them sends them again. What
   * takes something away, and records, are tried again with the next batch, unless that has newer ones.
   */
  #takeBack(failed: Batch): void {
    const batch = this.#batch;
    for (const [name, work] of failed.records) if (!batch.records.has(name)) batch.records.set(name, work);
    for (const [name, key] of failed.deletes) if (!batch.puts.has(name)) batch.deletes.set(name, key);
    for (const at of failed.bodyDeletes) batch.bodyDeletes.add(at);
    for (const [of, { deletes }] of failed.others) for (const [name, key] of deletes) batch.changesOf(of).deletes.set(name, key);
  }
}
