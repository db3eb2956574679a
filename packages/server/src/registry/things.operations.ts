/** CreateThing, DescribeThing, UpdateThing, DeleteThing, ListThings. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Page, ReadTransaction, Scan, Store } from '../store/contract.ts';
import { refuseOtherVersion } from './expected-version.ts';
import { billingGroupOf } from './groups/billing-groups.ts';
import { dropMemberships } from './groups/memberships.ts';
import { filteredPage, PAGE } from './paging.ts';
import { required } from './required.ts';
import { type ThingRecord, thingPrincipals, things } from './store.ts';
import { createThing, updateThing } from './thing-records.ts';
import { describedThing, getThing, listedThing, thingArn } from './things.ts';

type Operations = Handlers<Pick<IotOperations, 'CreateThing' | 'DescribeThing' | 'UpdateThing' | 'DeleteThing' | 'ListThings'>>;
type ListInput = IotOperations['ListThings']['input'];

/** Walks the narrowest index; what it does not answer is filtered. */
function listThings(tx: ReadTransaction, input: ListInput, { accountId }: Caller): Promise<Page<ThingRecord>> {
  const { attributeName, attributeValue, thingTypeName, usePrefixAttributeValue = false } = input;
  const paging = { after: input.nextToken, limit: input.maxResults ?? PAGE } satisfies Partial<Scan>;
  if (attributeName === undefined || attributeValue === undefined) {
    if (attributeName !== undefined || attributeValue !== undefined)
      fail('InvalidRequestException', 'attributeName and attributeValue must be given together.');
    if (thingTypeName === undefined) return tx.scan(things, { skipDamaged: true, prefix: [accountId], ...paging });
    return tx.scan(things, { skipDamaged: true, index: 'byType', prefix: [accountId, thingTypeName], ...paging });
  }
  const byAttribute = usePrefixAttributeValue
    ? { index: 'byAttribute', prefix: [accountId, attributeName], startsWith: attributeValue, ...paging }
    : { index: 'byAttribute', prefix: [accountId, attributeName, attributeValue], ...paging };
  return filteredPage(tx, things, byAttribute, (each) => thingTypeName === undefined || each.thingTypeName === thingTypeName);
}

export function thingOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  return {
    async CreateThing(input, caller) {
      const { thingName, thingId } = await store.write((tx) => createThing(tx, caller, input, clock.now()));
      return { thingName, thingArn: thingArn(caller, thingName), thingId };
    },

    async DescribeThing({ thingName }, caller) {
      return store.read(async (tx) => {
        const record = await getThing(tx, caller.accountId, required(thingName, 'thingName'));
        return { ...describedThing(caller, record), billingGroupName: await billingGroupOf(tx, record) };
      });
    },

    async UpdateThing(input, caller) {
      await store.write((tx) => updateThing(tx, caller, input));
      return {};
    },

    async DeleteThing({ thingName: given, expectedVersion }, caller) {
      const thingName = required(given, 'thingName');
      const { accountId } = caller;
      await store.write(async (tx) => {
        const record = await tx.get(things, [accountId, thingName]);
        // API reference DeleteThing: no error for a thing that doesn't exist.
        if (record === undefined) return;
        refuseOtherVersion(`thing ${record.thingName}`, record.version, expectedVersion);
        const attached = await tx.scan(thingPrincipals, { prefix: [accountId, thingName], limit: 1 });
        if (attached.items.length > 0)
          fail('InvalidRequestException', `Cannot delete. Thing ${thingName} is still attached to one or more principals`);
        await dropMemberships(tx, accountId, thingName);
        await tx.delete(things, [accountId, thingName]);
      });
      return {};
    },

    async ListThings(input, caller) {
      const { items, next } = await store.read((tx) => listThings(tx, input, caller));
      return { things: items.map((each) => listedThing(caller, each)), nextToken: next };
    },
  };
}
