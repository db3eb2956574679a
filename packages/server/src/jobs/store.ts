/** Records of jobs: jobs, their documents and counts, executions, templates. Times are milliseconds since the epoch. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection, type ReadTransaction } from '../store/contract.ts';
import type { MembershipRecord } from '../registry/groups/store.ts';
import type { ThingRecord } from '../registry/store.ts';
import type { AbortCriterion } from './abort.ts';
import type { RetriesUsed, RetryCriterion } from './retries.ts';
import type { RolloutRate } from './rollout.ts';
import type { ExecutionCounts, JobExecutionStatus, JobStatus } from './states.ts';
import type { Timers } from './timers.ts';
import type { MaintenanceWindow } from './windows.ts';

export interface PresignedUrls {
  readonly roleArn?: string | undefined;
  readonly expiresInSec?: number | undefined;
}

/** What a job and a template are configured by. */
export interface JobSettings {
  readonly description?: string | undefined;
  readonly documentSource?: string | undefined;
  readonly presignedUrls?: PresignedUrls | undefined;
  readonly rate?: RolloutRate | undefined;
  readonly abortCriteria?: readonly AbortCriterion[] | undefined;
  readonly inProgressMinutes?: number | undefined;
  readonly retryCriteria?: readonly RetryCriterion[] | undefined;
  readonly packageVersions?: readonly string[] | undefined;
}

export interface JobTarget {
  readonly arn: string;
  readonly name: string;
  /** Present for a group: one that is made anew under its name is another. */
  readonly groupId?: string | undefined;
}

export type EndBehavior = 'STOP_ROLLOUT' | 'CANCEL' | 'FORCE_CANCEL';

export interface JobSchedule {
  readonly startAt?: number | undefined;
  readonly endAt?: number | undefined;
  readonly endBehavior?: EndBehavior | undefined;
  readonly windows?: readonly MaintenanceWindow[] | undefined;
}

/** How far a job's rollout has come. */
export interface RolloutProgress {
  /** Index of the target that is rolled out; the number of targets once all are. */
  readonly target: number;
  /** Where the members of that target go on. */
  readonly after?: string | undefined;
  /** When the next execution is due. */
  readonly nextAt: number;
  /** Executions that it has made. */
  readonly notified: number;
}

export interface JobRecord extends JobSettings {
  readonly accountId: string;
  readonly jobId: string;
  readonly targets: readonly JobTarget[];
  readonly targetSelection: 'SNAPSHOT' | 'CONTINUOUS';
  readonly status: JobStatus;
  readonly forceCanceled?: boolean | undefined;
  readonly namespaceId?: string | undefined;
  readonly templateArn?: string | undefined;
  readonly documentParameters?: Readonly<Record<string, string>> | undefined;
  readonly schedule?: JobSchedule | undefined;
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
  /** When it came to its end: completed or canceled. */
  readonly completedAt?: number | undefined;
  readonly comment?: string | undefined;
  readonly reasonCode?: string | undefined;
  readonly rollout: RolloutProgress;
  /** Package versions as they were given, where `$default` stood for one. */
  readonly givenPackageVersions?: readonly string[] | undefined;
  /** Executions that are being canceled: those that are queued, or all that are pending. */
  readonly canceling?: 'queued' | 'pending' | undefined;
  /** Whether its end time has passed. */
  readonly isOver?: boolean | undefined;
  /** It is to be rolled out once fewer jobs of the account are concurrent. */
  readonly isWaiting?: boolean | undefined;
}

/** Whether executions are still to be made for targets. */
export const isRollingOut = ({ status, rollout, targets, isOver }: JobRecord): boolean =>
  status === 'IN_PROGRESS' && isOver !== true && rollout.target < targets.length;

/** Whether a job has begun to roll out and is not through, or cancels executions. */
export const isConcurrent = (job: JobRecord): boolean =>
  (isRollingOut(job) && job.rollout.notified > 0) || job.canceling !== undefined;

export const jobs = collection<JobRecord>('jobs', (j) => [j.accountId, j.jobId], {
  byCreation: (j) => [[j.accountId, j.createdAt, j.jobId]],
  byStatus: (j) => [[j.accountId, j.status, j.createdAt, j.jobId]],
  /** Jobs whose targets a group is among. */
  byGroup: (j) => j.targets.flatMap((t) => (t.groupId === undefined ? [] : [[j.accountId, t.groupId, j.createdAt, j.jobId]])),
  /** Jobs that follow the members of a group. */
  following: (j) =>
    j.targetSelection === 'CONTINUOUS' && (j.status === 'SCHEDULED' || j.status === 'IN_PROGRESS')
      ? j.targets.flatMap((t) => (t.groupId === undefined ? [] : [[j.accountId, t.groupId, j.jobId]]))
      : [],
  /** Jobs that wait for others to be rolled out, in their order. */
  waiting: (j) =>
    j.isWaiting && j.status === 'IN_PROGRESS' && !j.isOver && j.rollout.target < j.targets.length
      ? [[j.accountId, j.createdAt, j.jobId]]
      : [],
});

