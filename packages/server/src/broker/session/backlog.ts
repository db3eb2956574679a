/**
 * The queue of a persistent session on disk: which of its rows are in memory (in flight or about to be), and which are
 * still to be read. A row is a batch of messages; it goes when the last of them is acknowledged or dropped.
 */
import type { Row, Store } from '../../store/contract.ts';
import type { QueueTotals } from './queue-totals.ts';
import { BODY_OWNER, bodies, queued, type QueuedMessages } from './queued-messages.ts';

/** Rows, and bytes of them, that are read at once. */
const PAGE = { rows: 256, bytes: 128 * 1024 };

interface OpenRow {
  readonly shared: boolean;
  readonly count: number;
  readonly size: number;
  left: number;
  /** By place in the row; made when the first of several is acknowledged. */
  acknowledged: Uint8Array | undefined;
}

/** What may wait in one queue. */
export interface BacklogLimits {
  readonly messages: number;
  readonly bytes: number;
}

export class Backlog {
  /** Owner of the rows. */
  readonly id: number;
  readonly #messages: QueuedMessages;
  readonly #store: Store;
  readonly #limits: BacklogLimits;
  /** Those of the account, of which these messages and bytes are a part. */
  readonly #totals: QueueTotals;
  /** Messages and bytes in the queue, about: what failed to be stored is counted until the queue has been read through. */
  messages = 0;
  bytes = 0;
  /** Sequence of the last row, and of the last one that is or was in memory. */
  #last = 0;
  #loaded = 0;
  readonly #open = new Map<number, OpenRow>();

  constructor(id: number, messages: QueuedMessages, store: Store, limits: BacklogLimits, totals: QueueTotals) {
    this.id = id;
    this.#messages = messages;
    this.#store = store;
    this.#limits = limits;
    this.#totals = totals;
  }

  /** Sequence of the last row. */
  get last(): number {
    return this.#last;
  }

  /** Rows wait on disk that have to be sent before newer ones. */
  get behind(): boolean {
    return this.#last > this.#loaded;
  }

  get full(): boolean {
    return this.messages >= this.#limits.messages || this.bytes >= this.#limits.bytes || this.#totals.full;
  }

  /** A row that the data file held at the start. */
  found(at: number, size: number): void {
    this.#last = Math.max(this.#last, at);
    this.#count(1, size);
  }

  /** A new row. It is in memory too when it can be sent soon; then `take` follows. */
  put(at: number, messages: number, bytes: number): void {
    this.#last = at;
    this.#count(messages, bytes);
  }

  /** Marks a row as being in memory: `done` is called for each message in it. */
  take(at: number, count: number, size: number, shared: boolean): void {
    this.#loaded = at;
    this.#open.set(at, { shared, count, size, left: count, acknowledged: undefined });
  }

  /** Whether this message of a row was acknowledged in an earlier connection. */
  isDone(at: number, index: number): boolean {
    return this.#open.get(at)?.acknowledged?.[index] === 1;
  }

  /** A message was acknowledged, or must not be sent. */
  done(at: number, index: number): void {
    const row = this.#open.get(at);
    if (row === undefined) return;
    this.#count(-1, 0);
    row.left -= 1;
    if (row.left > 0) {
      row.acknowledged ??= new Uint8Array(row.count);
      row.acknowledged[index] = 1;
      return;
    }
    this.#open.delete(at);
    this.#count(0, -row.size);
    this.#messages.delete(this.id, at, row.shared);
  }

  /** The connection has ended: what was in memory is read again for the next one, but for what was acknowledged. */
  rewind(): void {
    for (const [at, row] of this.#open) {
      if (at - 1 < this.#loaded) this.#loaded = at - 1;
      if (row.acknowledged === undefined) this.#open.delete(at);
    }
  }

  /** The next rows that are not in memory, with the messages themselves; nothing when it is no longer wanted. */
  async read(wanted: () => boolean = () => true): Promise<(Row & { readonly shared: boolean })[]> {
    const upTo = this.#last;
    // A row that failed to be stored was not acknowledged: there is nothing to wait for.
    await this.#messages.committed().catch(() => undefined);
    const found = await this.#store.read(async (tx) => {
      const page = await tx.scanRows(queued, this.id, { after: this.#loaded, ...PAGE });
      return Promise.all(
        page.map(async ({ owner, at, value }) => {
          if (value.length > 0) return { owner, at, value, shared: false };
          const [body] = await tx.scanRows(bodies, BODY_OWNER, { after: at - 1, rows: 1, bytes: 1 });
          return { owner, at, value: body?.at === at ? body.value : value, shared: true };
        }),
      );
    });
    if (!wanted()) return [];
    if (found.length === 0) {
      this.#loaded = Math.max(this.#loaded, upTo);
      if (!this.behind && this.#open.size === 0) {
        this.#count(-this.messages, -this.bytes);
      }
    }
    return found;
  }

  /** Takes a row that was read: again, when an earlier connection had part of it. */
  retake(at: number, count: number, size: number, shared: boolean): void {
    const known = this.#open.get(at);
    if (known === undefined) this.take(at, count, size, shared);
    else this.#loaded = at;
  }

  /** Removes a row of so many messages that is not in memory. */
  discard(at: number, count: number, size: number, shared: boolean): void {
    this.#loaded = at;
    this.#count(-count, -size);
    this.#messages.delete(this.id, at, shared);
  }

  /** Adds to what is in the queue, which is never less than nothing, and to what the account has. */
  #count(messages: number, bytes: number): void {
    const moreMessages = Math.max(messages, -this.messages);
    const moreBytes = Math.max(bytes, -this.bytes);
    this.messages += moreMessages;
    this.bytes += moreBytes;
    this.#totals.add(moreMessages, moreBytes);
  }

  /** Removes all rows, page by page. */
  async clear(): Promise<void> {
    this.#open.clear();
    this.#loaded = 0;
    for (;;) {
      const page = await this.read();
      for (const { at, value, shared } of page) this.discard(at, 1, value.length, shared);
      if (page.length === 0) return;
    }
  }
}
