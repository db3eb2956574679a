/**
 * Follows the members of groups and the things themselves, as a durable subscriber, so that no crash loses a change: continuous
 * jobs take what comes to their targets and give up what leaves them, and the executions of a deleted thing are removed.
 */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import { type MembershipRecord, memberships } from '../registry/groups/store.ts';
import { type ThingRecord, things } from '../registry/store.ts';
import type { Change, Changes, ChangeSubscriber, DurableSubscription } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import type { JobUnit } from './job-unit.ts';
import type { JobWriter } from './job-writer.ts';
import { endExecution, queueExecution } from './lifecycle.ts';
import { isPending } from './states.ts';
import { activeJobs, executions, type JobRecord, jobs } from './store.ts';
import { otherWay } from './targets.ts';

export const jobTargetSubscription: DurableSubscription = { name: 'job-targets', of: [memberships, things] };

/** Jobs, or executions, that one transaction is about. */
const PAGE = 50;

/** Which accounts have had jobs, in memory: changes of all others are not even stored. */
export class AccountsWithJobs {
  readonly #places = new Set<string>();
  #end = (): void => undefined;

  async load(changes: Changes, regions: readonly string[], inRegion: (region: string) => Store): Promise<void> {
    this.#end = changes.on(activeJobs, ({ place }) => void this.#places.add(placeKey(place)));
    for (const region of regions)
      for await (const { items } of pages(inRegion(region), activeJobs, { prefix: [], skipDamaged: true }))
        for (const { accountId } of items) this.#places.add(placeKey({ region, accountId }));
  }

  has(place: Place): boolean {
    return this.#places.has(placeKey(place));
  }

  close(): void {
    this.#end();
  }
}

/** Continuous jobs that follow a group, a page of them. */
const followingJobs = (unit: JobUnit, groupId: string, after: string | undefined) =>
  unit.tx.scan(jobs, { index: 'following', prefix: [unit.place.accountId, groupId], after, limit: PAGE });

/** Queues an execution for a thing that has come into a group of the job, unless it was among the targets before. */
async function join(unit: JobUnit, job: JobRecord, membership: MembershipRecord): Promise<void> {
  // What is not open now walks over its targets when it opens.
  if (job.status !== 'IN_PROGRESS' || job.isOver === true) return;
  const latest = await unit.latest(job.jobId, membership.thingName);
  if (latest?.membershipId === membership.membershipId) return;
  if (latest === undefined || latest.hasLeft === true || latest.status === 'REMOVED')
    await queueExecution(unit, job, membership, latest);
}

/** Removes the execution of a thing that has left the targets of the job; one that is a target by another way keeps it. */
async function leave(unit: JobUnit, job: JobRecord, { thingName, membershipId, groupId }: MembershipRecord): Promise<void> {
  const latest = await unit.latest(job.jobId, thingName);
  // What another membership has brought goes with that one.
  if (latest?.membershipId !== membershipId) return;
  const other = await otherWay(unit.tx, job, thingName, groupId);
  if (other !== undefined) await unit.change(latest, { ...latest, ...other });
  else if (isPending(latest.status)) await endExecution(unit, latest, { status: 'REMOVED' });
  else await unit.change(latest, { ...latest, hasLeft: true, isRetryWaiting: undefined });
}

export interface JobTargetsOptions {
  readonly writer: JobWriter;
  readonly accounts: Pick<AccountsWithJobs, 'has'>;
}

export function jobTargets({ writer, accounts }: JobTargetsOptions): ChangeSubscriber {
  /** Does something for each continuous job that follows a group of the membership's hierarchy. */
  async function forJobs(
    place: Place,
    { hierarchy }: MembershipRecord,
    work: (unit: JobUnit, job: JobRecord) => Promise<void>,
  ): Promise<void> {
    for (const groupId of hierarchy)
      for (let after: string | undefined; ; ) {
        const from = after;
        after = await writer.write(place, async (unit) => {
          const { items, next } = await followingJobs(unit, groupId, from);
          for (const job of items) await work(unit, job);
          return next;
        });
        if (after === undefined) break;
      }
  }

  async function membershipChanged(place: Place, { before, after }: Change<MembershipRecord>): Promise<void> {
    if (before?.membershipId === after?.membershipId) return;
    if (before !== undefined) await forJobs(place, before, (unit, job) => leave(unit, job, before));
    if (after === undefined) return;
    await forJobs(place, after, async (unit, job) => {
      const current = await unit.tx.get(memberships, [place.accountId, after.thingName, after.groupName]);
      // The thing may have left the group again: the change that says so comes next.
      if (current?.membershipId === after.membershipId) await join(unit, job, after);
    });
  }

  /** Removes what a deleted thing had to do. */
  async function thingDeleted(place: Place, { thingName, thingId }: ThingRecord): Promise<void> {
    for (let after: string | undefined; ; ) {
      const scan = { index: 'pending', prefix: [place.accountId, thingName], after, limit: PAGE };
      after = await writer.write(place, async (unit) => {
        const { items, next } = await unit.tx.scan(executions, scan);
        // Another thing that has the name by now keeps what it has to do.
        for (const record of items) if (record.thingId === thingId) await endExecution(unit, record, { status: 'REMOVED' });
        return next;
      });
      if (after === undefined) return;
    }
  }

  return {
    name: jobTargetSubscription.name,
    wants: ({ kind, place, after }) => accounts.has(place) && (kind === memberships.changes || after === undefined),
    async take(changes) {
      for (const change of changes)
        if (change.kind === memberships.changes) await membershipChanged(change.place, change as Change<MembershipRecord>);
        else if (change.after === undefined && change.before !== undefined)
          await thingDeleted(change.place, change.before as ThingRecord);
    },
  };
}
