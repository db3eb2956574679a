/**
 * The life of jobs and executions (developer guide, page iot-jobs-lifecycle): how executions begin and end, and when a job is
 * aborted, canceled, completed and gone.
 */
import { dropTags } from '../registry/tags.ts';
import { reportedPackages, versionUpdatesByJobs } from '../software-packages/contract.ts';
import { scheduleReport } from '../software-packages/package-reports.ts';
import { type AbortCriterion, metCriterion } from './abort.ts';
import type { JobUnit } from './job-unit.ts';
import { NO_RETRIES, type RetriesUsed, retryAfter } from './retries.ts';
import { type JobExecutionStatus, isActiveJob, pendingCount } from './states.ts';
import { type JobExecutionRecord, executions, isRollingOut, jobArn, type JobRecord } from './store.ts';

/** Executions that one transaction cancels or deletes. */
const PAGE = 100;
/** Milliseconds that a job is kept after its end: 730 days (General Reference, AWS IoT Device Management quotas). */
const RETENTION = 730 * 86_400_000;

/** What brought a thing into the targets of a job. */
export interface ExecutionOrigin {
  readonly thingName: string;
  readonly thingId: string;
  readonly membershipId?: string | undefined;
  readonly groupId?: string | undefined;
}

interface Retry {
  readonly attempt: number;
  readonly used: RetriesUsed;
}

/** Queues an execution, behind the one before it on that thing. */
export async function queueExecution(
  unit: JobUnit,
  job: JobRecord,
  { thingName, thingId, membershipId, groupId }: ExecutionOrigin,
  previous: JobExecutionRecord | undefined,
  retry?: Retry,
): Promise<void> {
  await unit.change(undefined, {
    accountId: job.accountId,
    jobId: job.jobId,
    thingName,
    thingId,
    executionNumber: (previous?.executionNumber ?? 0) + 1,
    status: 'QUEUED',
    queuedAt: unit.now,
    lastUpdatedAt: unit.now,
    versionNumber: 1,
    retryAttempt: retry?.attempt,
    retriesUsed: retry?.used,
    membershipId,
    groupId,
  });
}

/** Queues the retry that an execution waits for; false where it waits for none. */
export async function queueRetry(unit: JobUnit, job: JobRecord, ended: JobExecutionRecord): Promise<boolean> {
  const used = retryAfter(job.retryCriteria ?? [], ended.status, ended.retriesUsed ?? NO_RETRIES);
  if (used === undefined) return false;
  await queueExecution(unit, job, ended, ended, { attempt: (ended.retryAttempt ?? 0) + 1, used });
  return true;
}

export interface ExecutionEnd {
  readonly status: Exclude<JobExecutionStatus, 'QUEUED' | 'IN_PROGRESS'>;
  readonly statusDetails?: Readonly<Record<string, string>> | undefined;
  readonly forceCanceled?: boolean | undefined;
}

/** Has the thing's shadow `$package` written, where the account wants that of jobs. */
async function reportPackages({ tx, place, now }: JobUnit, arns: readonly string[], thingName: string): Promise<void> {
  if ((await versionUpdatesByJobs(tx, place.accountId)).enabled)
    await scheduleReport(tx, place, thingName, 'job', { reported: reportedPackages(arns), now });
}

/** Ends an execution; one that has failed or timed out is tried again as the job says. */
export async function endExecution(
  unit: JobUnit,
  before: JobExecutionRecord,
  { status, statusDetails = before.statusDetails, forceCanceled }: ExecutionEnd,
): Promise<JobExecutionRecord> {
  const job = await unit.job(before.jobId);
  const mayRetry = job !== undefined && isActiveJob(job.status) && job.isOver !== true;
  const isRetried = mayRetry && retryAfter(job.retryCriteria ?? [], status, before.retriesUsed ?? NO_RETRIES) !== undefined;
  const ended: JobExecutionRecord = {
    ...before,
    status,
    statusDetails,
    forceCanceled,
    inProgressDeadline: undefined,
    stepDeadline: undefined,
    lastUpdatedAt: unit.now,
    versionNumber: before.versionNumber + 1,
    isRetryWaiting: isRetried && job.status === 'SCHEDULED' ? true : undefined,
  };
  await unit.change(before, ended);
  const { packageVersions = [] } = job ?? {};
  if (status === 'SUCCEEDED' && packageVersions.length > 0) await reportPackages(unit, packageVersions, before.thingName);
  if (isRetried && job.status === 'IN_PROGRESS') await queueRetry(unit, job, ended);
  return ended;
}

export interface Cancellation {
  readonly force: boolean;
  readonly reasonCode?: string | undefined;
  readonly comment?: string | undefined;
}

