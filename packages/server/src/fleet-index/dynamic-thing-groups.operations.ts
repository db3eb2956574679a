/** CreateDynamicThingGroup, UpdateDynamicThingGroup, DeleteDynamicThingGroup. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { deleteThingGroup } from '../registry/groups/deletion.ts';
import { type ThingGroupQuery, thingGroups } from '../registry/groups/store.ts';
import { createThingGroup, thingGroupArn, updateThingGroup } from '../registry/groups/thing-groups.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import type { FleetIndex } from './fleet-index.ts';
import { DYNAMIC_GROUP_LIMITS, parseIndexQuery } from './query/parse.ts';
import { QUERY_VERSION, refuseOtherQueryVersion } from './searches.operations.ts';

type Operations = Handlers<
  Pick<IotOperations, 'CreateDynamicThingGroup' | 'UpdateDynamicThingGroup' | 'DeleteDynamicThingGroup'>
>;

/** General Reference: dynamic groups of an account. */
const MAX_GROUPS = 100;
const INDEX = 'AWS_Things';

interface GivenQuery {
  readonly indexName?: string | undefined;
  readonly queryString?: string | undefined;
  readonly queryVersion?: string | undefined;
}

export interface DynamicThingGroupOperationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly fleetIndex: FleetIndex;
}

/** Refuses a query that could find nothing by the index that there is. */
function refuseUnusable(
  fleetIndex: FleetIndex,
  caller: Caller,
  { indexName = INDEX, queryString = '', queryVersion }: GivenQuery,
): void {
  if (indexName !== INDEX)
    fail('ResourceNotFoundException', `The index ${indexName} does not exist: dynamic groups are of ${INDEX}.`);
  refuseOtherQueryVersion(queryVersion);
  parseIndexQuery(INDEX, queryString, DYNAMIC_GROUP_LIMITS);
  const index = fleetIndex.find(caller, INDEX);
  // The operation declares no IndexNotReadyException.
  if (index === undefined) fail('InvalidRequestException', 'Dynamic thing groups need thing indexing: it is off.');
  if (index.status === 'BUILDING') fail('InvalidRequestException', `The index ${INDEX} is being built.`);
}

async function refuseTooMany(tx: ReadTransaction, accountId: string, groupName: string): Promise<void> {
  const { items } = await tx.scan(thingGroups, { index: 'dynamic', prefix: [accountId], limit: MAX_GROUPS });
  if (items.length >= MAX_GROUPS && !items.some((each) => each.groupName === groupName))
    fail('LimitExceededException', `An account has ${MAX_GROUPS} dynamic thing groups at most.`);
}

export function dynamicThingGroupOperations({ store, clock, fleetIndex }: DynamicThingGroupOperationsOptions): Operations {
  return {
    async CreateDynamicThingGroup(input, caller) {
      const groupName = input.thingGroupName ?? '';
      const queryString = input.queryString ?? fail('InvalidRequestException', 'queryString is required.');
      refuseUnusable(fleetIndex, caller, input);
      const query: ThingGroupQuery = { indexName: INDEX, queryString, queryVersion: QUERY_VERSION, status: 'BUILDING' };
      const wanted = { groupName, properties: input.thingGroupProperties, query, tags: input.tags };
      const { groupId } = await store.write(async (tx) => {
        await refuseTooMany(tx, caller.accountId, groupName);
        return createThingGroup(tx, caller, wanted, clock.now());
      });
      const named = { thingGroupName: groupName, thingGroupArn: thingGroupArn(caller, groupName), thingGroupId: groupId };
      return { ...named, indexName: INDEX, queryString, queryVersion: QUERY_VERSION };
    },

    async UpdateDynamicThingGroup(input, caller) {
      const { thingGroupName: groupName = '', thingGroupProperties: properties, expectedVersion, queryString } = input;
      if (properties === undefined) fail('InvalidRequestException', 'thingGroupProperties is required.');
      if (queryString !== undefined) refuseUnusable(fleetIndex, caller, input);
      const queryAfter = (before: ThingGroupQuery): ThingGroupQuery =>
        queryString === undefined || queryString === before.queryString
          ? before
          : { ...before, queryString, status: 'REBUILDING' };
      const update = { groupName, properties, expectedVersion, kind: 'dynamic', queryAfter } as const;
      const { version } = await store.write((tx) => updateThingGroup(tx, caller.accountId, update));
      return { version };
    },

    async DeleteDynamicThingGroup({ thingGroupName: groupName = '', expectedVersion }, caller) {
      await store.write((tx) => deleteThingGroup(tx, caller, 'dynamic', { groupName, expectedVersion }, clock.now()));
      return {};
    },
  };
}
