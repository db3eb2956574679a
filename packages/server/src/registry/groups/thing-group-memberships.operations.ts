/** Things and their thing groups: both are added and removed here, and listed both ways. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Store } from '../../store/contract.ts';
import { PAGE } from '../paging.ts';
import { required } from '../required.ts';
import { getThing } from '../things.ts';
import { addThingToGroup, type MembershipChange, membershipsOf, removeThingFromGroup } from './memberships.ts';
import { givenName } from './resource-names.ts';
import { memberships } from './store.ts';
import { getThingGroup, listedGroup } from './thing-groups.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'AddThingToThingGroup'
    | 'RemoveThingFromThingGroup'
    | 'UpdateThingGroupsForThing'
    | 'ListThingGroupsForThing'
    | 'ListThingsInThingGroup'
  >
>;
type ChangeInput = IotOperations['RemoveThingFromThingGroup']['input'];

/** Groups that one request names at most: more than a thing can be in. */
const MAX_NAMED = 100;

const changeIn = (input: ChangeInput, caller: Caller): MembershipChange => ({
  thingName: givenName({ name: input.thingName, arn: input.thingArn }, caller, 'thing', 'thing'),
  groupName: givenName({ name: input.thingGroupName, arn: input.thingGroupArn }, caller, 'thinggroup', 'thingGroup'),
});

export function membershipOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async AddThingToThingGroup(input, caller) {
      const { overrideDynamicGroups } = input;
      const change = changeIn(input, caller);
      await store.write((tx) => addThingToGroup(tx, caller.accountId, change, { now: clock.now(), overrideDynamicGroups }));
      return {};
    },

    async RemoveThingFromThingGroup(input, caller) {
      const change = changeIn(input, caller);
      await store.write((tx) => removeThingFromGroup(tx, caller.accountId, change));
      return {};
    },

    // Removals come first, so that groups may be exchanged at the limit.
    async UpdateThingGroupsForThing(input, { accountId }) {
      const thingName = required(input.thingName, 'thingName');
      const { thingGroupsToAdd = [], thingGroupsToRemove = [], overrideDynamicGroups } = input;
      if (thingGroupsToAdd.length + thingGroupsToRemove.length > MAX_NAMED)
        fail('InvalidRequestException', `A request can name at most ${MAX_NAMED} thing groups.`);
      await store.write(async (tx) => {
        await getThing(tx, accountId, thingName);
        for (const groupName of thingGroupsToRemove) await removeThingFromGroup(tx, accountId, { thingName, groupName });
        for (const groupName of thingGroupsToAdd)
          await addThingToGroup(tx, accountId, { thingName, groupName }, { now: clock.now(), overrideDynamicGroups });
      });
      return {};
    },

    async ListThingGroupsForThing({ thingName: given, nextToken, maxResults = PAGE }, caller) {
      const thingName = required(given, 'thingName');
      const { names, next } = await store.read(async (tx) => {
        await getThing(tx, caller.accountId, thingName);
        const scan = { prefix: [caller.accountId, thingName], after: nextToken, limit: maxResults, skipDamaged: true };
        const page = await tx.scan(memberships, scan);
        const there = new Set((await membershipsOf(tx, caller.accountId, thingName)).map(({ group }) => group.groupName));
        return { names: page.items.map(({ groupName }) => groupName).filter((name) => there.has(name)), next: page.next };
      });
      return { thingGroups: names.map((name) => listedGroup(caller, name)), nextToken: next };
    },

    async ListThingsInThingGroup({ thingGroupName, recursive = false, nextToken, maxResults = PAGE }, { accountId }) {
      const { items, next } = await store.read(async (tx) => {
        const { groupId } = await getThingGroup(tx, accountId, required(thingGroupName, 'thingGroupName'));
        const index = recursive ? 'byHierarchy' : 'byGroup';
        const scan = { index, prefix: [accountId, groupId], after: nextToken, limit: maxResults, skipDamaged: true };
        return tx.scan(memberships, scan);
      });
      return { things: items.map(({ thingName }) => thingName), nextToken: next };
    },
  };
}