/** Cancels a job: its executions too, as many as one transaction takes, and the others in the steps that follow. */
export async function cancelJob(unit: JobUnit, job: JobRecord, { force, reasonCode, comment }: Cancellation): Promise<JobRecord> {
  const canceled: JobRecord = {
    ...job,
    status: 'CANCELED',
    forceCanceled: force ? true : undefined,
    reasonCode,
    comment,
    lastUpdatedAt: unit.now,
    completedAt: unit.now,
    // What its end time has begun to cancel is canceled, whatever ends it meanwhile.
    canceling: force || job.canceling === 'pending' ? 'pending' : 'queued',
  };
  await unit.putJob(canceled);
  await unit.tell(canceled, 'cancellation_in_progress');
  await cancelPage(unit, canceled);
  return canceled;
}

/** Cancels a page of executions of a job that is canceling them. */
export async function cancelPage(unit: JobUnit, job: JobRecord): Promise<void> {
  const statuses = job.canceling === 'pending' ? (['QUEUED', 'IN_PROGRESS'] as const) : (['QUEUED'] as const);
  let room = PAGE;
  for (const status of statuses) {
    const order = { index: 'byStatus', prefix: [job.accountId, job.jobId, status], skipDamaged: true };
    for (let after: string | undefined; room > 0; ) {
      const { items, next } = await unit.tx.scan(executions, { ...order, limit: room, after });
      for (const record of items)
        await endExecution(unit, record, { status: 'CANCELED', forceCanceled: status === 'IN_PROGRESS' ? true : undefined });
      room -= items.length;
      after = next;
      if (after === undefined) break;
    }
  }
  if (room === 0) return unit.scheduleJob(job.jobId);
  const done: JobRecord = { ...job, canceling: undefined };
  await unit.putJob(done);
  if (done.status !== 'CANCELED') return unit.lookAt(done.jobId);
  await unit.tell(done, 'canceled');
  await unit.scheduleJob(done.jobId, unit.now + RETENTION);
}

/** Deletes a job with its executions, as many as one transaction takes, and the others in the steps that follow. */
export async function deleteJob(unit: JobUnit, job: JobRecord): Promise<void> {
  // Each cancellation that was told of has its end.
  if (job.status === 'CANCELED' && job.canceling !== undefined) await unit.tell(job, 'canceled');
  const deleted: JobRecord = { ...job, status: 'DELETION_IN_PROGRESS', canceling: undefined, lastUpdatedAt: unit.now };
  await unit.putJob(deleted);
  await unit.tell(deleted, 'deletion_in_progress');
  await deletePage(unit, deleted);
}

/** Deletes a page of executions of a job that is being deleted, and the job behind the last one. */
export async function deletePage(unit: JobUnit, job: JobRecord): Promise<void> {
  const { accountId, jobId } = job;
  const items = await unit.executionsOf(jobId, PAGE);
  for (const record of items) await unit.change(record, undefined);
  if (items.length === PAGE) return unit.scheduleJob(jobId);
  await unit.tell(job, 'deleted');
  await unit.deleteJob(job);
  await dropTags(unit.tx, accountId, jobArn(unit.place, jobId));
  await unit.unscheduleJob(jobId);
}

/** Whether a job whose executions have all ended is complete: a continuous one is when its end has passed. */
const mayComplete = (job: JobRecord): boolean =>
  job.status === 'IN_PROGRESS' &&
  job.canceling === undefined &&
  (job.targetSelection === 'SNAPSHOT' ? !isRollingOut(job) : job.isOver === true);

async function completeIfDone(unit: JobUnit, job: JobRecord): Promise<void> {
  if (!mayComplete(job) || pendingCount(await unit.counts(job.jobId)) > 0) return;
  const completed: JobRecord = { ...job, status: 'COMPLETED', completedAt: unit.now, lastUpdatedAt: unit.now };
  await unit.putJob(completed);
  await unit.tell(completed, 'completed');
  await unit.scheduleJob(completed.jobId, unit.now + RETENTION);
}

/** AWS's own reason and words are not published. */
const ABORT_REASON = 'ABORT_CRITERIA_MET';

const abortComment = ({ failureType, thresholdPercentage, minNumberOfExecutedThings }: AbortCriterion): string =>
  `Job was canceled because abort criteria were met: ${thresholdPercentage}% ${failureType} of at least ${minNumberOfExecutedThings} executions.`;

/** Aborts and completes the jobs of which executions have ended in this unit. */
export async function settleJobs(unit: JobUnit): Promise<void> {
  for (let ended = unit.takeEnded(); ended.length > 0; ended = unit.takeEnded())
    for (const jobId of ended) {
      const job = await unit.job(jobId);
      if (job === undefined || !isActiveJob(job.status)) continue;
      const met = metCriterion(job.abortCriteria ?? [], await unit.counts(jobId));
      if (met === undefined) await completeIfDone(unit, job);
      else await cancelJob(unit, job, { force: false, reasonCode: ABORT_REASON, comment: abortComment(met) });
    }
}

/** Whether the time has come to forget a job. */
export const isForgotten = ({ completedAt }: JobRecord, now: number): boolean =>
  completedAt !== undefined && completedAt + RETENTION <= now;

export const forgottenAt = ({ completedAt = 0 }: JobRecord): number => completedAt + RETENTION;
