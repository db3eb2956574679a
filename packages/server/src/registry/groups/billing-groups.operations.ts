/** Billing groups, and the things in them. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Store } from '../../store/contract.ts';
import { PAGE } from '../paging.ts';
import { required } from '../required.ts';
import { things } from '../store.ts';
import { getThing } from '../things.ts';
import {
  billingGroupArn,
  createBillingGroup,
  describedBillingGroup,
  getBillingGroup,
  setBillingGroup,
  updateBillingGroup,
} from './billing-groups.ts';
import { deleteBillingGroup } from './deletion.ts';
import { givenName } from './resource-names.ts';
import { billingGroups } from './store.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'CreateBillingGroup'
    | 'DescribeBillingGroup'
    | 'UpdateBillingGroup'
    | 'DeleteBillingGroup'
    | 'ListBillingGroups'
    | 'AddThingToBillingGroup'
    | 'RemoveThingFromBillingGroup'
    | 'ListThingsInBillingGroup'
  >
>;

export function billingGroupOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async CreateBillingGroup({ billingGroupName, billingGroupProperties, tags }, caller) {
      const groupName = required(billingGroupName, 'billingGroupName');
      const wanted = { groupName, description: billingGroupProperties?.billingGroupDescription, tags };
      const { groupId } = await store.write((tx) => createBillingGroup(tx, caller, wanted, clock.now()));
      return { billingGroupName: groupName, billingGroupArn: billingGroupArn(caller, groupName), billingGroupId: groupId };
    },

    async DescribeBillingGroup({ billingGroupName }, caller) {
      const groupName = required(billingGroupName, 'billingGroupName');
      return describedBillingGroup(caller, await store.read((tx) => getBillingGroup(tx, caller.accountId, groupName)));
    },

    async UpdateBillingGroup({ billingGroupName, billingGroupProperties, expectedVersion }, { accountId }) {
      const groupName = required(billingGroupName, 'billingGroupName');
      const description = required(billingGroupProperties, 'billingGroupProperties').billingGroupDescription;
      const { version } = await store.write((tx) =>
        updateBillingGroup(tx, accountId, { groupName, description, expectedVersion }),
      );
      return { version };
    },

    async DeleteBillingGroup({ billingGroupName, expectedVersion }, caller) {
      const groupName = required(billingGroupName, 'billingGroupName');
      await store.write((tx) => deleteBillingGroup(tx, caller, { groupName, expectedVersion }, clock.now()));
      return {};
    },

    async ListBillingGroups({ namePrefixFilter, nextToken, maxResults = PAGE }, caller) {
      const scan = { skipDamaged: true, prefix: [caller.accountId], after: nextToken, limit: maxResults };
      const filtered = { ...scan, ...defined({ startsWith: namePrefixFilter }) };
      const { items, next } = await store.read((tx) => tx.scan(billingGroups, filtered));
      const listed = items.map(({ groupName }) => ({ groupName, groupArn: billingGroupArn(caller, groupName) }));
      return { billingGroups: listed, nextToken: next };
    },

    async AddThingToBillingGroup(input, caller) {
      const thingName = givenName({ name: input.thingName, arn: input.thingArn }, caller, 'thing', 'thing');
      const group = { name: input.billingGroupName, arn: input.billingGroupArn };
      const groupName = givenName(group, caller, 'billinggroup', 'billingGroup');
      await store.write((tx) => setBillingGroup(tx, caller.accountId, thingName, groupName));
      return {};
    },

    // A thing that is in another billing group stays there.
    async RemoveThingFromBillingGroup(input, caller) {
      const { accountId } = caller;
      const thingName = givenName({ name: input.thingName, arn: input.thingArn }, caller, 'thing', 'thing');
      const group = { name: input.billingGroupName, arn: input.billingGroupArn };
      const groupName = givenName(group, caller, 'billinggroup', 'billingGroup');
      await store.write(async (tx) => {
        const thing = await getThing(tx, accountId, thingName);
        const { groupId } = await getBillingGroup(tx, accountId, groupName);
        if (thing.billingGroupId === groupId) await setBillingGroup(tx, accountId, thingName, undefined);
      });
      return {};
    },

    async ListThingsInBillingGroup({ billingGroupName, nextToken, maxResults = PAGE }, { accountId }) {
      const { items, next } = await store.read(async (tx) => {
        const { groupId } = await getBillingGroup(tx, accountId, required(billingGroupName, 'billingGroupName'));
        const scan = { index: 'byBillingGroup', prefix: [accountId, groupId], skipDamaged: true };
        return tx.scan(things, { ...scan, after: nextToken, limit: maxResults });
      });
      return { things: items.map(({ thingName }) => thingName), nextToken: next };
    },
  };
}
