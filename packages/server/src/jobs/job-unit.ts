/**
 * A unit of changes of jobs: one transaction that knows which executions it has changed, so that counts, timers, notifications
 * and events follow from the changes and are forgotten by none.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { things } from '../registry/store.ts';
import type { WriteTransaction } from '../store/contract.ts';
import { DamagedRecordError } from '../store/damage.ts';
import { cancel, schedule } from '../store/due-records.ts';
import { hasUrls } from './document-urls.ts';
import { documentOf } from './read-document.ts';
import { executionEvent, type JobEvent, type JobOperation, jobEvent } from './job-events.ts';
import type { JobMessage } from './outbox.ts';
import { compactJson, MAX_NOTIFIED, notifyNextPayload, notifyPayload } from './payloads.ts';
import { EXECUTION_STATUSES, type ExecutionCounts, type JobExecutionStatus, isPending, NO_EXECUTIONS } from './states.ts';
import { countJobs } from './concurrent-jobs.ts';
import { type JobExecutionRecord, executions, jobCounts, jobDocuments, type JobRecord, jobs } from './store.ts';
import { pendingExecutions } from './pending.ts';
import { timesOutAt } from './timers.ts';

/** Due work: executions that time out, and the next step of each job. */
export const TIMEOUT_KIND = 'job-timeout';
export const JOB_KIND = 'job';

export interface JobItem {
  readonly region: string;
  readonly accountId: string;
  readonly jobId: string;
}

export interface TimeoutItem extends JobItem {
  readonly thingName: string;
  readonly executionNumber: number;
}

/** What is asked outside of the transaction, in memory: who hears of changes. */
export interface Audience {
  /** Whether a message on the topic would go to anybody. */
  hears(place: Place, topic: string): boolean;
  /** Whether the account wants events of this kind. */
  wants(place: Place, kind: JobEvent['kind']): boolean;
}

/** What a thing had to do before the unit, where anybody hears of it. */
interface Touched {
  /** The thing's id; undefined where there is no thing of the name any more. */
  readonly thingId: string | undefined;
  readonly first: string | undefined;
  /** Whether its pending executions are others now. */
  isChanged: boolean;
}

const executionKey = ({ accountId, jobId, thingName, executionNumber }: JobExecutionRecord) =>
  [accountId, jobId, thingName, executionNumber] as const;

const identity = (record: JobExecutionRecord | undefined): string | undefined =>
  record === undefined ? undefined : `${record.jobId}/${record.executionNumber}`;

const topicOf = (thingName: string, name: 'notify' | 'notify-next'): string => `$aws/things/${thingName}/jobs/${name}`;

export class JobUnit {
  readonly tx: WriteTransaction;
  readonly place: Place;
  readonly now: number;
  readonly #audience: Audience;
  readonly #jobs = new Map<string, JobRecord | undefined>();
  /** Jobs that this unit has changed, as they were before. */
  readonly #before = new Map<string, JobRecord | undefined>();
  readonly #deltas = new Map<string, Map<JobExecutionStatus, number>>();
  readonly #counts = new Map<string, ExecutionCounts>();
  readonly #things = new Map<string, Touched>();
  readonly #events: JobEvent[] = [];
  /** Jobs of which executions have ended, or are gone, and that were not looked at since. */
  #ended = new Set<string>();

  constructor(tx: WriteTransaction, place: Place, now: number, audience: Audience) {
    this.tx = tx;
    this.place = place;
    this.now = now;
    this.#audience = audience;
  }

