/**
 * Steps of jobs, as due work: one item for each job says when it is next to be looked at. A step is one transaction, which does
 * what is due by then: the start, a second of the rollout, the begin and end of a maintenance window, the end time, a page of a
 * cancellation or deletion. What is left at a crash is done by the step after it.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Disk } from '../runtime/disk-room.ts';
import type { DueHandler, DueItem, Outcome } from '../store/due-work.ts';
import { memberships } from '../registry/groups/store.ts';
import { things } from '../registry/store.ts';
import type { JobUnit } from './job-unit.ts';
import { JOB_KIND, type JobItem, TIMEOUT_KIND, type TimeoutItem } from './job-unit.ts';
import type { JobWriter } from './job-writer.ts';
import {
  cancelPage,
  deleteJob,
  deletePage,
  endExecution,
  type ExecutionOrigin,
  forgottenAt,
  isForgotten,
  queueExecution,
  queueRetry,
} from './lifecycle.ts';
import { caughtUp, isInStep, dueAfter, STEP } from './rollout.ts';
import { isPending } from './states.ts';
import { executions, isRollingOut, type JobRecord, type JobTarget } from './store.ts';
import { isCrowdedOut } from './concurrent-jobs.ts';
import { timesOutAt } from './timers.ts';
import { nextStart, openUntil, readWindows } from './windows.ts';

/** Items under way at once: as many jobs of an account may be rolled out as half of them. */
const CONCURRENCY = 512;
/** Milliseconds after which a rollout looks again whether the disk has room. */
const DISK_PAUSE = 30_000;
/** Members that one step looks at, those that have an execution already too. */
const MAX_LOOKED_AT = 500;

/** A part of the rollout: things of a target, and where it goes on. */
interface RolloutPart {
  readonly found: readonly ExecutionOrigin[];
  readonly next: Pick<JobRecord['rollout'], 'target' | 'after'>;
}

async function partOf(unit: JobUnit, { rollout }: JobRecord, target: JobTarget, limit: number): Promise<RolloutPart> {
  const { accountId } = unit.place;
  const { groupId, name } = target;
  const behind = { target: rollout.target + 1, after: undefined };
  if (groupId === undefined) {
    const thing = await unit.tx.get(things, [accountId, name]);
    return { found: thing === undefined ? [] : [{ thingName: name, thingId: thing.thingId }], next: behind };
  }
  const scan = { index: 'byHierarchy', prefix: [accountId, groupId], after: rollout.after, limit, skipDamaged: true };
  const { items, next } = await unit.tx.scan(memberships, scan);
  const found = items.map(({ thingName, thingId, membershipId, groupId: of }) => ({
    thingName,
    thingId,
    membershipId,
    groupId: of,
  }));
  return { found, next: next === undefined ? behind : { target: rollout.target, after: next } };
}

/** Has a thing its execution, where it has none, or waits for another; says whether one was made. */
async function rollOutTo(unit: JobUnit, job: JobRecord, origin: ExecutionOrigin): Promise<boolean> {
  const latest = await unit.latest(job.jobId, origin.thingName);
  if (latest === 'damaged') return false;
  if (latest?.isRetryWaiting === true) {
    await unit.change(latest, { ...latest, isRetryWaiting: undefined });
    return queueRetry(unit, job, latest);
  }
  const isNew = latest === undefined || latest.hasLeft === true || latest.status === 'REMOVED';
  if (isNew) await queueExecution(unit, job, origin, latest);
  return isNew;
}

/** Does one second of the rollout. */
async function rollOut(unit: JobUnit, before: JobRecord): Promise<JobRecord> {
  const rollout = { ...before.rollout, nextAt: caughtUp(before.rollout.nextAt, unit.now) };
  let job: JobRecord = { ...before, isWaiting: undefined, rollout };
  let lookedAt = 0;
  while (isRollingOut(job) && isInStep(job.rollout.nextAt, unit.now) && lookedAt < MAX_LOOKED_AT) {
    const target = job.targets[job.rollout.target];
    if (target === undefined) break;
    const { succeeded, limit } = await dueIn(unit, job);
    const { found, next } = await partOf(unit, job, target, limit);
    let { nextAt, notified } = job.rollout;
    for (const origin of found) {
      if (!(await rollOutTo(unit, job, origin))) continue;
      nextAt = dueAfter(nextAt, job.rate ?? {}, { notified, succeeded });
      notified += 1;
    }
    lookedAt += found.length + 1;
    job = { ...job, rollout: { ...next, nextAt, notified } };
  }
  return job;
}

/** How many executions are due in this step. */
async function dueIn(unit: JobUnit, { jobId, rate = {}, rollout }: JobRecord): Promise<{ succeeded: number; limit: number }> {
  const succeeded = (await unit.counts(jobId)).SUCCEEDED;
  let limit = 0;
  for (let at = rollout.nextAt; isInStep(at, unit.now); limit += 1)
    at = dueAfter(at, rate, { notified: rollout.notified + limit, succeeded });
  return { succeeded, limit };
}

