/**
 * Log groups and streams of CloudWatch Logs: created, listed, kept for a time, tagged, deleted. Source: CloudWatch Logs API
 * reference.
 */
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import {
  groupInArn,
  groupName,
  groupOf,
  type LogsInput,
  optionalInteger,
  optionalMatch,
  optionalTexts,
  optionalToken,
  optionalTruth,
  requiredMatch,
  streamName,
  tagsIn,
} from './input.ts';
import { groupArn, type LogGroupRecord, logGroups, type LogStreamRecord, logStreams, streamArn } from './store.ts';
import { createGroup, createStream, removeStream } from './writer.ts';

export type LogsHandler = (input: LogsInput, caller: Caller) => Promise<object>;

export interface LogsOptions {
  readonly store: Store;
  readonly clock: Clock;
}

/** API reference, PutRetentionPolicy. */
const RETENTIONS: ReadonlySet<number> = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]);
const PAGE = 50;
const PREFIX = /^[^*]{1,512}$/;

export async function existingGroup(tx: ReadTransaction, { accountId }: Place, name: string): Promise<LogGroupRecord> {
  return (
    (await tx.get(logGroups, [accountId, name])) ?? fail('ResourceNotFoundException', 'The specified log group does not exist.')
  );
}

export async function existingStream(tx: ReadTransaction, place: Place, group: string, name: string): Promise<LogStreamRecord> {
  await existingGroup(tx, place, group);
  return (
    (await tx.get(logStreams, [place.accountId, group, name])) ??
    fail('ResourceNotFoundException', 'The specified log stream does not exist.')
  );
}

const describeGroup = (place: Place, { name, createdAt, retentionDays }: LogGroupRecord, storedBytes: number): object => ({
  logGroupName: name,
  creationTime: createdAt,
  retentionInDays: retentionDays,
  metricFilterCount: 0,
  arn: `${groupArn(place, name)}:*`,
  logGroupArn: groupArn(place, name),
  storedBytes,
  logGroupClass: 'STANDARD',
});

const describeStream = (place: Place, stream: LogStreamRecord): object => ({
  logStreamName: stream.name,
  creationTime: stream.createdAt,
  firstEventTimestamp: stream.first,
  lastEventTimestamp: stream.last,
  lastIngestionTime: stream.ingestedAt,
  uploadSequenceToken: String(stream.next),
  arn: streamArn(place, stream),
  storedBytes: 0,
});

const nextToken = (next: string | undefined): { nextToken?: string } => (next === undefined ? {} : { nextToken: next });