  async job(jobId: string): Promise<JobRecord | undefined> {
    if (!this.#jobs.has(jobId)) this.#jobs.set(jobId, await this.tx.get(jobs, [this.place.accountId, jobId]));
    return this.#jobs.get(jobId);
  }

  /** Stores a job. */
  async putJob(job: JobRecord): Promise<void> {
    await this.#noteBefore(job.jobId);
    this.#jobs.set(job.jobId, job);
    await this.tx.put(jobs, job);
  }

  /** Removes a job with what is kept beside it; its executions are gone by then. */
  async deleteJob(job: JobRecord): Promise<void> {
    const key = [job.accountId, job.jobId];
    await this.#noteBefore(job.jobId);
    this.#jobs.set(job.jobId, undefined);
    this.#counts.delete(job.jobId);
    this.#deltas.delete(job.jobId);
    await this.tx.delete(jobs, key);
    await this.tx.delete(jobDocuments, key);
    await this.tx.delete(jobCounts, key);
  }

  async #noteBefore(jobId: string): Promise<void> {
    const before = await this.job(jobId);
    if (!this.#before.has(jobId)) this.#before.set(jobId, before);
  }

  /** Has the job's next step done at this time. */
  scheduleJob(jobId: string, at = this.now): Promise<void> {
    const { region, accountId } = this.place;
    const data: JobItem = { region, accountId, jobId };
    return schedule(this.tx, {
      kind: JOB_KIND,
      id: `${region}/${accountId}/${jobId}`,
      accountId,
      at,
      scheduledAt: this.now,
      data,
    });
  }

  async unscheduleJob(jobId: string): Promise<void> {
    await cancel(this.tx, JOB_KIND, `${this.place.region}/${this.place.accountId}/${jobId}`);
  }

  /** Executions of the job by status, with those that this unit has changed. */
  async counts(jobId: string): Promise<ExecutionCounts> {
    let counts = this.#counts.get(jobId);
    if (counts === undefined) {
      counts = (await this.tx.get(jobCounts, [this.place.accountId, jobId]))?.counts ?? NO_EXECUTIONS;
      this.#counts.set(jobId, counts);
    }
    const deltas = this.#deltas.get(jobId);
    if (deltas === undefined) return counts;
    const now: Record<JobExecutionStatus, number> = { ...counts };
    for (const status of EXECUTION_STATUSES) now[status] = Math.max(0, counts[status] + (deltas.get(status) ?? 0));
    return now;
  }

  /** The last execution of the job on a thing. */
  async latest(jobId: string, thingName: string): Promise<JobExecutionRecord | 'damaged' | undefined> {
    const scan = { prefix: [this.place.accountId, jobId, thingName], reverse: true, limit: 1, skipDamaged: true };
    const { items, damaged = 0 } = await this.tx.scan(executions, scan);
    return damaged > 0 ? 'damaged' : items[0];
  }

  /** A page of the executions of a job; those that are damaged are removed. */
  async executionsOf(jobId: string, limit: number): Promise<readonly JobExecutionRecord[]> {
    for (;;)
      try {
        return (await this.tx.scan(executions, { prefix: [this.place.accountId, jobId], limit })).items;
      } catch (error) {
        if (!(await this.removeDamaged(error))) throw error;
      }
  }

  /**
   * Removes the execution that an error says is damaged; false where it is about none. What it was at is known from the order of
   * statuses alone.
   */
  async removeDamaged(error: unknown): Promise<boolean> {
    if (!(error instanceof DamagedRecordError) || error.damage.collection !== executions.name) return false;
    const [, ...key] = error.damage.key;
    const [accountId = '', jobId = '', thingName = '', executionNumber = 0] = key as [string, string, string, number];
    if (accountId !== this.place.accountId) return false;
    const status = await this.#statusOfDamaged(jobId, thingName);
    const touched = await this.#touchedThing(thingName);
    if (!(await this.tx.delete(executions, key))) return false;
    if (touched !== undefined && status !== undefined && isPending(status)) touched.isChanged = true;
    this.#count(jobId, status, undefined);
    await cancel(this.tx, TIMEOUT_KIND, [this.place.region, accountId, jobId, thingName, executionNumber].join('/'));
    this.#ended.add(jobId);
    return true;
  }

  async #statusOfDamaged(jobId: string, thingName: string): Promise<JobExecutionStatus | undefined> {
    for (const status of EXECUTION_STATUSES) {
      const scan = { index: 'byStatus', prefix: [this.place.accountId, jobId, status, thingName], skipDamaged: true };
      if (((await this.tx.scan(executions, scan)).damaged ?? 0) > 0) return status;
    }
    return undefined;
  }

  /** What a thing has to do, in its order. */
  pending(thingName: string, limit: number, thingId?: string): Promise<readonly JobExecutionRecord[]> {
    return pendingExecutions(this.tx, this.place.accountId, thingName, limit, thingId);
  }

  /** Stores what has become of an execution: one that is new, changed or gone. */
  async change(before: JobExecutionRecord | undefined, after: JobExecutionRecord | undefined): Promise<void> {
    const record = after ?? before;
    if (record === undefined) return;
    await this.#touch(record.thingName, before, after);
    if (after !== undefined) await this.tx.put(executions, after);
    else await this.tx.delete(executions, executionKey(record));
    this.#count(record.jobId, before?.status, after?.status);
    await this.#time(before, after);
    const isEnd = after === undefined || (!isPending(after.status) && after.status !== before?.status);
    if (!isEnd) return;
    this.#ended.add(record.jobId);
    if (this.#audience.wants(this.place, 'JOB_EXECUTION')) {
      const event = executionEvent(this.place, record, after === undefined, this.now);
      if (event !== undefined) this.#events.push(event);
    }
  }

