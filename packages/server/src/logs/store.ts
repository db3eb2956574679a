/** Records of log groups and streams, and their events as rows. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { collection, rows } from '../store/contract.ts';

/** Times are milliseconds since the epoch. */
export interface LogGroupRecord {
  readonly accountId: string;
  readonly name: string;
  readonly createdAt: number;
  /** Days that events are kept; without a limit of time when absent. */
  readonly retentionDays?: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface LogStreamRecord {
  readonly accountId: string;
  readonly group: string;
  readonly name: string;
  /** Owner of the rows of its events. */
  readonly number: number;
  readonly createdAt: number;
  /** Sequence number of the next row. */
  readonly next: number;
  /** Bytes of all its rows. */
  readonly bytes: number;
  /** Times of its events; absent while it has none. */
  readonly first?: number;
  readonly last?: number;
  readonly ingestedAt?: number;
}

export const logGroups = collection<LogGroupRecord>('log-groups', (g) => [g.accountId, g.name]);
export const logStreams = collection<LogStreamRecord>('log-streams', (s) => [s.accountId, s.group, s.name], {
  byTime: (s) => [[s.accountId, s.group, s.last ?? 0, s.name]],
});

/** Rows of events: each is one batch, a JSON array of `[time, message]`, and the time of its arrival. */
export const logEvents = rows('log-events');

export interface Batch {
  readonly ingestedAt: number;
  readonly events: readonly (readonly [timestamp: number, message: string])[];
}

export const writeBatch = (batch: Batch): Buffer => Buffer.from(JSON.stringify(batch));
export const readBatch = (value: Uint8Array): Batch =>
  JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString()) as Batch;

export const groupArn = ({ region, accountId }: Place, name: string): string =>
  `arn:aws:logs:${region}:${accountId}:log-group:${name}`;

export const streamArn = (place: Place, { group, name }: LogStreamRecord): string =>
  `${groupArn(place, group)}:log-stream:${name}`;
