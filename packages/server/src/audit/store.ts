/** The record of the audit log in the data file: its last line at each commit, and the last removed one. */
import { collection, type ReadTransaction, type WriteTransaction } from '../store/contract.ts';
import { type ChainLink, ORIGIN } from './chain.ts';

interface AuditRecord {
  readonly name: 'head' | 'removed';
  readonly number: number;
  readonly mac: string;
}

export const auditRecords = collection<AuditRecord>('audit', (r) => [r.name]);

export interface AuditState {
  /** The last line that is known to be on disk. */
  readonly head: ChainLink;
  /** The last line that was removed because the log exceeded its bound. */
  readonly removed: ChainLink;
}

const read = async (tx: ReadTransaction, name: AuditRecord['name']): Promise<ChainLink> => {
  const record = await tx.get(auditRecords, [name]);
  return record === undefined ? ORIGIN : { number: record.number, mac: record.mac };
};

export const readAuditState = async (tx: ReadTransaction): Promise<AuditState> => ({
  head: await read(tx, 'head'),
  removed: await read(tx, 'removed'),
});

export const putHead = (tx: WriteTransaction, { number, mac }: ChainLink): Promise<void> =>
  tx.put(auditRecords, { name: 'head', number, mac });

export const putRemoved = (tx: WriteTransaction, { number, mac }: ChainLink): Promise<void> =>
  tx.put(auditRecords, { name: 'removed', number, mac });
