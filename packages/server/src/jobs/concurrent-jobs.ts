/**
 * Concurrent jobs of an account (developer guide, page job-limits): as many as may be rolled out, or cancel executions, at once.
 * A job that would be one more waits, and is not looked at until another is concurrent no more.
 */
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import { isActiveJob } from './states.ts';
import { activeJobs, isConcurrent, isRollingOut, type JobRecord, jobs } from './store.ts';

/** General Reference, AWS IoT Device Management quotas. */
export const MAX_CONCURRENT = 500;
/** Waiting jobs that are called when a job ends its rollout: one that is through in a single step calls others in its turn. */
const MAX_CALLED = 2;

/** A job that was changed; undefined for one that is new, or gone. */
interface ChangedJob {
  readonly before: JobRecord | undefined;
  readonly after: JobRecord | undefined;
}

/** Whether a job would be one more than may be concurrent. */
export const isCrowdedOut = async (tx: ReadTransaction, job: JobRecord): Promise<boolean> =>
  job.rollout.notified === 0 && ((await tx.get(activeJobs, [job.accountId]))?.concurrent ?? 0) >= MAX_CONCURRENT;

/** How many more jobs are so after the changes than before. */
const difference = (changed: readonly ChangedJob[], isSo: (job: JobRecord) => boolean): number =>
  changed.reduce(
    (sum, { before, after }) => sum + Number(after !== undefined && isSo(after)) - Number(before !== undefined && isSo(before)),
    0,
  );

/** Whether a job leaves room to others: it is concurrent no more, or its rollout, which may never have been, has ended. */
const leavesRoom = ({ before, after }: ChangedJob): boolean =>
  [isConcurrent, isRollingOut].some((isSo) => before !== undefined && isSo(before) && (after === undefined || !isSo(after)));

/** Counts active and concurrent jobs after changes; gives waiting jobs that are to be looked at, and wait no more. */
export async function countJobs(
  tx: WriteTransaction,
  accountId: string,
  changed: readonly ChangedJob[],
): Promise<readonly JobRecord[]> {
  if (changed.length === 0) return [];
  const active = difference(changed, ({ status }) => isActiveJob(status));
  const begun = difference(changed, isConcurrent);
  const known = await tx.get(activeJobs, [accountId]);
  const concurrent = Math.max(0, (known?.concurrent ?? 0) + begun);
  if (active !== 0 || begun !== 0)
    await tx.put(activeJobs, { accountId, count: Math.max(0, (known?.count ?? 0) + active), concurrent });
  const room = MAX_CONCURRENT - concurrent;
  if (room <= 0 || !changed.some(leavesRoom)) return [];
  const called = { index: 'waiting', prefix: [accountId], limit: Math.min(room, MAX_CALLED), skipDamaged: true };
  const { items } = await tx.scan(jobs, called);
  for (const job of items) await tx.put(jobs, { ...job, isWaiting: undefined });
  return items;
}
