/** CreateStream, DescribeStream, UpdateStream, ListStreams, DeleteStream. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { inspectFiles } from './new-files.ts';
import { fileStreamArn, streams } from './store.ts';
import type { ReadingRoles } from './stream-files.ts';
import { createFileStream, refuseStreamTwin, removeFileStream } from './stream-records.ts';
import { describedStream, getStream, MAX_STREAM_VERSION, streamSummary } from './streams.ts';

/** What uses a stream, in words; undefined where nothing does. */
export type StreamUser = (tx: ReadTransaction, accountId: string, streamId: string) => Promise<string | undefined>;

export interface StreamOperationDeps extends ReadingRoles {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly streamUser: StreamUser;
}

type Operations = Handlers<
  Pick<IotOperations, 'CreateStream' | 'DescribeStream' | 'UpdateStream' | 'ListStreams' | 'DeleteStream'>
>;

const PAGE = 100;

export const streamOperations = ({ store, clock, tags, streamUser, ...objects }: StreamOperationDeps): Operations => ({
  async CreateStream({ streamId = '', description, files: given = [], roleArn = '', tags: givenTags }, caller) {
    const arn = fileStreamArn(caller, streamId);
    await store.read((tx) => refuseStreamTwin(tx, caller, streamId));
    const inspected = await inspectFiles(objects, caller, { roleArn, sourceArn: arn }, given);
    const made = await store.write(async (tx) => {
      const record = await createFileStream(tx, caller, { streamId, description, files: inspected, roleArn }, clock.now());
      if (givenTags !== undefined) await tags.put(tx, caller.accountId, arn, givenTags);
      return record;
    });
    return streamSummary(caller, made);
  },

  async DescribeStream({ streamId = '' }, caller) {
    return { streamInfo: describedStream(caller, await store.read((tx) => getStream(tx, caller.accountId, streamId))) };
  },

  async UpdateStream({ streamId = '', description, files: given, roleArn }, caller) {
    const { accountId } = caller;
    const before = await store.read((tx) => getStream(tx, accountId, streamId));
    const source = { roleArn: roleArn ?? before.roleArn, sourceArn: fileStreamArn(caller, streamId) };
    const inspected = given === undefined ? undefined : await inspectFiles(objects, caller, source, given);
    const updated = await store.write(async (tx) => {
      const record = await getStream(tx, accountId, streamId);
      if (record.version >= MAX_STREAM_VERSION)
        fail('LimitExceededException', `The stream ${streamId} has its last version, ${MAX_STREAM_VERSION}`);
      const changed = { ...record, ...defined({ description, roleArn, files: inspected }), version: record.version + 1 };
      await tx.put(streams, { ...changed, lastUpdatedAt: clock.now() });
      return changed;
    });
    return streamSummary(caller, updated);
  },

  async ListStreams({ maxResults = PAGE, nextToken, ascendingOrder = false }, caller) {
    const scan = { prefix: [caller.accountId], after: nextToken, limit: maxResults, reverse: !ascendingOrder, skipDamaged: true };
    const { items, next } = await store.read((tx) => tx.scan(streams, scan));
    return { streams: items.map((each) => streamSummary(caller, each)), nextToken: next };
  },

  async DeleteStream({ streamId = '' }, caller) {
    const { accountId } = caller;
    await store.write(async (tx) => {
      await getStream(tx, accountId, streamId);
      const user = await streamUser(tx, accountId, streamId);
      if (user !== undefined) fail('DeleteConflictException', `The stream ${streamId} is in use by ${user}`);
      await removeFileStream(tx, tags, caller, streamId);
    });
    return {};
  },
});
