/**
 * The creation of OTA updates, as due work: the files are looked at, and then stream, job and the update's new status are stored
 * in one transaction. What a crash has held up is done after it.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { checkDocument } from '../jobs/documents.ts';
import { createJob } from '../jobs/new-job.ts';
import type { JobsModule } from '../jobs/open.ts';
import { jobArn } from '../jobs/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { cancel, schedule } from '../store/due-records.ts';
import type { DueHandler, DueItem, Outcome } from '../store/due-work.ts';
import { inspectFiles } from '../streams/new-files.ts';
import type { StreamFileRecord } from '../streams/store.ts';
import { createFileStream } from '../streams/stream-records.ts';
import type { ReadingRoles } from '../streams/stream-files.ts';
import { getStream } from '../streams/streams.ts';
import { otaDocument, type SizedFile } from './job-document.ts';
import { jobIdOf, otaUpdateArn, type OtaUpdateRecord, otaUpdates } from './store.ts';

export interface CreationDeps extends ReadingRoles {
  readonly clock: Clock;
  readonly inRegion: (region: string) => Store;
  readonly jobs: Pick<JobsModule, 'urls' | 'writer'>;
}

const KIND = 'ota-update';
const CONCURRENCY = 8;
/** Attempts while the objects' store can not be reached: half a minute. */
const MAX_ATTEMPTS = 6;

interface CreationItem extends Place {
  readonly otaUpdateId: string;
}

const idOf = ({ region, accountId }: Place, otaUpdateId: string): string => `${region}/${accountId}/${otaUpdateId}`;

/** Has an update made, at once. */
export function scheduleCreation(tx: WriteTransaction, place: Place, otaUpdateId: string, at: number): Promise<void> {
  const { region, accountId } = place;
  const data: CreationItem = { region, accountId, otaUpdateId };
  return schedule(tx, { kind: KIND, id: idOf(place, otaUpdateId), accountId, at, data });
}

export const cancelCreation = (tx: WriteTransaction, place: Place, otaUpdateId: string): Promise<boolean> =>
  cancel(tx, KIND, idOf(place, otaUpdateId));

const isWaiting = (record: OtaUpdateRecord | undefined): record is OtaUpdateRecord =>
  record?.status === 'CREATE_PENDING' || record?.status === 'CREATE_IN_PROGRESS';

/** What the objects are like; none for files of a stream that is there. */
async function objectsOf(deps: CreationDeps, place: Place, update: OtaUpdateRecord): Promise<readonly StreamFileRecord[]> {
  const given = update.files.flatMap(({ fileId, object }) => (object === undefined ? [] : [{ fileId, s3Location: object }]));
  const maxSize = update.stream === undefined ? Number.POSITIVE_INFINITY : undefined;
  const { roleArn, otaUpdateId } = update;
  return inspectFiles(deps, place, { roleArn, sourceArn: otaUpdateArn(place, otaUpdateId) }, given, maxSize);
}

const sized = ({ files }: OtaUpdateRecord, known: readonly StreamFileRecord[]): readonly SizedFile[] =>
  files.map((file) => {
    const found = known.find(({ fileId }) => fileId === file.fileId);
    if (found === undefined) return fail('ResourceNotFoundException', `The stream has no file with the fileId ${file.fileId}`);
    const { bucket, key, version, size } = found;
    return { ...file, object: { bucket, key, version }, size };
  });

async function complete(deps: CreationDeps, place: Place, item: DueItem, update: OtaUpdateRecord): Promise<void> {
  const { accountId } = place;
  const { otaUpdateId, stream, description, roleArn, settings, targets, targetSelection } = update;
  const isNew = stream?.isOwn !== false;
  const known = isNew
    ? await objectsOf(deps, place, update)
    : (await deps.inRegion(place.region).read((tx) => getStream(tx, accountId, stream.streamId))).files;
  const document = otaDocument({ ...update, files: sized(update, known) });
  checkDocument(document);
  await deps.jobs.urls.check(place, jobArn(place, jobIdOf(otaUpdateId)), document, settings.presignedUrls);
  await deps.jobs.writer.write(place, async (unit) => {
    const { tx, now } = unit;
    const current = await tx.get(otaUpdates, [accountId, otaUpdateId]);
    if (!(await item.isHeld(tx)) || !isWaiting(current)) return;
    if (stream?.isOwn === true)
      await createFileStream(tx, place, { streamId: stream.streamId, description, files: known, roleArn }, now);
    else if (stream !== undefined) await getStream(tx, accountId, stream.streamId);
    await createJob(unit, { jobId: jobIdOf(otaUpdateId), settings, document, targets, targetSelection });
    await tx.put(otaUpdates, { ...current, status: 'CREATE_COMPLETE', lastModifiedAt: now });
    await item.settle(tx, 'done');
  });
}

/** What a failure says of the update; undefined for one after which it is tried again. */
function errorInfoOf(error: unknown, failures: number): OtaUpdateRecord['errorInfo'] {
  if (!(error instanceof ThingkeepError)) return undefined;
  const { code, message } = error;
  return code === 'ServiceUnavailableException' && failures + 1 < MAX_ATTEMPTS ? undefined : { code, message };
}

export function otaUpdateCreations(deps: CreationDeps): DueHandler {
  const { clock, inRegion } = deps;
  /** Changes an update that waits, while the item is held; gives it as it is then. */
  const change = (
    item: DueItem,
    members: Pick<OtaUpdateRecord, 'status' | 'errorInfo'>,
  ): Promise<OtaUpdateRecord | undefined> => {
    const { region, accountId, otaUpdateId } = item.data as CreationItem;
    return inRegion(region).write(async (tx) => {
      const record = await tx.get(otaUpdates, [accountId, otaUpdateId]);
      if (!isWaiting(record) || !(await item.isHeld(tx))) return undefined;
      const changed = { ...record, ...members, lastModifiedAt: clock.now() };
      await tx.put(otaUpdates, changed);
      return changed;
    });
  };
  return {
    kind: KIND,
    concurrency: CONCURRENCY,
    async take(item: DueItem): Promise<Outcome> {
      const { region, accountId } = item.data as CreationItem;
      const update = await change(item, { status: 'CREATE_IN_PROGRESS' });
      if (update === undefined) return 'done';
      try {
        await complete(deps, { region, accountId }, item, update);
      } catch (error) {
        const errorInfo = errorInfoOf(error, item.failures);
        if (errorInfo === undefined) throw error;
        await change(item, { status: 'CREATE_FAILED', errorInfo });
      }
      return 'done';
    },
  };
}