export function logGroupOperations({ store, clock }: LogsOptions): Readonly<Record<string, LogsHandler>> {
  async function changeGroup(caller: Caller, name: string, change: (before: LogGroupRecord) => LogGroupRecord): Promise<object> {
    await store.write(async (tx) => tx.put(logGroups, change(await existingGroup(tx, caller, name))));
    return {};
  }

  /** The group that a request names by its ARN; old clients name it by its name. */
  const byArn = (input: LogsInput, caller: Caller): string => {
    const arn = requiredMatch(input, 'resourceArn', /^[\w+=/:,.@*#-]{1,1011}$/);
    return groupInArn(arn, caller) ?? fail('ResourceNotFoundException', 'The specified resource does not exist.');
  };
  const tag =
    (tagged: typeof byArn): LogsHandler =>
    (input, caller) =>
      changeGroup(caller, tagged(input, caller), (group) => ({ ...group, tags: { ...group.tags, ...tagsIn(input, true) } }));
  const untag =
    (member: string, tagged: typeof byArn): LogsHandler =>
    (input, caller) => {
      const keys = optionalTexts(input, member, /^[\s\S]{1,128}$/, 50) ?? [];
      return changeGroup(caller, tagged(input, caller), (group) => ({
        ...group,
        tags: Object.fromEntries(Object.entries(group.tags).filter(([key]) => !keys.includes(key))),
      }));
    };
  const listTags =
    (tagged: typeof byArn): LogsHandler =>
    async (input, caller) => {
      const { tags } = await store.read((tx) => existingGroup(tx, caller, tagged(input, caller)));
      return { tags };
    };

  return {
    async CreateLogGroup(input, caller) {
      const name = groupName(input);
      if (input.kmsKeyId !== undefined) fail('InvalidParameterException', 'There are no KMS keys here.');
      const tags = tagsIn(input, false);
      await store.write(async (tx) => {
        if ((await tx.get(logGroups, [caller.accountId, name])) !== undefined)
          fail('ResourceAlreadyExistsException', 'The specified log group already exists');
        await createGroup(tx, { accountId: caller.accountId, name, createdAt: clock.now(), tags });
      });
      return {};
    },

    async DeleteLogGroup(input, caller) {
      const name = groupName(input);
      await store.write(async (tx) => {
        await existingGroup(tx, caller, name);
        for (const stream of (await tx.scan(logStreams, { skipDamaged: true, prefix: [caller.accountId, name] })).items)
          await removeStream(tx, stream);
        await tx.delete(logGroups, [caller.accountId, name]);
      });
      return {};
    },

    async DescribeLogGroups(input, caller) {
      const prefix = optionalMatch(input, 'logGroupNamePrefix', PREFIX);
      const part = optionalMatch(input, 'logGroupNamePattern', PREFIX)?.toLowerCase();
      const after = optionalToken(input);
      return store.read(async (tx) => {
        const { items, next } = await tx.scan(logGroups, {
          skipDamaged: true,
          prefix: [caller.accountId],
          limit: optionalInteger(input, 'limit', 1, PAGE) ?? PAGE,
          startsWith: prefix,
          after,
        });
        const groups: object[] = [];
        for (const group of items) {
          if (part !== undefined && !group.name.toLowerCase().includes(part)) continue;
          const streams = (await tx.scan(logStreams, { skipDamaged: true, prefix: [caller.accountId, group.name] })).items;
          groups.push(
            describeGroup(
              caller,
              group,
              streams.reduce((sum, { bytes }) => sum + bytes, 0),
            ),
          );
        }
        return { logGroups: groups, ...nextToken(next) };
      });
    },

    async CreateLogStream(input, caller) {
      const group = groupName(input);
      const name = streamName(input);
      await store.write(async (tx) => {
        await existingGroup(tx, caller, group);
        if ((await tx.get(logStreams, [caller.accountId, group, name])) !== undefined)
          fail('ResourceAlreadyExistsException', 'The specified log stream already exists');
        await createStream(tx, caller, group, name, clock.now());
      });
      return {};
    },

    async DeleteLogStream(input, caller) {
      await store.write(async (tx) => removeStream(tx, await existingStream(tx, caller, groupName(input), streamName(input))));
      return {};
    },

    async DescribeLogStreams(input, caller) {
      const group = groupOf(input, caller);
      const prefix = optionalMatch(input, 'logStreamNamePrefix', PREFIX);
      const byTime = optionalMatch(input, 'orderBy', /^(LogStreamName|LastEventTime)$/) === 'LastEventTime';
      if (byTime && prefix !== undefined)
        fail('InvalidParameterException', 'Cannot order by LastEventTime with a logStreamNamePrefix.');
      const after = optionalToken(input);
      return store.read(async (tx) => {
        await existingGroup(tx, caller, group);
        const { items, next } = await tx.scan(logStreams, {
          skipDamaged: true,
          prefix: [caller.accountId, group],
          limit: optionalInteger(input, 'limit', 1, PAGE) ?? PAGE,
          reverse: optionalTruth(input, 'descending'),
          index: byTime ? 'byTime' : undefined,
          startsWith: prefix,
          after,
        });
        return { logStreams: items.map((stream) => describeStream(caller, stream)), ...nextToken(next) };
      });
    },

    async PutRetentionPolicy(input, caller) {
      const days = optionalInteger(input, 'retentionInDays', 1, 3653) ?? 0;
      if (!RETENTIONS.has(days))
        fail('InvalidParameterException', `retentionInDays has to be one of ${[...RETENTIONS].join(', ')}`);
      return changeGroup(caller, groupName(input), (group) => ({ ...group, retentionDays: days }));
    },

    DeleteRetentionPolicy: (input, caller) =>
      changeGroup(caller, groupName(input), ({ retentionDays: _gone, ...group }) => group),

    TagResource: tag(byArn),
    TagLogGroup: tag(groupName),
    UntagResource: untag('tagKeys', byArn),
    UntagLogGroup: untag('tags', groupName),
    ListTagsForResource: listTags(byArn),
    ListTagsLogGroup: listTags(groupName),
  };
}
