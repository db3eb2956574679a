/** New jobs, whichever operation asks for them. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { JobUnit } from './job-unit.ts';
import { activeJobs, jobArn, jobDocuments, type JobRecord, type JobSettings } from './store.ts';
import { resolveTargets } from './targets.ts';

/** Active jobs of an account (General Reference, AWS IoT Device Management quotas). */
const MAX_ACTIVE = 100_000;

type OfRecord =
  | 'jobId'
  | 'targetSelection'
  | 'namespaceId'
  | 'templateArn'
  | 'documentParameters'
  | 'schedule'
  | 'givenPackageVersions';

export interface NewJob extends Pick<JobRecord, OfRecord> {
  readonly settings: JobSettings;
  readonly document: string;
  /** The document before package versions were put into it, where they were. */
  readonly beforeSubstitution?: string | undefined;
  /** ARNs of things and groups. */
  readonly targets: readonly string[];
}

async function refuseTooManyActive({ tx, place: { accountId } }: JobUnit): Promise<void> {
  if (((await tx.get(activeJobs, [accountId]))?.count ?? 0) >= MAX_ACTIVE)
    fail('LimitExceededException', `There can be at most ${MAX_ACTIVE} active jobs`);
}

/** Fails where there is a job of this id. */
export async function refuseJobTwin(unit: Pick<JobUnit, 'job' | 'place'>, jobId: string): Promise<void> {
  if ((await unit.job(jobId)) !== undefined)
    fail('ResourceAlreadyExistsException', `Job ${jobId} already exists`, {
      resourceId: jobId,
      resourceArn: jobArn(unit.place, jobId),
    });
}

/** Stores a new job with its document; its first step is due at once. */
export async function createJob(
  unit: JobUnit,
  { settings, document, beforeSubstitution, targets, ...given }: NewJob,
): Promise<void> {
  const { jobId, schedule } = given;
  const { accountId } = unit.place;
  const isLater = schedule?.startAt !== undefined || schedule?.windows !== undefined;
  const job: JobRecord = {
    ...settings,
    ...given,
    accountId,
    targets: await resolveTargets(unit.tx, unit.place, targets),
    status: isLater ? 'SCHEDULED' : 'IN_PROGRESS',
    createdAt: unit.now,
    lastUpdatedAt: unit.now,
    rollout: { target: 0, nextAt: unit.now, notified: 0 },
  };
  await refuseJobTwin(unit, jobId);
  await refuseTooManyActive(unit);
  await unit.putJob(job);
  await unit.tx.put(jobDocuments, { accountId, jobId, document, beforeSubstitution });
  await unit.scheduleJob(jobId);
}
