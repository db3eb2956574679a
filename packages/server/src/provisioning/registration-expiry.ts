/** What is kept of a finished registration task goes after 30 days (API reference, ListThingRegistrationTasks). */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import type { DueRecord } from '../store/due-records.ts';
import type { DueHandler } from '../store/due-work.ts';
import {
  dueRegistration,
  type RegistrationItem,
  registrationErrors,
  registrationResults,
  registrationTasks,
} from './registration-tasks.ts';

/** Milliseconds. */
const KEPT = 30 * 24 * 3_600_000;
const KIND = 'thing-registration-expiry';
/** Rows that go in one transaction. */
const PAGE = 500;

export const expiredRegistration = (place: Place, taskId: string, now: number): Omit<DueRecord, 'lease' | 'failures'> => ({
  kind: KIND,
  id: dueRegistration(place, taskId),
  accountId: place.accountId,
  at: now + KEPT,
  data: { ...place, taskId },
});

/** Removes a page of a task's rows; says whether there are more. */
async function removeRows(tx: WriteTransaction, owner: number): Promise<boolean> {
  for (const kept of [registrationResults, registrationErrors]) {
    const found = await tx.scanRows(kept, owner, { after: 0, rows: PAGE, bytes: Number.MAX_SAFE_INTEGER });
    await tx.deleteRows(kept, found);
    if (found.length > 0) return true;
  }
  return false;
}

export const registrationExpiry = (inRegion: (region: string) => Store): DueHandler => ({
  kind: KIND,
  concurrency: 1,
  async take({ data, signal }) {
    const { region, accountId, taskId } = data as RegistrationItem;
    const store = inRegion(region);
    const task = await store.read((tx) => tx.get(registrationTasks, [accountId, taskId]));
    if (task === undefined) return 'done';
    while (await store.write((tx) => removeRows(tx, task.owner))) if (signal.aborted) return { again: 0 };
    await store.write((tx) => tx.delete(registrationTasks, [accountId, taskId]));
    return 'done';
  },
});
