/** CreateThingGroup, DescribeThingGroup, UpdateThingGroup, DeleteThingGroup, ListThingGroups. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Page, ReadTransaction, Store } from '../../store/contract.ts';
import { PAGE } from '../paging.ts';
import { required } from '../required.ts';
import { deleteThingGroup } from './deletion.ts';
import { type ThingGroupRecord, thingGroups } from './store.ts';
import { createThingGroup, describedGroup, getThingGroup, listedGroup, thingGroupArn, updateThingGroup } from './thing-groups.ts';

type Operations = Handlers<
  Pick<IotOperations, 'CreateThingGroup' | 'DescribeThingGroup' | 'UpdateThingGroup' | 'DeleteThingGroup' | 'ListThingGroups'>
>;
type ListInput = IotOperations['ListThingGroups']['input'];

/**
 * Groups below a parent, or all of them. Without `recursive` the list goes down to the last descendant, as AWS's answers
 * have been seen to (issue 2961 of moto); the guide says that it has the direct children alone.
 */
async function listGroups(tx: ReadTransaction, input: ListInput, { accountId }: Caller): Promise<Page<ThingGroupRecord>> {
  const { parentGroup, recursive = true, namePrefixFilter, nextToken, maxResults = PAGE } = input;
  const page = { skipDamaged: true, after: nextToken, limit: maxResults, ...defined({ startsWith: namePrefixFilter }) };
  if (parentGroup !== undefined) await getThingGroup(tx, accountId, parentGroup);
  if (!recursive) return tx.scan(thingGroups, { ...page, index: 'byParent', prefix: [accountId, parentGroup ?? ''] });
  if (parentGroup === undefined) return tx.scan(thingGroups, { ...page, prefix: [accountId] });
  return tx.scan(thingGroups, { ...page, index: 'byAncestor', prefix: [accountId, parentGroup] });
}

export function thingGroupOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async CreateThingGroup(input, caller) {
      const groupName = required(input.thingGroupName, 'thingGroupName');
      const wanted = { groupName, parentName: input.parentGroupName, properties: input.thingGroupProperties, tags: input.tags };
      const { groupId } = await store.write((tx) => createThingGroup(tx, caller, wanted, clock.now()));
      return { thingGroupName: groupName, thingGroupArn: thingGroupArn(caller, groupName), thingGroupId: groupId };
    },

    async DescribeThingGroup({ thingGroupName }, caller) {
      const groupName = required(thingGroupName, 'thingGroupName');
      return describedGroup(caller, await store.read((tx) => getThingGroup(tx, caller.accountId, groupName)));
    },

    async UpdateThingGroup({ thingGroupName, thingGroupProperties, expectedVersion }, caller) {
      const groupName = required(thingGroupName, 'thingGroupName');
      const properties = required(thingGroupProperties, 'thingGroupProperties');
      const { version } = await store.write((tx) =>
        updateThingGroup(tx, caller.accountId, { groupName, properties, expectedVersion }),
      );
      return { version };
    },

    async DeleteThingGroup({ thingGroupName, expectedVersion }, caller) {
      const groupName = required(thingGroupName, 'thingGroupName');
      await store.write((tx) => deleteThingGroup(tx, caller, 'static', { groupName, expectedVersion }, clock.now()));
      return {};
    },

    async ListThingGroups(input, caller) {
      const { items, next } = await store.read((tx) => listGroups(tx, input, caller));
      return { thingGroups: items.map(({ groupName }) => listedGroup(caller, groupName)), nextToken: next };
    },
  };
}
