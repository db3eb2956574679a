/** What a thing has to do: its pending executions, in their order. */
import type { ReadTransaction } from '../store/contract.ts';
import { type JobExecutionRecord, executions } from './store.ts';

/** Records that are read at once where those before are not to be shown. */
const PAGE = 250;

/**
 * The first pending executions of a thing; those that are damaged are left out, and those of a thing that was deleted and made
 * anew under its name: the thing's id says which are its own.
 */
export async function pendingExecutions(
  tx: ReadTransaction,
  accountId: string,
  thingName: string,
  limit: number,
  thingId?: string,
): Promise<readonly JobExecutionRecord[]> {
  const order = { index: 'pending', prefix: [accountId, thingName], skipDamaged: true };
  const found: JobExecutionRecord[] = [];
  let page = await tx.scan(executions, { ...order, limit });
  for (;;) {
    found.push(...page.items.filter((each) => thingId === undefined || each.thingId === thingId));
    if (page.next === undefined || found.length >= limit) return found.slice(0, limit);
    page = await tx.scan(executions, { ...order, after: page.next, limit: PAGE });
  }
}
