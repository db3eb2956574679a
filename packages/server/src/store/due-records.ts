/** Work that is due at a time, as it is stored: items by kind and name ({@link ./due-work.ts} takes them). */
import { collection, type WriteTransaction } from './contract.ts';

export interface Lease {
  /** The server that holds it. */
  readonly node: string;
  /** Given once. */
  readonly token: string;
}

export interface DueRecord {
  readonly kind: string;
  /** Its name among those of its kind. */
  readonly id: string;
  /** Whose it is; items of many accounts are taken in turn. Absent for the server's own. */
  readonly accountId?: string | undefined;
  /** Milliseconds since the epoch: when it is due or, while a server holds it, when the lease is over. */
  readonly at: number;
  /**
   * When it was scheduled, where its handler may be asked before its time: what a clock that was ahead has scheduled is due at once
   * when the clock is put right.
   */
  readonly scheduledAt?: number | undefined;
  readonly lease?: Lease | undefined;
  /** Attempts that have failed since it was scheduled. */
  readonly failures: number;
  /** What the handler has to know: plain JSON data. */
  readonly data: object;
}

export const dueRecords = collection<DueRecord>(
  'due-work',
  (d) => [d.kind, d.id],
  {
    byTime: (d) => [[d.kind, d.at]],
    byAccount: (d) => [[d.kind, d.accountId ?? '', d.at]],
    byScheduling: (d) => (d.scheduledAt === undefined ? [] : [[d.scheduledAt]]),
    byNode: (d) => (d.lease === undefined ? [] : [[d.lease.node]]),
  },
  { scope: 'server' },
);

/** Schedules an item, or schedules it anew: one that is under way is done once more then. */
export const schedule = (tx: WriteTransaction, item: Omit<DueRecord, 'lease' | 'failures'>): Promise<void> =>
  tx.put(dueRecords, { ...item, failures: 0 });

/** Takes an item back; false when there is none. One that is under way comes to its end. */
export const cancel = (tx: WriteTransaction, kind: string, id: string): Promise<boolean> => tx.delete(dueRecords, [kind, id]);
