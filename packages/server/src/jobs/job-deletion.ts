/** The deletion of a job, whichever operation asks for it. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { JobUnit } from './job-unit.ts';
import { deleteJob } from './lifecycle.ts';
import { type JobRecord, jobs } from './store.ts';

/** Deletions of an account that are under way at once (API reference, DeleteJob). */
const MAX_DELETIONS = 10;

/** Begins to delete a job; fails with LimitExceededException where as many are being deleted as may be. */
export async function beginDeletion(unit: JobUnit, job: JobRecord): Promise<void> {
  const scan = { index: 'byStatus', prefix: [job.accountId, 'DELETION_IN_PROGRESS'], limit: MAX_DELETIONS };
  if ((await unit.tx.scan(jobs, scan)).items.length >= MAX_DELETIONS)
    fail('LimitExceededException', `At most ${MAX_DELETIONS} jobs can be in the state DELETION_IN_PROGRESS at a time`);
  await deleteJob(unit, job);
}
