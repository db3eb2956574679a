/**
 * What a change of a membership or of a thing means for jobs: continuous jobs take what comes to their targets and give up what
 * leaves them, and the executions of a deleted thing are removed. A change is followed in steps, each of them page by page, so
 * that what one transaction does is bounded.
 */
import { type MembershipRecord, memberships } from '../registry/groups/store.ts';
import type { ThingRecord } from '../registry/store.ts';
import type { ReadTransaction } from '../store/contract.ts';
import type { JobUnit } from './job-unit.ts';
import { endExecution, queueExecution } from './lifecycle.ts';
import { isPending } from './states.ts';
import { executions, type FollowedSoFar, type JobRecord, jobs, type TargetChange } from './store.ts';
import { otherWay } from './targets.ts';

/** What a change means for a job on a thing. */
export interface Subject {
  readonly jobId: string;
  readonly thingName: string;
}

/** How far a transaction has come with a change. */
export interface FollowedPart {
  /** Where the change goes on; undefined once it is done with. */
  readonly next: FollowedSoFar | undefined;
  /** Jobs and executions that were looked at. */
  readonly lookedAt: number;
  /** What was left as it is, for its execution is damaged. */
  readonly leftOut: readonly Subject[];
}

/** Whether a task has found its execution damaged, and has left it as it is. */
type Damaged = 'damaged' | undefined;

interface TargetTask {
  readonly subject: Subject;
  run(unit: JobUnit): Promise<Damaged>;
}

interface TargetTasks {
  readonly tasks: readonly TargetTask[];
  /** Where the step goes on. */
  readonly next: string | undefined;
}

type Step = (tx: ReadTransaction, after: string | undefined, limit: number) => Promise<TargetTasks>;
/** What a membership means for one job; gives `damaged` where the execution can't be read. */
type JobStep = (unit: JobUnit, job: JobRecord, membership: MembershipRecord) => Promise<Damaged>;

/**
 * Queues an execution for a thing that has come into a group of the job, unless it was among the targets before. One that was made
 * anew under a deleted thing's name was not, whatever that one has done.
 */
const join: JobStep = async (unit, job, membership) => {
  // What is not open now walks over its targets when it opens.
  if (job.status !== 'IN_PROGRESS' || job.isOver === true) return undefined;
  const latest = await unit.latest(job.jobId, membership.thingName);
  if (latest === 'damaged') return latest;
  if (latest?.membershipId === membership.membershipId) return undefined;
  const isOfAnother = latest !== undefined && latest.thingId !== membership.thingId && !isPending(latest.status);
  if (latest === undefined || isOfAnother || latest.hasLeft === true || latest.status === 'REMOVED')
    await queueExecution(unit, job, membership, latest);
  return undefined;
};

/** Removes the execution of a thing that has left the targets of the job; one that is a target by another way keeps it. */
const leave: JobStep = async (unit, job, membership) => {
  const { membershipId } = membership;
  const latest = await unit.latest(job.jobId, membership.thingName);
  if (latest === 'damaged') return latest;
  // What another membership has brought goes with that one.
  if (latest?.membershipId !== membershipId) return undefined;
  // A change may be followed twice: what it has removed stays so.
  if (latest.status === 'REMOVED' || latest.hasLeft === true) return undefined;
  const other = await otherWay(unit.tx, job, membership);
  if (other !== undefined) await unit.change(latest, { ...latest, ...other });
  else if (isPending(latest.status)) await endExecution(unit, latest, { status: 'REMOVED' });
  else await unit.change(latest, { ...latest, hasLeft: true, isRetryWaiting: undefined });
  return undefined;
};

/** The thing may have left the group again: the change that says so comes next. */
const joinIfThere: JobStep = async (unit, job, membership) => {
  const current = await unit.tx.get(memberships, [job.accountId, membership.thingName, membership.groupName]);
  return current?.membershipId === membership.membershipId ? join(unit, job, membership) : undefined;
};

/** Does something for the continuous jobs that follow one group of a membership's hierarchy. */
const forJobs =
  (membership: MembershipRecord, groupId: string, work: JobStep): Step =>
  async (tx, after, limit) => {
    const prefix = [membership.accountId, groupId];
    const { items, next } = await tx.scan(jobs, { index: 'following', prefix, after, limit, skipDamaged: true });
    const tasks = items.map((job) => ({
      subject: { jobId: job.jobId, thingName: membership.thingName },
      run: (unit: JobUnit) => work(unit, job, membership),
    }));
    return { tasks, next };
  };

/** Removes what a deleted thing had to do; what one that was made anew under its name has to do stays. */
const removeAll =
  ({ accountId, thingName, thingId }: ThingRecord): Step =>
  async (tx, after, limit) => {
    const scan = { index: 'pending', prefix: [accountId, thingName], after, limit, skipDamaged: true };
    const { items, next } = await tx.scan(executions, scan);
    const tasks = items.map((record) => ({
      subject: record,
      async run(unit: JobUnit): Promise<Damaged> {
        if (record.thingId === thingId) await endExecution(unit, record, { status: 'REMOVED' });
        return undefined;
      },
    }));
    return { tasks, next };
  };

function stepsOf({ left, joined, deleted }: TargetChange): readonly Step[] {
  const forHierarchy = (membership: MembershipRecord | undefined, work: JobStep): readonly Step[] =>
    membership === undefined ? [] : membership.hierarchy.map((groupId) => forJobs(membership, groupId, work));
  return [
    ...forHierarchy(left, leave),
    ...forHierarchy(joined, joinIfThere),
    ...(deleted === undefined ? [] : [removeAll(deleted)]),
  ];
}

/** The tasks of a change that come next, and where it goes on behind them. */
async function nextTasks(
  tx: ReadTransaction,
  change: TargetChange,
  limit: number,
): Promise<{ tasks: readonly TargetTask[]; next: FollowedSoFar | undefined }> {
  const steps = stepsOf(change);
  let { step, after } = change.followed ?? { step: 0 };
  for (let each = steps[step]; each !== undefined; each = steps[step]) {
    const { tasks, next } = await each(tx, after, limit);
    after = next;
    if (after === undefined) step += 1;
    if (tasks.length > 0) return { tasks, next: step < steps.length ? { step, after } : undefined };
  }
  return { tasks: [], next: undefined };
}

/** Follows a change from where it goes on, and looks at as many jobs and executions as there is room for. */
export async function follow(unit: JobUnit, change: TargetChange, room: number): Promise<FollowedPart> {
  let next = change.followed;
  let lookedAt = 0;
  const leftOut: Subject[] = [];
  do {
    const page = await nextTasks(unit.tx, { ...change, followed: next }, room - lookedAt);
    for (const { subject, run } of page.tasks) if ((await run(unit)) === 'damaged') leftOut.push(subject);
    lookedAt += page.tasks.length;
    next = page.next;
  } while (next !== undefined && lookedAt < room);
  return { next, lookedAt, leftOut };
}

/** What a change would go on with, and where it goes on without it. */
export async function passOver(
  tx: ReadTransaction,
  change: TargetChange,
): Promise<{ subject: Subject | undefined; next: FollowedSoFar | undefined }> {
  const { tasks, next } = await nextTasks(tx, change, 1);
  return { subject: tasks[0]?.subject, next };
}
