/** How many retained messages an account has, and their bytes: kept beside them by region, in the same transaction. */
import { collection, type ReadTransaction, type Store, type WriteTransaction } from '../../store/contract.ts';
import { pages } from '../../store/pages.ts';
import { type RetainedRecord, retainedMessages } from './retained-record.ts';

interface UsageRecord {
  readonly accountId: string;
  readonly region: string;
  readonly messages: number;
  readonly bytes: number;
}

export interface RetainedTotals {
  readonly messages: number;
  readonly bytes: number;
}

export interface RetainedLimits {
  readonly retainedMessages: number;
  readonly retainedBytes: number;
}

export const usage = collection<UsageRecord>('retained-usage', (u) => [u.accountId, u.region], {}, { scope: 'server' });

/** Records read at once where the usage has never been counted: in a data file of an earlier release. */
const PAGE = 500;

const sizeOf = (record: RetainedRecord | undefined): number =>
  record === undefined
    ? 0
    : Buffer.byteLength(record.topic) + Math.floor((3 * (record.payload.length + (record.properties ?? '').length)) / 4);

/** Retained messages of all accounts, and their bytes. */
export async function retainedTotals(store: Store): Promise<RetainedTotals> {
  let [messages, bytes] = [0, 0];
  for await (const { items } of pages(store, usage, { skipDamaged: true, prefix: [] }))
    for (const each of items) {
      messages += each.messages;
      bytes += each.bytes;
    }
  return { messages, bytes };
}

async function countAll(tx: ReadTransaction, accountId: string, region: string): Promise<UsageRecord> {
  let [messages, bytes] = [0, 0];
  for (let after: string | undefined; ; ) {
    const page = await tx.scan(retainedMessages, { skipDamaged: true, prefix: [accountId], limit: PAGE, after });
    messages += page.items.length;
    for (const record of page.items) bytes += sizeOf(record);
    if (page.next === undefined) return { accountId, region, messages, bytes };
    after = page.next;
  }
}

/** Stores the record, or removes its message when the payload is empty. False when the account may keep no more. */
export async function putRetained(
  tx: WriteTransaction,
  region: string,
  record: RetainedRecord,
  limits: RetainedLimits,
): Promise<boolean> {
  const { accountId, topic, payload } = record;
  const known = (await tx.get(usage, [accountId, region])) ?? (await countAll(tx, accountId, region));
  const all = await tx.scan(usage, { prefix: [accountId] });
  const others = all.items.filter((other) => other.region !== region);
  const before = await tx.get(retainedMessages, [accountId, topic]);
  const removes = payload === '';
  const messages = known.messages + (removes ? 0 : 1) - (before === undefined ? 0 : 1);
  const bytes = known.bytes + (removes ? 0 : sizeOf(record)) - sizeOf(before);
  const grows = messages > known.messages || bytes > known.bytes;
  const allMessages = others.reduce((total, other) => total + other.messages, messages);
  const allBytes = others.reduce((total, other) => total + other.bytes, bytes);
  if (grows && (allMessages > limits.retainedMessages || allBytes > limits.retainedBytes)) return false;
  if (removes) await tx.delete(retainedMessages, [accountId, topic]);
  else await tx.put(retainedMessages, record);
  await tx.put(usage, { accountId, region, messages, bytes });
  return true;
}
