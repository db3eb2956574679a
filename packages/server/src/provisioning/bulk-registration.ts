/**
 * Does bulk registration tasks (developer guide, page bulk-provisioning): a template is executed for each line of an object,
 * with the rights of the task's role. A line's resources, its result and the task's progress are one transaction: whatever ends
 * the process, a line is done once. Tasks are due work, so that another server goes on with one whose server has died.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { messageOf, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import type { DeviceIssuer, IssuedCertificate } from '../authority/authority.ts';
import { ObjectFault, type OpenedObject, type RoleObjects } from '../objects/contract.ts';
import type { Clock } from '../runtime/clock.ts';
import { restsOf } from '../runtime/rests.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { schedule } from '../store/due-records.ts';
import type { DueHandler, DueItem, Outcome } from '../store/due-work.ts';
import { issueFor, provision, type Provisioned } from './execution.ts';
import { planOf, type ProvisioningPlan } from './plan.ts';
import { inputLines, parametersOf } from './registration-lines.ts';
import { expiredRegistration } from './registration-expiry.ts';
import {
  isUnderWay,
  REGISTRATION_KIND,
  type RegistrationItem,
  registrationErrors,
  registrationResults,
  type RegistrationTaskRecord,
  registrationTasks,
} from './registration-tasks.ts';
import { type ProvisioningRights, roleRights } from './rights.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { readTemplate, type ProvisioningTemplate } from './template.ts';

export interface BulkRegistrationDeps {
  readonly clock: Clock;
  readonly issuer: Pick<DeviceIssuer, 'prepareFromCsr' | 'issue'>;
  readonly inRegion: (region: string) => Store;
  readonly findRole: FindRole;
  readonly roleObjects: RoleObjects;
  readonly disk: { readonly low: boolean };
}

/** A line on its way: what it makes, or why it makes nothing. */
interface PreparedLine {
  readonly number: number;
  readonly end: number;
  readonly plan?: ProvisioningPlan;
  readonly issued?: IssuedCertificate | undefined;
  readonly fault?: string;
}

/** Lines of one transaction: few, so that it does not hold others up. */
const BATCH = 10;
/** Lines that are read in one turn of the event loop, those without anything in them too. */
const READ_IN_TURN = 500;
/**
 * Milliseconds until a task makes way: as many tasks as are under way would keep those of others out for as long as they last.
 */
const MAX_TURN = 20_000;
/** Attempts to read an input that is there and can't be read. */
const MAX_ATTEMPTS = 5;
/** Milliseconds until a task goes on that the full disk has stopped. */
const DISK_PAUSE = 30_000;

/** Errors that pass: a line is not to blame for them. */
const PASSING: ReadonlySet<string> = new Set(['InternalFailureException', 'ServiceUnavailableException', 'ThrottlingException']);

/** Why a line or a task fails, as its owner may read it; undefined for what may pass. */
const reasonOf = (error: unknown): string | undefined =>
  error instanceof ThingkeepError && !PASSING.has(error.code) ? error.message : undefined;

const bytesOf = (json: object): Buffer => Buffer.from(`${JSON.stringify(json)}\n`);

/** A task that can't go on. */
class TaskFault extends Error {
  override readonly name = 'TaskFault';
}

/** The task is another's now, has been stopped, or the server ends. */
class TaskLeft extends Error {
  override readonly name = 'TaskLeft';
}

/** All that a task's lines are done with. */
interface Work {
  readonly item: DueItem;
  readonly place: Place;
  readonly taskId: string;
  readonly store: Store;
  readonly template: ProvisioningTemplate;
  readonly rights: ProvisioningRights;
}

