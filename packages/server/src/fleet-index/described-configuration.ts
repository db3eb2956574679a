/** What an account has indexed, as the API shows it. Pure. */
import { managedFields } from './aggregated-fields.ts';
import type { IndexName } from './query/fields.ts';
import type { IndexingConfigurationRecord } from './store.ts';

/** What DescribeIndex says is in an index (model: IndexSchema). */
export function indexSchema(name: IndexName, { things }: IndexingConfigurationRecord): string {
  if (name === 'AWS_ThingGroups') return 'THING_GROUPS';
  if (things.namedShadowIndexingMode === 'ON' || things.deviceDefenderIndexingMode !== 'OFF') return 'MULTI_INDEXING_MODE';
  return `${things.thingIndexingMode}${things.thingConnectivityIndexingMode === 'STATUS' ? '_AND_CONNECTIVITY_STATUS' : ''}`;
}

/** Lists as the API shows them: one that is empty is left out. */
const listed = <Lists extends Readonly<Record<string, readonly unknown[]>>>(
  lists: Lists,
): { [K in keyof Lists]?: [...Lists[K]] } =>
  Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) as { [K in keyof Lists]?: [...Lists[K]] };

export function describedConfiguration(record: IndexingConfigurationRecord) {
  const { customFields: fields, namedShadowNames, geoLocations: locations, ...modes } = record.things;
  const { customFields: groupFields, thingGroupIndexingMode } = record.thingGroups;
  const filter = listed({ namedShadowNames, geoLocations: locations });
  return {
    thingIndexingConfiguration: {
      ...modes,
      ...listed({ managedFields: managedFields('AWS_Things', record), customFields: fields }),
      ...(Object.keys(filter).length > 0 && { filter }),
    },
    thingGroupIndexingConfiguration: {
      thingGroupIndexingMode,
      ...listed({ managedFields: managedFields('AWS_ThingGroups', record), customFields: groupFields }),
    },
  };
}
