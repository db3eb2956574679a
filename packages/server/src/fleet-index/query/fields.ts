/** Names of the fields of both indexes as queries and aggregations write them (developer guide, page managing-fleet-index). */
import { fail } from '@thingkeep/wire/errors.ts';

export const INDEX_NAMES = ['AWS_Things', 'AWS_ThingGroups'] as const;
export type IndexName = (typeof INDEX_NAMES)[number];

/** Full names of fields by their short ones, which queries and aggregations take as well. */
const FULL_NAMES: Readonly<Record<IndexName, ReadonlyMap<string, string>>> = {
  AWS_Things: new Map([
    ['thingTypeName', 'registry.thingTypeName'],
    ['thingGroupNames', 'registry.thingGroupNames'],
  ]),
  AWS_ThingGroups: new Map(),
};

export const fullName = (index: IndexName, written: string): string => FULL_NAMES[index].get(written) ?? written;

/** Fields that are searched by their whole names, and beginnings of those that users name. */
const SEARCHED: Readonly<Record<IndexName, { readonly names: readonly string[]; readonly under: readonly RegExp[] }>> = {
  AWS_Things: {
    names: [
      ...['thingName', 'thingId', 'registry.thingTypeName', 'registry.thingGroupNames', 'shadow.hasDelta'],
      ...['connectivity.connected', 'connectivity.timestamp', 'connectivity.disconnectReason', 'connectivity.version'],
      'deviceDefender.violationCount',
    ],
    under: [
      /^attributes\../s,
      /^shadow\.(?:desired|reported|delta|metadata)\../s,
      /^shadow\.name\.[^.]+\.(?:hasDelta$|(?:desired|reported|delta|metadata)\..)/s,
      /^deviceDefender\.[^.]+\.[^.]+\../s,
    ],
  },
  AWS_ThingGroups: {
    names: ['thingGroupName', 'thingGroupId', 'description', 'parentGroupNames'],
    under: [/^attributes\../s],
  },
};

/** The full name of a field of a query; one that is not searched fails with InvalidQueryException. */
export function searchedField(index: IndexName, written: string): string {
  const name = fullName(index, written);
  const { names, under } = SEARCHED[index];
  if (!names.includes(name) && !under.some((form) => form.test(name)))
    fail('InvalidQueryException', `The field ${written} of index ${index} can't be searched.`);
  return name;
}

/** Versions are counted and not searched, but that of connectivity. */
const UNNAMED = /^connectivity\.|^(?:registry\.|shadow\.|deviceDefender\.)?version$|^shadow\.name\.[^.]+\.version$/;

/** Whether a term without a field looks at this one: of the registry, shadows and violations, not of connectivity. */
export const isSearchedUnnamed = (field: string): boolean => !UNNAMED.test(field);