export const bulkRegistration = (deps: BulkRegistrationDeps): DueHandler => {
  const { clock, issuer, inRegion, findRole, roleObjects, disk } = deps;

  async function open(place: Place, task: RegistrationTaskRecord): Promise<OpenedObject> {
    try {
      const permissions = await findRole(place.accountId, task.roleArn, IOT_SERVICE);
      if (permissions === 'unknown-role') throw new TaskFault(`The role ${task.roleArn} does not exist.`);
      const name = { bucket: task.bucket, key: task.key };
      const opened = await roleObjects.open({ place, roleArn: task.roleArn, permissions }, name, task.offset);
      if (task.etag === undefined || opened.etag === task.etag) return opened;
      opened[Symbol.dispose]();
      throw new TaskFault('The input file has changed since the task began to read it.');
    } catch (error) {
      if (error instanceof ObjectFault && error.code !== 'ServiceUnavailable' && error.code !== 'SlowDown')
        throw new TaskFault(`The input file s3://${task.bucket}/${task.key} can not be read: ${error.message}`);
      const reason = reasonOf(error);
      throw reason === undefined ? error : new TaskFault(reason);
    }
  }

  async function prepare({ template }: Work, number: number, end: number, text: string | undefined): Promise<PreparedLine> {
    try {
      const plan = planOf(template, parametersOf(text));
      return { number, end, plan, issued: await issueFor(plan, issuer) };
    } catch (error) {
      const fault = reasonOf(error);
      if (fault === undefined) throw error;
      return { number, end, fault };
    }
  }

  /** The task as it is, in a transaction of its holder's; leaves it where it is another's or is to be stopped. */
  async function held(tx: WriteTransaction, { item, place, taskId }: Work): Promise<RegistrationTaskRecord> {
    if (!(await item.isHeld(tx))) throw new TaskLeft();
    const task = await tx.get(registrationTasks, [place.accountId, taskId]);
    if (task?.status !== 'InProgress') throw new TaskLeft();
    return task;
  }

  /** Notes a line's result and the progress in the transaction of what it has made. */
  async function note(
    tx: WriteTransaction,
    task: RegistrationTaskRecord,
    line: PreparedLine,
    made?: Provisioned,
  ): Promise<RegistrationTaskRecord> {
    const { number, end, fault } = line;
    const isDone = made !== undefined;
    const result = isDone
      ? { line: number, response: { certificatePem: made.certificate?.certificatePem, resourceArns: made.resourceArns } }
      : { line: number, message: fault };
    await tx.putRows(isDone ? registrationResults : registrationErrors, [
      { owner: task.owner, at: number, value: bytesOf(result) },
    ]);
    const counted = isDone ? { successCount: task.successCount + 1 } : { failureCount: task.failureCount + 1 };
    return { ...task, ...counted, line: number, offset: end, lastModifiedAt: clock.now() };
  }

  /** Does lines in one transaction; the error of the first that fails tells which it was. */
  async function doLines(work: Work, lines: readonly PreparedLine[]): Promise<void> {
    const { store, place, rights } = work;
    await store.write(async (tx) => {
      let task = await held(tx, work);
      for (const line of lines) {
        const { plan, issued } = line;
        const made = plan === undefined ? undefined : await provision(tx, plan, { place, now: clock.now(), rights, issued });
        task = await note(tx, task, line, made);
      }
      await tx.put(registrationTasks, task);
    });
  }

  /** Lines together, as most fail not at all; one by one where one has failed. */
  async function doBatch(work: Work, lines: readonly PreparedLine[]): Promise<void> {
    if (work.item.signal.aborted || disk.low) throw new TaskLeft();
    try {
      return await doLines(work, lines);
    } catch (error) {
      if (reasonOf(error) === undefined) throw error;
    }
    for (const line of lines)
      try {
        await doLines(work, [line]);
      } catch (error) {
        const fault = reasonOf(error);
        if (fault === undefined) throw error;
        await doLines(work, [{ number: line.number, end: line.end, fault }]);
      }
  }

  /** Ends a task whose lines are done. */
  const complete = (work: Work, size: number): Promise<void> =>
    work.store.write(async (tx) => {
      const done = await held(tx, work);
      await tx.put(registrationTasks, { ...done, status: 'Completed', offset: size, lastModifiedAt: clock.now() });
      await schedule(tx, expiredRegistration(work.place, work.taskId, clock.now()));
    });

  async function doTask(work: Work, task: RegistrationTaskRecord): Promise<void> {
    const { store, place } = work;
    // The process has ended between the last line and the task's end: S3 has no range that begins at an object's end.
    if (task.size !== undefined && task.offset >= task.size) return complete(work, task.size);
    using opened = await open(place, task);
    const { size, etag, content } = opened;
    await store.write(async (tx) => tx.put(registrationTasks, { ...(await held(tx, work)), size, etag }));
    const rest = restsOf(clock);
    let batch: PreparedLine[] = [];
    let { line } = task;
    const began = clock.monotonic();
    for await (const { text, end: offset } of inputLines(content, task.offset)) {
      line += 1;
      if (text?.trim() !== '') batch.push(await prepare(work, line, offset, text));
      const isOver = clock.monotonic() - began >= MAX_TURN;
      if (batch.length >= BATCH || (isOver && batch.length > 0)) {
        await doBatch(work, batch);
        batch = [];
      } else if (line % READ_IN_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      await rest();
      if (!isOver) continue;
      const done = line;
      await store.write(async (tx) => tx.put(registrationTasks, { ...(await held(tx, work)), line: done, offset }));
      throw new TaskLeft();
    }
    if (batch.length > 0) await doBatch(work, batch);
    await complete(work, size);
  }

  /** Ends a task that is stopped, or that can't go on. */
  async function end(place: Place, taskId: string, ended: Pick<RegistrationTaskRecord, 'status' | 'message'>): Promise<Outcome> {
    await inRegion(place.region).write(async (tx) => {
      const task = await tx.get(registrationTasks, [place.accountId, taskId]);
      if (task === undefined || !isUnderWay(task)) return;
      await tx.put(registrationTasks, { ...task, ...ended, lastModifiedAt: clock.now() });
      await schedule(tx, expiredRegistration(place, taskId, clock.now()));
    });
    return 'done';
  }

  async function take(item: DueItem): Promise<Outcome> {
    const { region, accountId, taskId } = item.data as RegistrationItem;
    const place = { region, accountId };
    const store = inRegion(region);
    const task = await store.read((tx) => tx.get(registrationTasks, [accountId, taskId]));
    if (task === undefined || !isUnderWay(task)) return 'done';
    if (task.status === 'Cancelling') return end(place, taskId, { status: 'Cancelled' });
    try {
      const rights = await roleRights(findRole, place, task.roleArn);
      const template = readTemplate(task.templateBody, 'registration');
      await doTask({ item, place, taskId, store, template, rights }, task);
      return 'done';
    } catch (error) {
      if (error instanceof TaskLeft) {
        const now = await store.read((tx) => tx.get(registrationTasks, [accountId, taskId]));
        if (now?.status === 'Cancelling') return end(place, taskId, { status: 'Cancelled' });
        return { again: clock.now() + (disk.low ? DISK_PAUSE : 0) };
      }
      const isLast = error instanceof ObjectFault && item.failures >= MAX_ATTEMPTS;
      const reason = error instanceof TaskFault || isLast ? messageOf(error) : reasonOf(error);
      if (reason === undefined) throw error;
      return end(place, taskId, { status: 'Failed', message: reason });
    }
  }

  return { kind: REGISTRATION_KIND, concurrency: 4, take };
};
