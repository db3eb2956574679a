/** CreateStream, DescribeStream, UpdateStream, ListStreams, DeleteStream. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { countRecords } from '../store/record-counts.ts';
import { inspectFiles } from './new-files.ts';
import { fileStreamArn, streams } from './store.ts';
import type { StreamFiles } from './stream-files.ts';
import { describedStream, getStream, MAX_STREAM_VERSION, streamSummary } from './streams.ts';

export interface StreamOperationDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly files: StreamFiles;
}

type Operations = Handlers<
  Pick<IotOperations, 'CreateStream' | 'DescribeStream' | 'UpdateStream' | 'ListStreams' | 'DeleteStream'>
>;

/** Streams of an account in a region. */
const MAX_STREAMS = 10_000;
const PAGE = 100;
const KIND = streams.name;

export const streamOperations = ({ store, clock, tags, files }: StreamOperationDeps): Operations => ({
  async CreateStream({ streamId = '', description, files: given = [], roleArn = '', tags: givenTags }, caller) {
    const { accountId } = caller;
    const arn = fileStreamArn(caller, streamId);
    const refuseTwin = (twin: object | undefined): void => {
      if (twin !== undefined)
        fail('ResourceAlreadyExistsException', `The stream ${streamId} already exists`, {
          resourceId: streamId,
          resourceArn: arn,
        });
    };
    refuseTwin(await store.read((tx) => tx.get(streams, [accountId, streamId])));
    const inspected = await inspectFiles(files, caller, roleArn, given);
    const record = { accountId, streamId, version: 1, description, files: inspected, roleArn };
    await store.write(async (tx) => {
      refuseTwin(await tx.get(streams, [accountId, streamId]));
      if ((await countRecords(tx, accountId, KIND, 1)) > MAX_STREAMS)
        fail('LimitExceededException', `An account has at most ${MAX_STREAMS} streams`);
      const now = clock.now();
      await tx.put(streams, { ...record, createdAt: now, lastUpdatedAt: now });
      if (givenTags !== undefined) await tags.put(tx, accountId, arn, givenTags);
    });
    return streamSummary(caller, record);
  },

  async DescribeStream({ streamId = '' }, caller) {
    return { streamInfo: describedStream(caller, await store.read((tx) => getStream(tx, caller.accountId, streamId))) };
  },

  async UpdateStream({ streamId = '', description, files: given, roleArn }, caller) {
    const { accountId } = caller;
    const before = await store.read((tx) => getStream(tx, accountId, streamId));
    const role = roleArn ?? before.roleArn;
    const inspected = given === undefined ? undefined : await inspectFiles(files, caller, role, given);
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
      await tx.delete(streams, [accountId, streamId]);
      await countRecords(tx, accountId, KIND, -1);
      await tags.remove(tx, accountId, fileStreamArn(caller, streamId));
    });
    return {};
  },
});
