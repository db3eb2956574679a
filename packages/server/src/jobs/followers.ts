/**
 * Follows the members of groups and the things themselves, as a durable subscriber, so that no crash loses a change. What is done
 * in one transaction is done at once; longer work is put off, as due work of its account, so that no account waits for another:
 * the changes of an account stay in their order.
 */
import { iotArn, type Place, placeKey } from '@thingkeep/wire/arn.ts';
import { type MembershipRecord, memberships } from '../registry/groups/store.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { type ThingRecord, things } from '../registry/store.ts';
import { isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Change, Changes, ChangeSubscriber, DurableSubscription } from '../store/changes.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { DamagedRecordError } from '../store/damage.ts';
import { dueRecords, schedule } from '../store/due-records.ts';
import type { DueHandler, DueItem, Outcome } from '../store/due-work.ts';
import { pages } from '../store/pages.ts';
import type { JobWriter } from './job-writer.ts';
import { activeJobs, type TargetChange, targetChanges } from './store.ts';
import { follow, passOver, type Subject } from './target-changes.ts';

export const jobTargetSubscription: DurableSubscription = { name: 'job-targets', of: [memberships, things] };

/** Jobs, or executions, that one transaction is about; and those that one account has at once of what is handed on together. */
const PAGE = 50;
/** Due work: the changes of an account that were put off. */
const KIND = 'job-targets';
/** Accounts whose changes are followed at a time, and transactions of one until another has its turn. */
const CONCURRENCY = 64;
const TRANSACTIONS = 200;
/** Attempts after which what fails is looked at job by job, and left out. */
const MAX_FAILURES = 3;

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

export interface JobTargetsOptions {
  readonly clock: Clock;
  readonly writer: JobWriter;
  readonly inRegion: (region: string) => Store;
  readonly refuse: (refusal: Refusal) => void;
  readonly accounts: Pick<AccountsWithJobs, 'has'>;
}

const itemId = ({ region, accountId }: Place): string => `${region}/${accountId}`;

/** What a change means for jobs; undefined where it means nothing. */
function targetChangeOf({ kind, number, place: { accountId }, before, after }: Change<object>): TargetChange | undefined {
  if (kind !== memberships.changes)
    return after === undefined && before !== undefined ? { accountId, number, deleted: before as ThingRecord } : undefined;
  const [left, joined] = [before, after] as readonly (MembershipRecord | undefined)[];
  return left?.membershipId === joined?.membershipId ? undefined : { accountId, number, left, joined };
}

/** Tells the owner what was left out. */
const tellLeftOut = (refuse: JobTargetsOptions['refuse'], place: Place, { jobId, thingName }: Subject, why: string): void =>
  refuse({
    check: 'limit',
    protocol: 'api',
    ...place,
    resource: iotArn(place, 'job', jobId),
    reason: `A change of the targets of job ${jobId} was not followed for thing ${thingName}: ${why}`,
  });

const DAMAGED = 'its execution is damaged; DeleteJobExecution with force removes it';

