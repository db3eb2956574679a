/** Streams as the API shows them. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { fileStreamArn, type StreamRecord, streams } from './store.ts';

/** API reference, StreamVersion. */
export const MAX_STREAM_VERSION = 65_535;

export async function getStream(tx: ReadTransaction, accountId: string, streamId: string): Promise<StreamRecord> {
  const found = await tx.get(streams, [accountId, streamId]);
  return found ?? fail('ResourceNotFoundException', `The stream ${streamId} does not exist`);
}

export const streamSummary = (
  place: Place,
  { streamId, description, version }: Pick<StreamRecord, 'streamId' | 'description' | 'version'>,
) => ({ streamId, streamArn: fileStreamArn(place, streamId), description, streamVersion: version });

export const describedStream = (place: Place, record: StreamRecord) => ({
  ...streamSummary(place, record),
  files: record.files.map(({ fileId, bucket, key, version }) => ({ fileId, s3Location: { bucket, key, version } })),
  createdAt: new Date(record.createdAt),
  lastUpdatedAt: new Date(record.lastUpdatedAt),
  roleArn: record.roleArn,
});
