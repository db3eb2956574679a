/** The registry for the SQL of rules, which is no caller of the API: what DescribeThing and ListThingGroupsForThing answer. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';

type Questions = Pick<Handlers<IotOperations>, 'DescribeThing' | 'ListThingGroupsForThing'>;

/** Rejects for a thing that is not there, and for what is not served. */
export function askRegistry(
  { DescribeThing, ListThingGroupsForThing }: Questions,
  { accountId, region }: Place,
  operation: string,
  thingName: string,
): Promise<unknown> {
  const caller = { accountId, region, arn: '', userId: '', sourceIp: '', requestId: '' };
  if (operation === 'DescribeThing' && DescribeThing !== undefined) return DescribeThing({ thingName }, caller);
  if (operation === 'ListThingGroupsForThing' && ListThingGroupsForThing !== undefined)
    return ListThingGroupsForThing({ thingName }, caller);
  return fail('UnknownOperationException', `${operation} is not served yet`);
}
