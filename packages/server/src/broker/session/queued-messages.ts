/** The messages in the queues of sessions and shared groups, on disk: a message that several queues hold is stored once. */
import { type Rows, rows } from '../../store/contract.ts';
import type { Journal } from '../../store/journal.ts';

/** Messages by queue (a session's or a share's number) and sequence. An empty value: the message is in `bodies`. */
export const queued: Rows = rows('queued');
/** Messages that several queues hold, once, by sequence. */
export const bodies: Rows = rows('bodies');
export const BODY_OWNER = 0;

const EMPTY = new Uint8Array(0);

export class QueuedMessages {
  readonly #journal: Journal;
  #sequence = 1;
  /** Queues that hold a message of `bodies`. */
  readonly #holders = new Map<number, number>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Whether so much waits for the disk that publishers should wait too. */
  get full(): boolean {
    return this.#journal.full;
  }

  /** Goes on behind what the data file holds at the start. */
  startAfter(sequence: number, holders: ReadonlyMap<number, number>): void {
    this.#sequence = sequence + 1;
    for (const [at, count] of holders) this.#holders.set(at, count);
  }

  /** A number above all before: the place of a message in every queue that it is put in. */
  next(): number {
    return this.#sequence++;
  }

  /** Stores a message that one queue holds. */
  put(owner: number, at: number, value: Uint8Array): void {
    this.#journal.putRow(queued, { owner, at, value });
  }

  /** Stores a message that `holders` queues will hold: see {@link putShared}. */
  putBody(at: number, value: Uint8Array, holders: number): void {
    this.#holders.set(at, holders);
    this.#journal.putRow(bodies, { owner: BODY_OWNER, at, value });
  }

  putShared(owner: number, at: number): void {
    this.#journal.putRow(queued, { owner, at, value: EMPTY });
  }

  /** Takes a message out of a queue. One that has not reached the disk never will. */
  delete(owner: number, at: number, shared: boolean): void {
    this.#journal.deleteRow(queued, { owner, at });
    if (shared) this.#release(at);
  }

  /** Resolves once all that came before is on disk; rejects when it could not be put there. */
  committed(): Promise<void> {
    return this.#journal.committed();
  }

  #release(at: number): void {
    const left = (this.#holders.get(at) ?? 1) - 1;
    if (left > 0) {
      this.#holders.set(at, left);
      return;
    }
    this.#holders.delete(at);
    this.#journal.deleteRow(bodies, { owner: BODY_OWNER, at });
  }
}
