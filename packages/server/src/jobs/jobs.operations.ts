/** DescribeJob, GetJobDocument, ListJobs, CancelJob, DeleteJob. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { thingGroups } from '../registry/groups/store.ts';
import { filteredPage, PAGE } from '../registry/paging.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { getJob, readJob } from './find-job.ts';
import { beginDeletion } from './job-deletion.ts';
import { countsOf, describedJob, listedJob } from './job-descriptions.ts';
import type { JobWriter } from './job-writer.ts';
import { cancelJob } from './lifecycle.ts';
import { isActiveJob } from './states.ts';
import { jobArn, jobDocuments, jobs } from './store.ts';

export interface JobOperationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly writer: JobWriter;
}

type ListInput = IotOperations['ListJobs']['input'];

/** The id of the group that a list is of; undefined where it is of none, null where there is no such group. */
async function groupIdOf(
  tx: ReadTransaction,
  accountId: string,
  { thingGroupName, thingGroupId }: ListInput,
): Promise<string | undefined | null> {
  if (thingGroupName === undefined) return thingGroupId;
  const group = await tx.get(thingGroups, [accountId, thingGroupName]);
  if (group === undefined) return fail('ResourceNotFoundException', `Thing group ${thingGroupName} does not exist`);
  return thingGroupId === undefined || thingGroupId === group.groupId ? group.groupId : null;
}

type Operations = Handlers<Pick<IotOperations, 'DescribeJob' | 'GetJobDocument' | 'ListJobs' | 'CancelJob' | 'DeleteJob'>>;

export const jobOperations = ({ store, clock, writer }: JobOperationsOptions): Operations => ({
  async DescribeJob({ jobId = '', beforeSubstitution = false }, caller) {
    return store.read(async (tx) => {
      const found = await readJob(tx, caller.accountId, jobId);
      const job = beforeSubstitution ? { ...found, packageVersions: found.givenPackageVersions ?? found.packageVersions } : found;
      const { documentSource } = job;
      return { documentSource, job: describedJob(caller, job, await countsOf(tx, job), clock.now()) };
    });
  },

  async GetJobDocument({ jobId = '', beforeSubstitution = false }, { accountId }) {
    return store.read(async (tx) => {
      await readJob(tx, accountId, jobId);
      const found = await tx.get(jobDocuments, [accountId, jobId]);
      return { document: (beforeSubstitution ? found?.beforeSubstitution : undefined) ?? found?.document };
    });
  },

  async ListJobs(input, caller) {
    const { status, targetSelection, namespaceId, maxResults: limit = PAGE, nextToken: after } = input;
    const { accountId } = caller;
    return store.read(async (tx) => {
      const groupId = await groupIdOf(tx, accountId, input);
      if (groupId === null) return { jobs: [] };
      const order =
        groupId !== undefined
          ? { index: 'byGroup', prefix: [accountId, groupId] }
          : status !== undefined
            ? { index: 'byStatus', prefix: [accountId, status] }
            : { index: 'byCreation', prefix: [accountId] };
      const { items, next } = await filteredPage(
        tx,
        jobs,
        { ...order, reverse: true, limit, after },
        (job) =>
          (status === undefined || job.status === status) &&
          (targetSelection === undefined || job.targetSelection === targetSelection) &&
          (namespaceId === undefined || job.namespaceId === namespaceId),
      );
      return { jobs: items.map((job) => listedJob(caller, job, groupId)), nextToken: next };
    });
  },

  async CancelJob({ jobId = '', reasonCode, comment, force = false }, caller) {
    const { accountId, region } = caller;
    const description = await writer.write({ accountId, region }, async (unit) => {
      const job = await getJob(unit, jobId);
      if (!isActiveJob(job.status))
        fail('InvalidRequestException', `Job ${jobId} is in the state ${job.status} and can not be canceled`);
      return (await cancelJob(unit, job, { force, reasonCode, comment })).description;
    });
    return { jobArn: jobArn(caller, jobId), jobId, description };
  },

  async DeleteJob({ jobId = '', force = false }, { accountId, region }) {
    await writer.write({ accountId, region }, async (unit) => {
      const job = await getJob(unit, jobId);
      if (job.status === 'DELETION_IN_PROGRESS') fail('InvalidStateTransitionException', `Job ${jobId} is being deleted already`);
      if (isActiveJob(job.status) && !force)
        fail(
          'InvalidStateTransitionException',
          `Job ${jobId} is in the state ${job.status}: it can be deleted with force, or once it is completed or canceled`,
        );
      await beginDeletion(unit, job);
    });
    return {};
  },
});