export function jobTargets({ clock, writer, inRegion, refuse, accounts }: JobTargetsOptions): ChangeSubscriber {
  /** Follows a change where nothing of its account waits and one transaction is enough; gives what is left of the room. */
  async function followNow(place: Place, change: TargetChange, room: number): Promise<number | 'waits'> {
    try {
      const followed = await writer.write(place, async (unit) =>
        (await unit.tx.get(dueRecords, [KIND, itemId(place)])) === undefined ? follow(unit, change, room) : undefined,
      );
      for (const each of followed?.leftOut ?? []) tellLeftOut(refuse, place, each, DAMAGED);
      return followed === undefined || followed.next !== undefined ? 'waits' : room - followed.lookedAt - 1;
    } catch (error) {
      // What fails for another reason than the disk holds up its account alone.
      if (isDiskRefusal(error)) throw error;
      return 'waits';
    }
  }

  const putOff = (place: Place, changes: readonly TargetChange[]): Promise<void> =>
    inRegion(place.region).write(async (tx) => {
      for (const change of changes) await tx.put(targetChanges, change);
      const { accountId } = place;
      const id = itemId(place);
      if ((await tx.get(dueRecords, [KIND, id])) === undefined) {
        const now = clock.now();
        await schedule(tx, { kind: KIND, id, accountId, at: now, scheduledAt: now, data: { ...place } });
      }
    });

  return {
    name: jobTargetSubscription.name,
    wants: ({ kind, place, after }) => accounts.has(place) && (kind === memberships.changes || after === undefined),
    async take(changes) {
      const rooms = new Map<string, number>();
      const waiting = new Map<string, { readonly place: Place; readonly changes: TargetChange[] }>();
      for (const each of changes) {
        const { place } = each;
        const change = targetChangeOf(each);
        if (change === undefined) continue;
        const key = placeKey(place);
        const behind = waiting.get(key);
        if (behind !== undefined) {
          behind.changes.push(change);
          continue;
        }
        const room = rooms.get(key) ?? PAGE;
        const left = room > 0 ? await followNow(place, change, room) : 'waits';
        if (left === 'waits') waiting.set(key, { place, changes: [change] });
        else rooms.set(key, left);
      }
      for (const { place, changes: put } of waiting.values()) await putOff(place, put);
    },
  };
}

/** The first change of an account that was put off; those that are damaged are removed. */
async function firstOf(tx: WriteTransaction, accountId: string): Promise<TargetChange | undefined> {
  for (;;)
    try {
      return (await tx.scan(targetChanges, { prefix: [accountId], limit: 1 })).items[0];
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      const [, ...key] = error.damage.key;
      if (!(await tx.delete(targetChanges, key))) throw error;
    }
}

async function store(tx: WriteTransaction, change: TargetChange, followed: TargetChange['followed']): Promise<void> {
  if (followed === undefined) await tx.delete(targetChanges, [change.accountId, change.number]);
  else await tx.put(targetChanges, { ...change, followed });
}

/** Follows the changes that were put off, the accounts beside each other. */
export function waitingJobTargets({ clock, writer, inRegion, refuse }: Omit<JobTargetsOptions, 'accounts'>): DueHandler {
  /** Follows the first change by as many jobs; false once there is none, or the item is another's. */
  const followFirst = (place: Place, item: DueItem, room: number): Promise<boolean> =>
    writer
      .write(place, async (unit) => {
        if (!(await item.isHeld(unit.tx))) return undefined;
        const change = await firstOf(unit.tx, place.accountId);
        if (change === undefined) {
          await item.settle(unit.tx, 'done');
          return undefined;
        }
        const { next, leftOut } = await follow(unit, change, room);
        await store(unit.tx, change, next);
        return leftOut;
      })
      .then((leftOut) => {
        for (const each of leftOut ?? []) tellLeftOut(refuse, place, each, DAMAGED);
        return leftOut !== undefined;
      });

  /** Leaves out the next job of the first change. */
  async function leaveOut(place: Place, error: unknown): Promise<void> {
    const left = await inRegion(place.region).write(async (tx) => {
      const change = await firstOf(tx, place.accountId);
      if (change === undefined) return undefined;
      const { next, subject } = await passOver(tx, change);
      await store(tx, change, next);
      return subject;
    });
    if (left !== undefined) tellLeftOut(refuse, place, left, error instanceof Error ? error.message : String(error));
  }

  return {
    kind: KIND,
    concurrency: CONCURRENCY,
    async take(item: DueItem): Promise<Outcome> {
      const place = item.data as Place;
      for (let done = 0; done < TRANSACTIONS && !item.signal.aborted; done += 1) {
        const isCareful = item.failures >= MAX_FAILURES && done < PAGE;
        try {
          if (!(await followFirst(place, item, isCareful ? 1 : PAGE))) return 'done';
        } catch (error) {
          if (!isCareful || isDiskRefusal(error) || item.signal.aborted) throw error;
          await leaveOut(place, error);
        }
      }
      return { again: clock.now() };
    },
  };
}
