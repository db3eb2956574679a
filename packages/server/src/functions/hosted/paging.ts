/** Pages of lists, with Lambda's words for a marker that is none. */
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Collection, Key, Page, ReadTransaction } from '../../store/contract.ts';

const PAGE = 50;

export async function page<T extends object>(
  tx: ReadTransaction,
  of: Collection<T>,
  prefix: Key,
  { Marker: after, MaxItems }: { Marker?: string | undefined; MaxItems?: number | undefined },
): Promise<Page<T>> {
  const limit = Math.min(MaxItems ?? PAGE, PAGE);
  try {
    // An empty marker is none: some clients send it with the first page.
    return await tx.scan(of, {
      skipDamaged: true,
      prefix,
      limit,
      after: after === undefined || after === '' ? undefined : after,
    });
  } catch (error) {
    if (error instanceof ThingkeepError) return fail('InvalidParameterValueException', 'The marker is not valid.');
    throw error;
  }
}

export const marker = (next: string | undefined): { NextMarker?: string } => (next === undefined ? {} : { NextMarker: next });
