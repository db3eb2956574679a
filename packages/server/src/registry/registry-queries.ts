/** The registry for those who are no callers of the API: the SQL of rules asks for what DescribeThing answers. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';

/** Rejects for a thing that is not there, and for what is not served. */
export function askRegistry(
  { DescribeThing }: Pick<Handlers<IotOperations>, 'DescribeThing'>,
  { accountId, region }: Place,
  operation: string,
  thingName: string,
): Promise<unknown> {
  if (operation !== 'DescribeThing' || DescribeThing === undefined)
    return fail('UnknownOperationException', `${operation} is not served yet`);
  return DescribeThing({ thingName }, { accountId, region, arn: '', userId: '', sourceIp: '', requestId: '' });
}