  /** Tells of a job. */
  async tell(job: JobRecord, operation: JobOperation): Promise<void> {
    if (this.#audience.wants(this.place, 'JOB'))
      this.#events.push(jobEvent(job, operation, this.now, await this.counts(job.jobId)));
  }

  /** Jobs of which executions have ended since last asked. */
  takeEnded(): readonly string[] {
    const ended = [...this.#ended];
    this.#ended = new Set();
    return ended;
  }

  /** Notes the job as one to look at. */
  lookAt(jobId: string): void {
    this.#ended.add(jobId);
  }

  /** Stores the counts, has jobs go on that have waited for others, and gives what is to be published. */
  async finish(): Promise<readonly JobMessage[]> {
    const changed = [...this.#before].map(([jobId, before]) => ({ before, after: this.#jobs.get(jobId) }));
    for (const { jobId } of await countJobs(this.tx, this.place.accountId, changed)) await this.scheduleJob(jobId);
    for (const jobId of this.#deltas.keys())
      await this.tx.put(jobCounts, { accountId: this.place.accountId, jobId, counts: await this.counts(jobId) });
    const messages: JobMessage[] = [];
    for (const [thingName, touched] of this.#things) messages.push(...(await this.#notifications(thingName, touched)));
    return [...messages, ...this.#events];
  }

  #count(jobId: string, before: JobExecutionStatus | undefined, after: JobExecutionStatus | undefined): void {
    if (before === after) return;
    const deltas = this.#deltas.get(jobId) ?? new Map<JobExecutionStatus, number>();
    this.#deltas.set(jobId, deltas);
    if (before !== undefined) deltas.set(before, (deltas.get(before) ?? 0) - 1);
    if (after !== undefined) deltas.set(after, (deltas.get(after) ?? 0) + 1);
  }

  /** Schedules when the execution times out. */
  async #time(before: JobExecutionRecord | undefined, after: JobExecutionRecord | undefined): Promise<void> {
    const deadline = (of: JobExecutionRecord | undefined) => (of?.status === 'IN_PROGRESS' ? timesOutAt(of) : undefined);
    const at = deadline(after);
    const record = after ?? before;
    if (record === undefined || at === deadline(before)) return;
    const { region } = this.place;
    const { accountId, jobId, thingName, executionNumber } = record;
    const id = [region, accountId, jobId, thingName, executionNumber].join('/');
    const data: TimeoutItem = { region, accountId, jobId, thingName, executionNumber };
    if (at === undefined) await cancel(this.tx, TIMEOUT_KIND, id);
    else await schedule(this.tx, { kind: TIMEOUT_KIND, id, accountId, at, data });
  }

  /** Notes what the thing had to do before the first change, where anybody hears of it. */
  async #touch(thingName: string, before: JobExecutionRecord | undefined, after: JobExecutionRecord | undefined): Promise<void> {
    const touched = await this.#touchedThing(thingName);
    if (touched === undefined) return;
    const was = before !== undefined && isPending(before.status);
    const is = after !== undefined && isPending(after.status);
    const isOwn = touched.thingId === undefined || touched.thingId === (after ?? before)?.thingId;
    if (was !== is && isOwn) touched.isChanged = true;
  }

  async #touchedThing(thingName: string): Promise<Touched | undefined> {
    const known = this.#things.get(thingName);
    if (known !== undefined) return known;
    const isHeard = (['notify', 'notify-next'] as const).some((name) =>
      this.#audience.hears(this.place, topicOf(thingName, name)),
    );
    if (!isHeard) return undefined;
    const { thingId } = (await this.tx.get(things, [this.place.accountId, thingName])) ?? {};
    const touched = { thingId, first: identity((await this.pending(thingName, 1, thingId))[0]), isChanged: false };
    this.#things.set(thingName, touched);
    return touched;
  }

  /** `notify` where the pending executions are others now, `notify-next` where the first of them is another. */
  async #notifications(thingName: string, { thingId, first, isChanged }: Touched): Promise<JobMessage[]> {
    const pending = await this.pending(thingName, MAX_NOTIFIED, thingId);
    const messages: JobMessage[] = [];
    if (isChanged) messages.push({ topic: topicOf(thingName, 'notify'), payload: notifyPayload(pending, this.now) });
    const next = pending[0];
    if (identity(next) === first) return messages;
    const topic = topicOf(thingName, 'notify-next');
    const document = next === undefined ? undefined : await documentOf(this.tx, next);
    if (next !== undefined && document !== undefined && hasUrls(document.text))
      return [...messages, { topic, payload: '', unsigned: { execution: next, document, now: this.now } }];
    const json = document === undefined ? undefined : compactJson(document.text);
    return [...messages, { topic, payload: notifyNextPayload(next, json, this.now) }];
  }
}
