/** Tags of functions. Source: Lambda API reference, TagResource; General Reference, tag restrictions. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Store } from '../../store/contract.ts';
import { readUnqualified } from './names.ts';
import { getFunction } from './records.ts';
import { functions } from './store.ts';

const MAX_TAGS = 50;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;

export function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > MAX_TAGS) fail('InvalidParameterValueException', `A function can have at most ${MAX_TAGS} tags.`);
  for (const [key, value] of entries)
    if (key === '' || key.length > LONGEST_KEY || value.length > LONGEST_VALUE || /^aws:/i.test(key))
      fail('InvalidParameterValueException', `The tag ${JSON.stringify(key.slice(0, LONGEST_KEY))} is not valid.`);
}

export function functionTagOperations({
  store,
}: {
  store: Store;
}): Handlers<Pick<LambdaOperations, 'ListTags' | 'TagResource' | 'UntagResource'>> {
  return {
    async ListTags({ Resource = '' }, caller) {
      const name = readUnqualified(Resource, caller);
      const { tags } = await store.read((tx) => getFunction(tx, caller, name));
      return { Tags: { ...tags } };
    },

    async TagResource({ Resource = '', Tags = {} }, caller) {
      const name = readUnqualified(Resource, caller);
      await store.write(async (tx) => {
        const record = await getFunction(tx, caller, name);
        const tags = { ...record.tags, ...Tags };
        checkTags(tags);
        await tx.put(functions, { ...record, tags });
      });
      return {};
    },

    async UntagResource({ Resource = '', TagKeys = [] }, caller) {
      const name = readUnqualified(Resource, caller);
      await store.write(async (tx) => {
        const record = await getFunction(tx, caller, name);
        const kept = Object.entries(record.tags).filter(([key]) => !TagKeys.includes(key));
        await tx.put(functions, { ...record, tags: Object.fromEntries(kept) });
      });
      return {};
    },
  };
}
