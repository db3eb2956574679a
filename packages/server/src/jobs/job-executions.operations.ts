/** Operations of the control plane on single executions, and their lists by job and by thing. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { filteredPage, PAGE } from '../registry/paging.ts';
import { getThing, thingArn } from '../registry/things.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { DamagedRecordError } from '../store/damage.ts';
import { JobRejection } from './device-jobs.ts';
import { checkDetails } from './device-requests.ts';
import { readJob } from './find-job.ts';
import { describedJobExecution, listedExecution } from './job-descriptions.ts';
import type { JobWriter } from './job-writer.ts';
import { endExecution } from './lifecycle.ts';
import { isPending } from './states.ts';
import { type JobExecutionRecord, executions, findExecution, jobs } from './store.ts';

export interface ExecutionOperationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly writer: JobWriter;
}

type Operations = Handlers<
  Pick<
    IotOperations,
    'DescribeJobExecution' | 'CancelJobExecution' | 'DeleteJobExecution' | 'ListJobExecutionsForJob' | 'ListJobExecutionsForThing'
  >
>;

/** The execution of this number, or the last one of the job on the thing. */
async function getExecution(
  tx: ReadTransaction,
  accountId: string,
  {
    jobId = '',
    thingName = '',
    executionNumber,
  }: { jobId?: string | undefined; thingName?: string | undefined; executionNumber?: number | undefined },
): Promise<JobExecutionRecord> {
  const found = await findExecution(tx, [accountId, jobId, thingName], executionNumber);
  return found ?? fail('ResourceNotFoundException', `Job execution of job ${jobId} on thing ${thingName} does not exist`);
}

/** Status details of a request of the control plane. */
function givenDetails(details: Record<string, string> | undefined): Readonly<Record<string, string>> | undefined {
  if (details === undefined) return undefined;
  try {
    return checkDetails(details);
  } catch (error) {
    if (error instanceof JobRejection) return fail('InvalidRequestException', error.message);
    throw error;
  }
}

const stateFault = ({ jobId, thingName, status }: JobExecutionRecord, what: string): never =>
  fail(
    'InvalidStateTransitionException',
    `The execution of job ${jobId} on thing ${thingName} is in the state ${status}: ${what}`,
  );

export const jobExecutionOperations = ({ store, clock, writer }: ExecutionOperationsOptions): Operations => ({
  async DescribeJobExecution(input, caller) {
    const record = await store.read((tx) => getExecution(tx, caller.accountId, input));
    return { execution: describedJobExecution(caller, record, clock.now()) };
  },

  async CancelJobExecution({ jobId = '', thingName = '', force = false, expectedVersion, statusDetails }, caller) {
    const { accountId, region } = caller;
    const details = givenDetails(statusDetails);
    await writer.write({ accountId, region }, async (unit) => {
      const record = await getExecution(unit.tx, accountId, { jobId, thingName });
      if (expectedVersion !== undefined && expectedVersion !== record.versionNumber)
        fail('VersionConflictException', `The version of the execution is ${record.versionNumber}, not ${expectedVersion}`);
      if (!isPending(record.status)) stateFault(record, 'it has ended');
      const isForced = record.status === 'IN_PROGRESS';
      if (isForced && !force) stateFault(record, 'it can be canceled with force alone');
      await endExecution(unit, record, {
        status: 'CANCELED',
        statusDetails: details,
        forceCanceled: isForced ? true : undefined,
      });
    });
    return {};
  },

  async DeleteJobExecution({ jobId = '', thingName = '', executionNumber, force = false }, { accountId, region }) {
    await writer.write({ accountId, region }, async (unit) => {
      const named = { jobId, thingName, executionNumber: executionNumber ?? -1 };
      const record = await getExecution(unit.tx, accountId, named).catch(async (error: unknown) => {
        if (force && (await unit.removeDamaged(error))) return undefined;
        if (error instanceof DamagedRecordError)
          fail('InvalidStateTransitionException', `${error.message} The execution can be deleted with force.`);
        throw error;
      });
      if (record === undefined) return;
      if (isPending(record.status) && !force) stateFault(record, 'it can be deleted with force, or once it has ended');
      await unit.change(record, undefined);
    });
    return {};
  },

  async ListJobExecutionsForJob({ jobId = '', status, maxResults: limit = PAGE, nextToken: after }, caller) {
    const { accountId } = caller;
    return store.read(async (tx) => {
      await readJob(tx, accountId, jobId);
      const order =
        status === undefined ? { prefix: [accountId, jobId] } : { index: 'byStatus', prefix: [accountId, jobId, status] };
      const { items, next } = await tx.scan(executions, { ...order, limit, after, skipDamaged: true });
      const executionSummaries = items.map((record) => ({
        thingArn: thingArn(caller, record.thingName),
        jobExecutionSummary: listedExecution(record),
      }));
      return { executionSummaries, nextToken: next };
    });
  },

  async ListJobExecutionsForThing(input, { accountId }) {
    const { thingName = '', status, namespaceId, jobId, maxResults: limit = PAGE, nextToken: after } = input;
    return store.read(async (tx) => {
      await getThing(tx, accountId, thingName);
      const order =
        jobId !== undefined
          ? { prefix: [accountId, jobId, thingName] }
          : status !== undefined
            ? { index: 'byThingAndStatus', prefix: [accountId, thingName, status] }
            : { index: 'byThing', prefix: [accountId, thingName] };
      const page = await filteredPage(
        tx,
        executions,
        { ...order, reverse: true, limit, after },
        (record) => status === undefined || record.status === status,
      );
      const namespaces =
        namespaceId === undefined
          ? undefined
          : await tx.getMany(
              jobs,
              page.items.map((each) => [accountId, each.jobId]),
            );
      const items = page.items.filter((_, i) => namespaces === undefined || namespaces[i]?.namespaceId === namespaceId);
      const executionSummaries = items.map((record) => ({ jobId: record.jobId, jobExecutionSummary: listedExecution(record) }));
      return { executionSummaries, nextToken: page.next };
    });
  },
});
