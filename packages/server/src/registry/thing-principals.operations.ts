/** AttachThingPrincipal, DetachThingPrincipal, and who is attached to what, in both forms of the lists. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { nameInPlace } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Page, ReadTransaction, Store } from '../store/contract.ts';
import { getCertificate } from './certificates.ts';
import { filteredPage, PAGE } from './paging.ts';
import { required } from './required.ts';
import { type ThingPrincipalRecord, thingPrincipals, things } from './store.ts';
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

/** A Cognito identity: `region:uuid`. */
const COGNITO = /^[a-z]{2}(?:-[a-z]{1,16}){1,3}-\d{1,2}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Id of the certificate that a principal is, undefined for a Cognito identity; anything else is a bad request. */
function certificateIn(principal: string, caller: Caller): string | undefined {
  const id = nameInPlace(principal, caller, 'cert');
  if (id !== undefined || COGNITO.test(principal)) return id;
  return fail('InvalidRequestException', `Invalid principal: ${principal.slice(0, 256)}`);
}

const typeOf = ({ exclusive }: ThingPrincipalRecord): 'EXCLUSIVE_THING' | 'NON_EXCLUSIVE_THING' =>
  exclusive ? 'EXCLUSIVE_THING' : 'NON_EXCLUSIVE_THING';

interface ListPaging {
  readonly nextToken?: string | undefined;
  readonly maxResults?: number | undefined;
  readonly thingPrincipalType?: string | undefined;
}

export function thingPrincipalOperations({ store }: { store: Store }): Operations {
  const ofType =
    ({ thingPrincipalType }: ListPaging) =>
    (each: ThingPrincipalRecord) =>
      thingPrincipalType === undefined || typeOf(each) === thingPrincipalType;

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

  /** Developer guide, page exclusive-thing: an exclusive thing is the only one of its principal. */
  async function refuseClash(tx: ReadTransaction, wanted: ThingPrincipalRecord): Promise<void> {
    const prefix = [wanted.accountId, wanted.principal];
    // An exclusive attachment stands alone, so the first one tells all; the second shows one that is elsewhere.
    const { items } = await tx.scan(thingPrincipals, { index: 'byPrincipal', prefix, limit: 2 });
    const same = items.find((each) => each.thingName === wanted.thingName);
    if (same !== undefined && same.exclusive !== wanted.exclusive)
      fail('InvalidRequestException', `The principal is attached to the thing as ${typeOf(same)}; detach it first`);
    const elsewhere = items.find((each) => each.thingName !== wanted.thingName);
    if (elsewhere !== undefined && (wanted.exclusive || elsewhere.exclusive))
      fail(
        'InvalidRequestException',
        `The principal is attached to another thing${elsewhere.exclusive ? ' exclusively' : ''}; detach it first`,
      );
  }

  return {
    async AttachThingPrincipal(input, caller) {
      const thingName = required(input.thingName, 'thingName');
      const principal = required(input.principal, 'principal');
      const { accountId } = caller;
      const certificateId = certificateIn(principal, caller);
      const wanted = { accountId, thingName, principal, exclusive: input.thingPrincipalType === 'EXCLUSIVE_THING' };
      await store.write(async (tx) => {
        await getThing(tx, accountId, thingName);
        if (certificateId !== undefined) await getCertificate(tx, accountId, certificateId);
        await refuseClash(tx, wanted);
        await tx.put(thingPrincipals, wanted);
      });
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
      const thingPrincipalObjects = items.map((each) => ({ principal: each.principal, thingPrincipalType: typeOf(each) }));
      return { thingPrincipalObjects, nextToken: next };
    },

    async ListPrincipalThings({ principal, ...paging }, caller) {
      const { items, next } = await thingsOf(principal, paging, caller);
      return { things: items.map((each) => each.thingName), nextToken: next };
    },

    async ListPrincipalThingsV2({ principal, ...paging }, caller) {
      const { items, next } = await thingsOf(principal, paging, caller);
      const principalThingObjects = items.map((each) => ({ thingName: each.thingName, thingPrincipalType: typeOf(each) }));
      return { principalThingObjects, nextToken: next };
    },
  };
}
