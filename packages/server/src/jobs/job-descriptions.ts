/** Jobs and executions as the control plane shows them. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { thingArn } from '../registry/things.ts';
import { shownRollouts, shownSchedule } from './schedules.ts';
import { shownSettings } from './settings.ts';
import { type ExecutionCounts, NO_EXECUTIONS } from './states.ts';
import { isConcurrent, type JobExecutionRecord, isRollingOut, jobArn, jobCounts, type JobRecord } from './store.ts';
import { secondsLeft } from './timers.ts';

const dateOf = (at: number | undefined): Date | undefined => (at === undefined ? undefined : new Date(at));

export const countsOf = async (tx: ReadTransaction, { accountId, jobId }: JobRecord): Promise<ExecutionCounts> =>
  (await tx.get(jobCounts, [accountId, jobId]))?.counts ?? NO_EXECUTIONS;

const processDetails = (job: JobRecord, counts: ExecutionCounts) => ({
  processingTargets: isRollingOut(job) ? job.targets.slice(job.rollout.target).map(({ arn }) => arn) : undefined,
  numberOfCanceledThings: counts.CANCELED,
  numberOfSucceededThings: counts.SUCCEEDED,
  numberOfFailedThings: counts.FAILED,
  numberOfRejectedThings: counts.REJECTED,
  numberOfQueuedThings: counts.QUEUED,
  numberOfInProgressThings: counts.IN_PROGRESS,
  numberOfRemovedThings: counts.REMOVED,
  numberOfTimedOutThings: counts.TIMED_OUT,
});

export const describedJob = (place: Place, job: JobRecord, counts: ExecutionCounts, now: number) => ({
  ...shownSettings(job),
  jobArn: jobArn(place, job.jobId),
  jobId: job.jobId,
  targetSelection: job.targetSelection,
  status: job.status,
  forceCanceled: job.forceCanceled,
  reasonCode: job.reasonCode,
  comment: job.comment,
  targets: job.targets.map(({ arn }) => arn),
  createdAt: new Date(job.createdAt),
  lastUpdatedAt: new Date(job.lastUpdatedAt),
  completedAt: dateOf(job.completedAt),
  jobProcessDetails: processDetails(job, counts),
  namespaceId: job.namespaceId,
  jobTemplateArn: job.templateArn,
  documentParameters: job.documentParameters === undefined ? undefined : { ...job.documentParameters },
  isConcurrent: isConcurrent(job),
  schedulingConfig: job.schedule === undefined ? undefined : shownSchedule(job.schedule),
  scheduledJobRollouts: shownRollouts(job, now),
});

export const listedJob = (place: Place, job: JobRecord, thingGroupId: string | undefined) => ({
  jobArn: jobArn(place, job.jobId),
  jobId: job.jobId,
  thingGroupId,
  targetSelection: job.targetSelection,
  status: job.status,
  createdAt: new Date(job.createdAt),
  lastUpdatedAt: new Date(job.lastUpdatedAt),
  completedAt: dateOf(job.completedAt),
  isConcurrent: isConcurrent(job),
});

export const listedExecution = (record: JobExecutionRecord) => ({
  status: record.status,
  queuedAt: new Date(record.queuedAt),
  startedAt: dateOf(record.startedAt),
  lastUpdatedAt: new Date(record.lastUpdatedAt),
  executionNumber: record.executionNumber,
  retryAttempt: record.retryAttempt,
});

export const describedJobExecution = (place: Place, record: JobExecutionRecord, now: number) => ({
  jobId: record.jobId,
  status: record.status,
  forceCanceled: record.forceCanceled,
  statusDetails: { detailsMap: { ...record.statusDetails } },
  thingArn: thingArn(place, record.thingName),
  queuedAt: new Date(record.queuedAt),
  startedAt: dateOf(record.startedAt),
  lastUpdatedAt: new Date(record.lastUpdatedAt),
  executionNumber: record.executionNumber,
  versionNumber: record.versionNumber,
  approximateSecondsBeforeTimedOut: record.status === 'IN_PROGRESS' ? secondsLeft(record, now) : undefined,
});
