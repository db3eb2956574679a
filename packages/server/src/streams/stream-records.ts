/** Streams as they are stored and removed, whichever operation asks for it. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import { countRecords } from '../store/record-counts.ts';
import { fileStreamArn, type StreamRecord, streams } from './store.ts';

/** Streams of an account in a region. */
const MAX_STREAMS = 10_000;

/** Fails where there is a stream of this id. */
export async function refuseStreamTwin(tx: ReadTransaction, place: Place, streamId: string): Promise<void> {
  if ((await tx.get(streams, [place.accountId, streamId])) !== undefined)
    fail('ResourceAlreadyExistsException', `The stream ${streamId} already exists`, {
      resourceId: streamId,
      resourceArn: fileStreamArn(place, streamId),
    });
}

type NewStream = Omit<StreamRecord, 'accountId' | 'version' | 'createdAt' | 'lastUpdatedAt'>;

/** Stores a new stream, in its first version. */
export async function createFileStream(tx: WriteTransaction, place: Place, given: NewStream, now: number): Promise<StreamRecord> {
  const { accountId } = place;
  await refuseStreamTwin(tx, place, given.streamId);
  if ((await countRecords(tx, accountId, streams.name, 1)) > MAX_STREAMS)
    fail('LimitExceededException', `An account has at most ${MAX_STREAMS} streams`);
  const record: StreamRecord = { ...given, accountId, version: 1, createdAt: now, lastUpdatedAt: now };
  await tx.put(streams, record);
  return record;
}

/** Removes a stream with its tags; it is there. */
export async function removeFileStream(tx: WriteTransaction, tags: PolicyTags, place: Place, streamId: string): Promise<void> {
  const { accountId } = place;
  await tx.delete(streams, [accountId, streamId]);
  await countRecords(tx, accountId, streams.name, -1);
  await tags.remove(tx, accountId, fileStreamArn(place, streamId));
}