const earliest = (...times: readonly (number | undefined)[]): number | undefined => {
  const given = times.filter((time) => time !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
};

/** Ends a job whose end time has come: what it does with pending executions is its end behavior. */
async function passEnd(unit: JobUnit, job: JobRecord): Promise<number | undefined> {
  const behavior = job.schedule?.endBehavior ?? 'STOP_ROLLOUT';
  const canceling = behavior === 'STOP_ROLLOUT' ? undefined : behavior === 'CANCEL' ? 'queued' : 'pending';
  const over: JobRecord = { ...job, status: 'IN_PROGRESS', isOver: true, canceling, lastUpdatedAt: unit.now };
  await unit.putJob(over);
  if (canceling !== undefined) await cancelPage(unit, over);
  unit.lookAt(job.jobId);
  return undefined;
}

/** What is next for a job that has begun, or waits to: its state is brought to what its schedule says now. */
async function advance(unit: JobUnit, job: JobRecord, disk: Disk): Promise<number | undefined> {
  const { now } = unit;
  const { startAt, endAt, windows } = job.schedule ?? {};
  if (job.isOver === true) return undefined;
  if (endAt !== undefined && endAt <= now) return passEnd(unit, job);
  if (startAt !== undefined && startAt > now) return earliest(startAt, endAt);
  const read = windows === undefined || windows.length === 0 ? undefined : readWindows(windows);
  const closesAt = read === undefined ? undefined : openUntil(read, now);
  if (read !== undefined && closesAt === undefined) {
    if (job.status !== 'SCHEDULED') await unit.putJob({ ...job, status: 'SCHEDULED', lastUpdatedAt: now });
    return earliest(nextStart(read, now), endAt);
  }
  let open = job;
  if (job.status === 'SCHEDULED') {
    // What came to the targets meanwhile, and retries that wait, are found by a walk over all of them.
    open = { ...job, status: 'IN_PROGRESS', lastUpdatedAt: now, rollout: { ...job.rollout, target: 0, after: undefined } };
    await unit.putJob(open);
  }
  if (!isRollingOut(open)) {
    unit.lookAt(open.jobId);
    return earliest(closesAt, endAt);
  }
  if (await isCrowdedOut(unit.tx, open)) {
    if (open.isWaiting !== true) await unit.putJob({ ...open, isWaiting: true });
    return earliest(closesAt, endAt);
  }
  if (disk.low) return earliest(now + DISK_PAUSE, closesAt, endAt);
  const after = await rollOut(unit, open);
  await unit.putJob(after);
  unit.lookAt(after.jobId);
  const nextStep = isRollingOut(after) ? Math.max(now + STEP, after.rollout.nextAt) : undefined;
  return earliest(nextStep, closesAt, endAt);
}

/** Does a step of a job; gives when the next one is due, undefined where none is. */
async function step(unit: JobUnit, job: JobRecord, disk: Disk): Promise<number | undefined> {
  if (job.status === 'DELETION_IN_PROGRESS') {
    await deletePage(unit, job);
    return undefined;
  }
  if (job.canceling !== undefined) {
    await cancelPage(unit, job);
    return undefined;
  }
  if (job.status === 'CANCELED' || job.status === 'COMPLETED') {
    if (!isForgotten(job, unit.now)) return forgottenAt(job);
    await deleteJob(unit, job);
    return undefined;
  }
  return advance(unit, job, disk);
}

/** While the disk is low nothing is rolled out; all else is done. */
export const jobSteps = (writer: JobWriter, disk: Disk): DueHandler => ({
  kind: JOB_KIND,
  concurrency: CONCURRENCY,
  async take(item: DueItem): Promise<Outcome> {
    const { jobId, ...place } = item.data as JobItem;
    await writer.write(place, async (unit) => {
      if (!(await item.isHeld(unit.tx))) return;
      const job = await unit.job(jobId);
      // What the step schedules itself comes after this, and stands.
      await item.settle(unit.tx, 'done');
      const next = job === undefined ? undefined : await step(unit, job, disk);
      if (next !== undefined) await unit.scheduleJob(jobId, next);
    });
    return 'done';
  },
});

/** Ends executions whose time is over. */
export const executionTimeouts = (writer: JobWriter): DueHandler => ({
  kind: TIMEOUT_KIND,
  concurrency: CONCURRENCY,
  async take(item: DueItem): Promise<Outcome> {
    const { region, accountId, jobId, thingName, executionNumber } = item.data as TimeoutItem;
    const place: Place = { region, accountId };
    return writer.write(place, async (unit): Promise<Outcome> => {
      const record = await unit.tx.get(executions, [accountId, jobId, thingName, executionNumber]);
      if (record === undefined || !isPending(record.status)) return 'done';
      const deadline = timesOutAt(record);
      if (deadline === undefined) return 'done';
      // A clock that was ahead has gone back since.
      if (deadline > unit.now) return { again: deadline };
      await endExecution(unit, record, { status: 'TIMED_OUT' });
      return 'done';
    });
  },
});
