/** Job events (developer guide, page events-jobs): what is published of jobs and of executions where the account wants it. */
import { randomUUID } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { thingArn } from '../registry/things.ts';
import type { JobMessage } from './outbox.ts';
import { seconds } from './payloads.ts';
import type { ExecutionCounts, JobExecutionStatus } from './states.ts';
import type { JobExecutionRecord, JobRecord } from './store.ts';

/** The switches of job events. */
export type JobEventKind = 'JOB' | 'JOB_EXECUTION';

export interface JobEvent extends JobMessage {
  readonly kind: JobEventKind;
}

const JOB_OPERATIONS = {
  completed: 'COMPLETED',
  canceled: 'CANCELED',
  deleted: 'DELETED',
  cancellation_in_progress: 'CANCELLATION_IN_PROGRESS',
  deletion_in_progress: 'DELETION_IN_PROGRESS',
} as const;

export type JobOperation = keyof typeof JOB_OPERATIONS;

/** Operations whose events have the comment of a job. */
const COMMENTED: ReadonlySet<JobOperation> = new Set(['deleted', 'cancellation_in_progress', 'deletion_in_progress']);

const processDetails = (counts: ExecutionCounts) => ({
  numberOfCanceledThings: counts.CANCELED,
  numberOfRejectedThings: counts.REJECTED,
  numberOfFailedThings: counts.FAILED,
  numberOfRemovedThings: counts.REMOVED,
  numberOfSucceededThings: counts.SUCCEEDED,
});

/** An event of a job; its end and the counts of its executions are in `completed` alone. */
export function jobEvent(job: JobRecord, operation: JobOperation, now: number, counts: ExecutionCounts): JobEvent {
  const isCompleted = operation === 'completed';
  const payload = {
    eventType: 'JOB',
    eventId: randomUUID(),
    timestamp: seconds(now),
    operation,
    jobId: job.jobId,
    status: JOB_OPERATIONS[operation],
    targetSelection: job.targetSelection,
    targets: job.targets.map(({ arn }) => arn),
    description: job.description,
    completedAt: isCompleted ? job.completedAt : undefined,
    createdAt: job.createdAt,
    lastUpdatedAt: job.lastUpdatedAt,
    comment: COMMENTED.has(operation) ? job.comment : undefined,
    jobProcessDetails: isCompleted ? processDetails(counts) : undefined,
  };
  return { kind: 'JOB', topic: `$aws/events/job/${job.jobId}/${operation}`, payload: JSON.stringify(payload) };
}

/** Ends of executions that are events. */
const EXECUTION_OPERATIONS: Readonly<Partial<Record<JobExecutionStatus, string>>> = {
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  REJECTED: 'rejected',
  CANCELED: 'canceled',
  TIMED_OUT: 'timed_out',
  REMOVED: 'removed',
};

/** The event of an execution that has ended, or that was deleted. */
export function executionEvent(place: Place, record: JobExecutionRecord, isDeleted: boolean, now: number): JobEvent | undefined {
  const operation = isDeleted ? 'deleted' : EXECUTION_OPERATIONS[record.status];
  if (operation === undefined) return undefined;
  const { jobId, thingName, status, statusDetails = {} } = record;
  const payload = {
    eventType: 'JOB_EXECUTION',
    eventId: randomUUID(),
    timestamp: seconds(now),
    operation,
    jobId,
    thingArn: thingArn(place, thingName),
    status: isDeleted ? 'DELETED' : status,
    statusDetails,
  };
  return { kind: 'JOB_EXECUTION', topic: `$aws/events/jobExecution/${jobId}/${operation}`, payload: JSON.stringify(payload) };
}
