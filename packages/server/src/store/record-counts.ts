/** How many records of a kind an account has in a region, for limits: counted in the transaction that adds or removes one. */
import { collection, type ReadTransaction, type WriteTransaction } from './contract.ts';

export interface RecordCount {
  readonly accountId: string;
  /** Of what: the name of a collection, with the record that it belongs to where a limit is of each of these. */
  readonly of: string;
  readonly count: number;
}

export const recordCounts = collection<RecordCount>('record-counts', (c) => [c.accountId, c.of]);

export const countOf = async (tx: ReadTransaction, accountId: string, of: string): Promise<number> =>
  (await tx.get(recordCounts, [accountId, of]))?.count ?? 0;

/** Counts records that are put (1) or deleted (-1); gives how many there are then. */
export async function countRecords(tx: WriteTransaction, accountId: string, of: string, more: number): Promise<number> {
  const count = Math.max(0, (await countOf(tx, accountId, of)) + more);
  if (count === 0) await tx.delete(recordCounts, [accountId, of]);
  else await tx.put(recordCounts, { accountId, of, count });
  return count;
}
