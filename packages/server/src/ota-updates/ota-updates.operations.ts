/** CreateOTAUpdate, GetOTAUpdate, ListOTAUpdates, DeleteOTAUpdate. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { beginDeletion } from '../jobs/job-deletion.ts';
import type { JobUnit } from '../jobs/job-unit.ts';
import { refuseJobTwin } from '../jobs/new-job.ts';
import type { JobsModule } from '../jobs/open.ts';
import { isActiveJob } from '../jobs/states.ts';
import { jobs as jobRecords } from '../jobs/store.ts';
import { resolveTargets } from '../jobs/targets.ts';
import type { PolicyTags } from '../policies/principals.ts';
import { callerRights } from '../provisioning/rights.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { countRecords } from '../store/record-counts.ts';
import { streams } from '../streams/store.ts';
import { removeFileStream } from '../streams/stream-records.ts';
import { getStream } from '../streams/streams.ts';
import { cancelCreation, scheduleCreation } from './creation.ts';
import { describedUpdate, listedUpdate } from './descriptions.ts';
import { newUpdate } from './new-update.ts';
import { jobIdOf, otaUpdateArn, type OtaUpdateRecord, otaUpdates, userOfStream } from './store.ts';

export interface OtaUpdateOperationDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly jobs: Pick<JobsModule, 'writer'>;
}

/** OTA updates of an account in a region. */
const MAX_UPDATES = 10_000;
const PAGE = 100;

type Operations = Handlers<Pick<IotOperations, 'CreateOTAUpdate' | 'GetOTAUpdate' | 'ListOTAUpdates' | 'DeleteOTAUpdate'>>;

async function getUpdate(tx: ReadTransaction, accountId: string, otaUpdateId: string): Promise<OtaUpdateRecord> {
  const found = await tx.get(otaUpdates, [accountId, otaUpdateId]);
  return found ?? fail('ResourceNotFoundException', `The OTA update ${otaUpdateId} does not exist`);
}

/** Fails for what is known by now to keep the update from being made. */
async function refuseNew(tx: ReadTransaction, caller: Caller, update: OtaUpdateRecord): Promise<void> {
  const { accountId, otaUpdateId, stream, targets } = update;
  const resourceArn = otaUpdateArn(caller, otaUpdateId);
  if ((await tx.get(otaUpdates, [accountId, otaUpdateId])) !== undefined)
    fail('ResourceAlreadyExistsException', `The OTA update ${otaUpdateId} already exists`, {
      resourceId: otaUpdateId,
      resourceArn,
    });
  await refuseJobTwin({ place: caller, job: (jobId) => tx.get(jobRecords, [accountId, jobId]) }, jobIdOf(otaUpdateId));
  await resolveTargets(tx, caller, targets);
  if (stream?.isOwn === false) await getStream(tx, accountId, stream.streamId);
}

/** Deletes the job of an update that has one. */
async function deleteJobOf(unit: JobUnit, { otaUpdateId }: OtaUpdateRecord, isForced: boolean): Promise<void> {
  const job = await unit.job(jobIdOf(otaUpdateId));
  if (job === undefined || job.status === 'DELETION_IN_PROGRESS') return;
  if (isActiveJob(job.status) && !isForced)
    fail('InvalidRequestException', `Job ${job.jobId} is in the state ${job.status}: it is deleted with forceDeleteAWSJob alone`);
  await beginDeletion(unit, job).catch((error: unknown) => {
    if (error instanceof ThingkeepError && error.code === 'LimitExceededException')
      return fail('ThrottlingException', error.message, {}, error);
    throw error;
  });
}

export const otaUpdateOperations = ({ store, clock, tags, jobs }: OtaUpdateOperationDeps): Operations => ({
  async CreateOTAUpdate(input, caller) {
    const { accountId } = caller;
    const rights = await callerRights(caller);
    const update = newUpdate(input, caller, clock.now());
    const { otaUpdateId, targets, targetSelection, stream, roleArn } = update;
    const arn = otaUpdateArn(caller, otaUpdateId);
    await store.write(async (tx) => {
      await rights.must(tx, caller, 'CreateJob', { jobId: jobIdOf(otaUpdateId), targets, targetSelection });
      if (stream?.isOwn === true) await rights.must(tx, caller, 'CreateStream', { streamId: stream.streamId, roleArn });
      await refuseNew(tx, caller, update);
      if ((await countRecords(tx, accountId, otaUpdates.name, 1)) > MAX_UPDATES)
        fail('LimitExceededException', `An account has at most ${MAX_UPDATES} OTA updates`);
      await tx.put(otaUpdates, update);
      if (input.tags !== undefined) await tags.put(tx, accountId, arn, input.tags);
      await scheduleCreation(tx, caller, otaUpdateId, clock.now());
    });
    return { otaUpdateId, otaUpdateArn: arn, otaUpdateStatus: update.status };
  },

  async GetOTAUpdate({ otaUpdateId = '' }, caller) {
    const update = await store.read((tx) => getUpdate(tx, caller.accountId, otaUpdateId));
    return { otaUpdateInfo: describedUpdate(caller, update) };
  },

  async ListOTAUpdates({ maxResults = PAGE, nextToken, otaUpdateStatus }, caller) {
    const { accountId } = caller;
    const order =
      otaUpdateStatus === undefined ? { prefix: [accountId] } : { index: 'byStatus', prefix: [accountId, otaUpdateStatus] };
    const scan = { ...order, after: nextToken, limit: maxResults, skipDamaged: true };
    const { items, next } = await store.read((tx) => tx.scan(otaUpdates, scan));
    return { otaUpdates: items.map((update) => listedUpdate(caller, update)), nextToken: next };
  },

  async DeleteOTAUpdate({ otaUpdateId = '', deleteStream = false, forceDeleteAWSJob = false }, caller) {
    const { accountId, region } = caller;
    const rights = await callerRights(caller);
    await jobs.writer.write({ accountId, region }, async (unit) => {
      const { tx } = unit;
      const update = await getUpdate(tx, accountId, otaUpdateId);
      await cancelCreation(tx, caller, otaUpdateId);
      if (update.status === 'CREATE_COMPLETE') {
        await rights.must(tx, caller, 'DeleteJob', { jobId: jobIdOf(otaUpdateId), force: forceDeleteAWSJob });
        await deleteJobOf(unit, update, forceDeleteAWSJob);
      }
      const { stream } = update;
      const isThere = stream?.isOwn === true && (await tx.get(streams, [accountId, stream.streamId])) !== undefined;
      if (deleteStream && isThere) {
        await rights.must(tx, caller, 'DeleteStream', { streamId: stream.streamId });
        const other = await userOfStream(tx, accountId, stream.streamId, otaUpdateId);
        if (other !== undefined)
          fail('InvalidRequestException', `The stream ${stream.streamId} is in use by the OTA update ${other.otaUpdateId}`);
        await removeFileStream(tx, tags, caller, stream.streamId);
      }
      await tx.delete(otaUpdates, [accountId, otaUpdateId]);
      await countRecords(tx, accountId, otaUpdates.name, -1);
      await tags.remove(tx, accountId, otaUpdateArn(caller, otaUpdateId));
    });
    return {};
  },
});
