/**
 * States of an execution and of a job (developer guide, page iot-jobs-lifecycle): which there are, which end it, and which
 * changes a device may ask for.
 */

export const EXECUTION_STATUSES = [
  'QUEUED',
  'IN_PROGRESS',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'REJECTED',
  'REMOVED',
  'CANCELED',
] as const;

export type JobExecutionStatus = (typeof EXECUTION_STATUSES)[number];

/** What a device may report. */
export type ReportedStatus = 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED';

export type JobStatus = 'SCHEDULED' | 'IN_PROGRESS' | 'COMPLETED' | 'CANCELED' | 'DELETION_IN_PROGRESS';

/** Executions of a job by status. */
export type ExecutionCounts = Readonly<Record<JobExecutionStatus, number>>;

export const NO_EXECUTIONS: ExecutionCounts = {
  QUEUED: 0,
  IN_PROGRESS: 0,
  SUCCEEDED: 0,
  FAILED: 0,
  TIMED_OUT: 0,
  REJECTED: 0,
  REMOVED: 0,
  CANCELED: 0,
};

const REPORTED: ReadonlySet<string> = new Set<ReportedStatus>(['IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'REJECTED']);

export const isReported = (status: unknown): status is ReportedStatus => typeof status === 'string' && REPORTED.has(status);

/** Whether an execution is still to be done. */
export const isPending = (status: JobExecutionStatus): boolean => status === 'QUEUED' || status === 'IN_PROGRESS';

/** Whether a job rolls out or waits to. */
export const isActiveJob = (status: JobStatus): boolean => status === 'SCHEDULED' || status === 'IN_PROGRESS';

/** Executions that have ended: what abort criteria are measured by. */
export const completedCount = (counts: ExecutionCounts): number =>
  EXECUTION_STATUSES.reduce((sum, status) => (isPending(status) ? sum : sum + counts[status]), 0);

export const pendingCount = (counts: ExecutionCounts): number => counts.QUEUED + counts.IN_PROGRESS;
