/** CreateThingType, DescribeThingType, ListThingTypes, UpdateThingType, DeprecateThingType, DeleteThingType. */
import { defined } from '@thingkeep/wire/defined.ts';
import { randomUUID } from 'node:crypto';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { PAGE } from './paging.ts';
import { required } from './required.ts';
import { type ThingTypeRecord, things, thingTypes } from './store.ts';
import { dropTags, putTags } from './tags.ts';
import {
  getThingType,
  listedType,
  propagating,
  thingTypePropertiesOf,
  refuseDeletion,
  sameProperties,
  thingTypeArn,
} from './thing-types.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    'CreateThingType' | 'DescribeThingType' | 'ListThingTypes' | 'UpdateThingType' | 'DeprecateThingType' | 'DeleteThingType'
  >
>;

export interface ThingTypeOptions {
  readonly store: Store;
  readonly clock: Clock;
}

export function thingTypeOperations({ store, clock }: ThingTypeOptions): Operations {
  return {
    async CreateThingType(input, caller) {
      const thingTypeName = required(input.thingTypeName, 'thingTypeName');
      const { accountId } = caller;
      const properties = thingTypePropertiesOf(input.thingTypeProperties);
      const arn = thingTypeArn(caller, thingTypeName);
      const { thingTypeId } = await store.write(async (tx) => {
        const there = await tx.get(thingTypes, [accountId, thingTypeName]);
        if (there !== undefined) {
          // API reference CreateThingType: the same configuration again succeeds.
          if (sameProperties(there, properties)) return there;
          fail(
            'ResourceAlreadyExistsException',
            `Thing type ${thingTypeName} already exists in account with different properties`,
            {
              resourceId: thingTypeName,
              resourceArn: arn,
            },
          );
        }
        const record: ThingTypeRecord = {
          accountId,
          thingTypeName,
          thingTypeId: randomUUID(),
          ...properties,
          createdAt: clock.now(),
        };
        await tx.put(thingTypes, record);
        await putTags(tx, accountId, arn, input.tags);
        return record;
      });
      return { thingTypeName, thingTypeArn: arn, thingTypeId };
    },

    async DescribeThingType({ thingTypeName }, caller) {
      const record = await store.read((tx) => getThingType(tx, caller.accountId, required(thingTypeName, 'thingTypeName')));
      return { ...listedType(caller, record), thingTypeId: record.thingTypeId };
    },

    async ListThingTypes({ thingTypeName, nextToken, maxResults = PAGE }, caller) {
      // The name is a beginning, as in the console's search.
      const scan = {
        skipDamaged: true,
        prefix: [caller.accountId],
        startsWith: thingTypeName,
        after: nextToken,
        limit: maxResults,
      };
      const { items, next } = await store.read((tx) => tx.scan(thingTypes, scan));
      return { thingTypes: items.map((each) => listedType(caller, each)), nextToken: next };
    },

    async UpdateThingType({ thingTypeName, thingTypeProperties: given }, caller) {
      const name = required(thingTypeName, 'thingTypeName');
      await store.write(async (tx) => {
        const record = await getThingType(tx, caller.accountId, name);
        const asked = thingTypePropertiesOf({ ...given, mqtt5Configuration: undefined });
        const wanted = {
          ...record,
          ...defined({ description: given?.thingTypeDescription === undefined ? undefined : asked.description }),
          ...defined({
            searchableAttributes: given?.searchableAttributes === undefined ? undefined : asked.searchableAttributes,
          }),
        };
        // AWS refuses to change what a type was created with; the same values again are no change.
        if (!sameProperties(record, wanted)) fail('InvalidRequestException', 'Can only update mqtt5Configuration.');
        if (given?.mqtt5Configuration === undefined) return;
        await tx.put(thingTypes, { ...record, propagatingAttributes: propagating(given.mqtt5Configuration) });
      });
      return {};
    },

    async DeprecateThingType({ thingTypeName, undoDeprecate = false }, caller) {
      await store.write(async (tx) => {
        const { deprecatedAt, ...record } = await getThingType(tx, caller.accountId, required(thingTypeName, 'thingTypeName'));
        if (undoDeprecate) await tx.put(thingTypes, record);
        // Deprecating again does not begin the wait anew.
        else await tx.put(thingTypes, { ...record, deprecatedAt: deprecatedAt ?? clock.now() });
      });
      return {};
    },

    async DeleteThingType({ thingTypeName: given }, caller) {
      const thingTypeName = required(given, 'thingTypeName');
      const { accountId } = caller;
      await store.write(async (tx) => {
        const record = await getThingType(tx, accountId, thingTypeName);
        const used = await tx.scan(things, { index: 'byType', prefix: [accountId, thingTypeName], limit: 1 });
        refuseDeletion(record, used.items.length > 0, clock.now());
        await tx.delete(thingTypes, [accountId, thingTypeName]);
        await dropTags(tx, accountId, thingTypeArn(caller, thingTypeName));
      });
      return {};
    },
  };
}
