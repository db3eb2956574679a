/** Records of streams. Times are milliseconds since the epoch. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection } from '../store/contract.ts';

export interface StreamFileRecord {
  readonly fileId: number;
  readonly bucket: string;
  readonly key: string;
  readonly version?: string | undefined;
  /** Bytes, and the ETag, of the object as it was when the stream was created or updated. */
  readonly size: number;
  readonly etag: string;
}

export interface StreamRecord {
  readonly accountId: string;
  readonly streamId: string;
  readonly version: number;
  readonly description?: string | undefined;
  readonly files: readonly StreamFileRecord[];
  readonly roleArn: string;
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
}

export const streams = collection<StreamRecord>('streams', (s) => [s.accountId, s.streamId]);

export const fileStreamArn = (place: Place, streamId: string): string => iotArn(place, 'stream', streamId);
