/** Due work that a clock which was ahead has scheduled: it would wait for the time that the clock has shown. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Store } from './contract.ts';
import { dueRecords } from './due-records.ts';

/** Items that one transaction moves. */
const PAGE = 256;

/** Makes due what was scheduled later than now, as far as it may be taken before its time; what is held is settled by its holder. */
export async function wakeEarly(store: Store, now: number): Promise<void> {
  for (let after: string | undefined; ; ) {
    const from = after;
    after = await store.write(async (tx) => {
      const page = { index: 'byScheduling', prefix: [], beyond: [now], limit: PAGE, skipDamaged: true };
      const { items, next } = await tx.scan(dueRecords, { ...page, ...defined({ after: from }) });
      for (const record of items)
        if (record.lease === undefined) await tx.put(dueRecords, { ...record, at: Math.min(record.at, now), scheduledAt: now });
      return next;
    });
    if (after === undefined) return;
  }
}