/** The document of a job, apart: it is read by who runs the job alone. */
export interface JobDocumentRecord {
  readonly accountId: string;
  readonly jobId: string;
  /** With what its placeholders stand for, but for URLs. */
  readonly document: string;
  /** As it was given, where it had parameters or packages. */
  readonly beforeSubstitution?: string | undefined;
}

export const jobDocuments = collection<JobDocumentRecord>('job-documents', (d) => [d.accountId, d.jobId]);

/** Executions of a job by status, apart from the job: it changes with each of them. */
export interface JobCountsRecord {
  readonly accountId: string;
  readonly jobId: string;
  readonly counts: ExecutionCounts;
}

export const jobCounts = collection<JobCountsRecord>('job-counts', (c) => [c.accountId, c.jobId]);

declare module '../store/change-kinds.ts' {
  interface ChangeKinds {
    'active-jobs': true;
  }
}

/** How many active jobs an account has; one that has had a job keeps the record. */
export interface ActiveJobsRecord {
  readonly accountId: string;
  readonly count: number;
  /** Jobs that are rolled out, or cancel executions, at once. */
  readonly concurrent?: number | undefined;
}

export const activeJobs = collection<ActiveJobsRecord>('active-jobs', (c) => [c.accountId], {}, { changes: 'active-jobs' });

export interface JobExecutionRecord extends Timers {
  readonly accountId: string;
  readonly jobId: string;
  readonly thingName: string;
  readonly thingId: string;
  readonly executionNumber: number;
  readonly status: JobExecutionStatus;
  readonly statusDetails?: Readonly<Record<string, string>> | undefined;
  readonly queuedAt: number;
  readonly startedAt?: number | undefined;
  readonly lastUpdatedAt: number;
  readonly versionNumber: number;
  readonly forceCanceled?: boolean | undefined;
  readonly retryAttempt?: number | undefined;
  readonly retriesUsed?: RetriesUsed | undefined;
  /** It is to be tried again when the next maintenance window opens. */
  readonly isRetryWaiting?: boolean | undefined;
  /** The membership that brought the thing in; absent where the thing itself is a target. */
  readonly membershipId?: string | undefined;
  readonly groupId?: string | undefined;
  /** The thing has left the targets after its end: when it comes back it gets another execution. */
  readonly hasLeft?: boolean | undefined;
}

export const executions = collection<JobExecutionRecord>(
  'job-executions',
  (e) => [e.accountId, e.jobId, e.thingName, e.executionNumber],
  {
    /** What a thing has to do, in its order: what is in progress first, each by the time that it was queued. */
    pending: (e) =>
      e.status === 'QUEUED' || e.status === 'IN_PROGRESS'
        ? [[e.accountId, e.thingName, e.status === 'IN_PROGRESS' ? 0 : 1, e.queuedAt, e.jobId, e.executionNumber]]
        : [],
    byThing: (e) => [[e.accountId, e.thingName, e.queuedAt, e.jobId]],
    byThingAndStatus: (e) => [[e.accountId, e.thingName, e.status, e.queuedAt, e.jobId]],
    byStatus: (e) => [[e.accountId, e.jobId, e.status, e.thingName]],
  },
);

/** The execution of this number, or the last one of the job on the thing; there is none of a number that is not whole and positive. */
export async function findExecution(
  tx: ReadTransaction,
  prefix: readonly [accountId: string, jobId: string, thingName: string],
  executionNumber: number | undefined,
): Promise<JobExecutionRecord | undefined> {
  if (executionNumber === undefined) return (await tx.scan(executions, { prefix, reverse: true, limit: 1 })).items[0];
  return Number.isSafeInteger(executionNumber) && executionNumber > 0
    ? tx.get(executions, [...prefix, executionNumber])
    : undefined;
}

/** How far a change of targets was followed: in which step, and where that goes on. */
export interface FollowedSoFar {
  readonly step: number;
  readonly after?: string | undefined;
}

/** A change of a membership or a thing that jobs have not followed to its end yet. */
export interface TargetChange {
  readonly accountId: string;
  /** The number of the change: the order in which they are followed. */
  readonly number: number;
  readonly left?: MembershipRecord | undefined;
  readonly joined?: MembershipRecord | undefined;
  readonly deleted?: ThingRecord | undefined;
  readonly followed?: FollowedSoFar | undefined;
}

export const targetChanges = collection<TargetChange>('job-target-changes', (c) => [c.accountId, c.number]);

export interface JobTemplateRecord extends JobSettings {
  readonly accountId: string;
  readonly templateId: string;
  readonly document: string;
  readonly windows?: readonly MaintenanceWindow[] | undefined;
  readonly createdAt: number;
}

export const jobTemplates = collection<JobTemplateRecord>('job-templates', (t) => [t.accountId, t.templateId], {
  byCreation: (t) => [[t.accountId, t.createdAt, t.templateId]],
});

export const jobArn = (place: Place, jobId: string): string => iotArn(place, 'job', jobId);
export const jobTemplateArn = (place: Place, templateId: string): string => iotArn(place, 'jobtemplate', templateId);
