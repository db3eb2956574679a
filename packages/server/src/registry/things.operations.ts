/** CreateThing, DescribeThing, UpdateThing, DeleteThing, ListThings. */
import { defined } from '@thingkeep/wire/defined.ts';
import { randomUUID } from 'node:crypto';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Page, ReadTransaction, Scan, Store } from '../store/contract.ts';
import { billingGroupMembers, getBillingGroup } from './groups/billing-groups.ts';
import { dropMemberships } from './groups/memberships.ts';
import { filteredPage, PAGE } from './paging.ts';
import { required } from './required.ts';
import { type ThingRecord, thingPrincipals, things } from './store.ts';
import {
  attributesAfter,
  describedThing,
  getThing,
  listedThing,
  refuseTooMany,
  sameAttributes,
  thingArn,
  typeForThing,
} from './things.ts';

type Operations = Handlers<Pick<IotOperations, 'CreateThing' | 'DescribeThing' | 'UpdateThing' | 'DeleteThing' | 'ListThings'>>;
type ListInput = IotOperations['ListThings']['input'];

function refuseOtherVersion(record: ThingRecord, expected: number | undefined): void {
  if (expected !== undefined && expected !== record.version)
    fail('VersionConflictException', `The version for thing ${record.thingName} does not match the expected version.`);
}

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
      const thingName = required(input.thingName, 'thingName');
      const { thingTypeName, billingGroupName } = input;
      const { accountId } = caller;
      const attributes = attributesAfter({}, input.attributePayload);
      refuseTooMany(attributes, thingTypeName !== undefined);
      const thing = await store.write(async (tx) => {
        const there = await tx.get(things, [accountId, thingName]);
        if (there !== undefined) {
          const same =
            there.thingTypeName === thingTypeName &&
            there.billingGroupName === billingGroupName &&
            sameAttributes(there.attributes, attributes);
          // API reference CreateThing: the same configuration again succeeds.
          if (same) return there;
          fail(
            'ResourceAlreadyExistsException',
            `Thing ${thingName} already exists in account with different tags or properties`,
            {
              resourceId: thingName,
              resourceArn: thingArn(caller, thingName),
            },
          );
        }
        if (thingTypeName !== undefined)
          await typeForThing(
            tx,
            accountId,
            thingTypeName,
            (name) => `Can not create new thing with deprecated thing type:${name}`,
          );
        const type = thingTypeName === undefined ? {} : { thingTypeName };
        const billing =
          billingGroupName === undefined ? {} : billingGroupMembers(await getBillingGroup(tx, accountId, billingGroupName));
        const record: ThingRecord = {
          accountId,
          thingName,
          thingId: randomUUID(),
          ...type,
          ...billing,
          attributes,
          version: 1,
          createdAt: clock.now(),
        };
        await tx.put(things, record);
        return record;
      });
      return { thingName, thingArn: thingArn(caller, thingName), thingId: thing.thingId };
    },

    async DescribeThing({ thingName }, caller) {
      return describedThing(caller, await store.read((tx) => getThing(tx, caller.accountId, required(thingName, 'thingName'))));
    },

    async UpdateThing(input, caller) {
      const thingName = required(input.thingName, 'thingName');
      const { thingTypeName, removeThingType = false, expectedVersion, attributePayload } = input;
      const { accountId } = caller;
      if (removeThingType && thingTypeName !== undefined)
        fail('InvalidRequestException', 'thingTypeName and removeThingType can not be given together.');
      await store.write(async (tx) => {
        const record = await getThing(tx, accountId, thingName);
        refuseOtherVersion(record, expectedVersion);
        if (thingTypeName !== undefined && thingTypeName !== record.thingTypeName)
          await typeForThing(
            tx,
            accountId,
            thingTypeName,
            (name) => `Can not update a thing to use deprecated thing type: ${name}`,
          );
        const { thingTypeName: before, ...rest } = record;
        const type = removeThingType ? undefined : (thingTypeName ?? before);
        const attributes = attributesAfter(record.attributes, attributePayload);
        refuseTooMany(attributes, type !== undefined);
        await tx.put(things, {
          ...rest,
          ...defined({ thingTypeName: type }),
          attributes,
          version: record.version + 1,
        });
      });
      return {};
    },

    async DeleteThing({ thingName: given, expectedVersion }, caller) {
      const thingName = required(given, 'thingName');
      const { accountId } = caller;
      await store.write(async (tx) => {
        const record = await tx.get(things, [accountId, thingName]);
        // API reference DeleteThing: no error for a thing that doesn't exist.
        if (record === undefined) return;
        refuseOtherVersion(record, expectedVersion);
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
