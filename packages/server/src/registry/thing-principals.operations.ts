/** AttachThingPrincipal, DetachThingPrincipal, and who is attached to what, in both forms of the lists. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Page, Store } from '../store/contract.ts';
import { filteredPage, PAGE } from './paging.ts';
import { required } from './required.ts';
import { type ThingPrincipalRecord, thingPrincipals, things } from './store.ts';
import { attachThingPrincipal, certificateIn, principalTypeOf } from './thing-principals.ts';
import { getThing } from './things.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'AttachThingPrincipal'
    | 'DetachThingPrincipal'
    | 'ListThingPrincipals'
    | 'ListThingPrincipalsV2'
    | 'ListPrincipalThings'
    | 'ListPrincipalThingsV2'
  >
>;

interface ListPaging {
  readonly nextToken?: string | undefined;
  readonly maxResults?: number | undefined;
  readonly thingPrincipalType?: string | undefined;
}

export function thingPrincipalOperations({ store }: { store: Store }): Operations {
  const ofType =
    ({ thingPrincipalType }: ListPaging) =>
    (each: ThingPrincipalRecord) =>
      thingPrincipalType === undefined || principalTypeOf(each) === thingPrincipalType;

  const principalsOf = (
    given: string | undefined,
    input: ListPaging,
    { accountId }: Caller,
  ): Promise<Page<ThingPrincipalRecord>> =>
    store.read(async (tx) => {
      const thingName = required(given, 'thingName');
      if ((await tx.get(things, [accountId, thingName])) === undefined)
        fail(
          'ResourceNotFoundException',
          `Failed to list principals for thing ${thingName} because the thing does not exist in your account`,
        );
      const scan = { prefix: [accountId, thingName], after: input.nextToken, limit: input.maxResults ?? PAGE };
      return filteredPage(tx, thingPrincipals, scan, ofType(input));
    });

  const thingsOf = (given: string | undefined, input: ListPaging, caller: Caller): Promise<Page<ThingPrincipalRecord>> =>
    store.read(async (tx) => {
      const principal = required(given, 'principal');
      certificateIn(principal, caller);
      const scan = {
        index: 'byPrincipal',
        prefix: [caller.accountId, principal],
        after: input.nextToken,
        limit: input.maxResults ?? PAGE,
      };
      return filteredPage(tx, thingPrincipals, scan, ofType(input));
    });

  return {
    async AttachThingPrincipal(input, caller) {
      const thingName = required(input.thingName, 'thingName');
      const principal = required(input.principal, 'principal');
      const exclusive = input.thingPrincipalType === 'EXCLUSIVE_THING';
      await store.write((tx) => attachThingPrincipal(tx, caller, { thingName, principal, exclusive }));
      return {};
    },

    async DetachThingPrincipal(input, caller) {
      const thingName = required(input.thingName, 'thingName');
      const principal = required(input.principal, 'principal');
      const { accountId } = caller;
      certificateIn(principal, caller);
      await store.write(async (tx) => {
        await getThing(tx, accountId, thingName);
        if (!(await tx.delete(thingPrincipals, [accountId, thingName, principal])))
          fail('ResourceNotFoundException', `Principal ${principal} is not attached to thing ${thingName}`);
      });
      return {};
    },

    async ListThingPrincipals({ thingName, ...paging }, caller) {
      const { items, next } = await principalsOf(thingName, paging, caller);
      return { principals: items.map((each) => each.principal), nextToken: next };
    },

    async ListThingPrincipalsV2({ thingName, ...paging }, caller) {
      const { items, next } = await principalsOf(thingName, paging, caller);
      const thingPrincipalObjects = items.map((each) => ({
        principal: each.principal,
        thingPrincipalType: principalTypeOf(each),
      }));
      return { thingPrincipalObjects, nextToken: next };
    },

    async ListPrincipalThings({ principal, ...paging }, caller) {
      const { items, next } = await thingsOf(principal, paging, caller);
      return { things: items.map((each) => each.thingName), nextToken: next };
    },

    async ListPrincipalThingsV2({ principal, ...paging }, caller) {
      const { items, next } = await thingsOf(principal, paging, caller);
      const principalThingObjects = items.map((each) => ({
        thingName: each.thingName,
        thingPrincipalType: principalTypeOf(each),
      }));
      return { principalThingObjects, nextToken: next };
    },
  };
}
