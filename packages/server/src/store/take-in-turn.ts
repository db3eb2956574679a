/** Which of the items that are due are taken where there are more than there is room for. */
import type { DueRecord } from './due-records.ts';

/** Items from those that are due, the accounts in turn, and no account over its share. */
export function takeInTurn(
  due: readonly DueRecord[],
  free: number,
  share: number,
  running: ReadonlyMap<string, number>,
): DueRecord[] {
  const queues = [...Map.groupBy(due, ({ accountId = '' }) => accountId)].map(([accountId, items]) => ({
    // The server's own work has no account that could take the place of others.
    items: accountId === '' ? items : items.slice(0, Math.max(0, share - (running.get(accountId) ?? 0))),
  }));
  const taken: DueRecord[] = [];
  for (let turn = 0; taken.length < free && queues.some(({ items }) => turn < items.length); turn += 1)
    for (const { items } of queues) {
      const item = items[turn];
      if (item !== undefined && taken.length < free) taken.push(item);
    }
  return taken;
}
