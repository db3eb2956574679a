/** UpdateIndexingConfiguration, GetIndexingConfiguration, DescribeIndex, ListIndices, GetThingConnectivityData. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { getThing } from '../registry/things.ts';
import { thingGroups } from '../registry/groups/store.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { isAggregated } from './aggregated-fields.ts';
import { describedConfiguration, indexSchema } from './described-configuration.ts';
import type { FleetIndex } from './fleet-index.ts';
import { configured, isIndexed, isOfSource, unconfigured } from './indexing-configuration.ts';
import { indexName } from './searches.operations.ts';
import { type IndexName, INDEX_NAMES } from './query/fields.ts';
import { parseIndexQuery } from './query/parse.ts';
import { fieldsOfQuery } from './query/query-fields.ts';
import { connectivity, fleetMetrics, type IndexingConfigurationRecord, indexingConfigurations } from './store.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    'UpdateIndexingConfiguration' | 'GetIndexingConfiguration' | 'DescribeIndex' | 'ListIndices' | 'GetThingConnectivityData'
  >
>;

export interface IndexingOperationsOptions {
  readonly store: Store;
  readonly fleetIndex: FleetIndex;
}

/** The fields that a stored query looks at; none of one that can't be read any more, which finds nothing anyway. */
function usedFields(name: IndexName, queryString: string): ReadonlySet<string | undefined> {
  try {
    return fieldsOfQuery(parseIndexQuery(name, queryString));
  } catch (error) {
    if (error instanceof ThingkeepError) return new Set();
    throw error;
  }
}

/**
 * Refuses to take away what queries of dynamic groups look at (developer guide, pages managing-fleet-index and
 * dynamic-thing-groups).
 */
async function refuseUsed(
  tx: ReadTransaction,
  { accountId, things: before }: IndexingConfigurationRecord,
  { things: after }: IndexingConfigurationRecord,
): Promise<void> {
  const { items } = await tx.scan(thingGroups, { index: 'dynamic', prefix: [accountId] });
  for (const { groupName, query } of items) {
    const used = [...usedFields('AWS_Things', query?.queryString ?? '*')];
    const isLost = (field = 'thingName'): boolean => isOfSource(field, before) && !isOfSource(field, after);
    if (after.thingIndexingMode === 'OFF' || used.some(isLost))
      fail('InvalidRequestException', `The dynamic thing group ${groupName} uses what would be indexed no more.`);
  }
}

/** Refuses to take away what fleet metrics look at: a source, a custom field or an index. */
async function refuseMeasured(
  tx: ReadTransaction,
  before: IndexingConfigurationRecord,
  after: IndexingConfigurationRecord,
): Promise<void> {
  const { items } = await tx.scan(fleetMetrics, { prefix: [before.accountId] });
  for (const { metricName, indexName: name, queryString, aggregationField } of items) {
    const used = [...usedFields(name, queryString), aggregationField];
    const isLost = (field = 'thingName'): boolean =>
      name === 'AWS_Things' && isOfSource(field, before.things) && !isOfSource(field, after.things);
    const isCustomLost = isAggregated(name, before, aggregationField) && !isAggregated(name, after, aggregationField);
    if ((isIndexed(name, before) && !isIndexed(name, after)) || used.some(isLost) || isCustomLost)
      fail('InvalidRequestException', `The fleet metric ${metricName} uses what would be indexed no more.`);
  }
}

export function indexOperations({ store, fleetIndex }: IndexingOperationsOptions): Operations {
  return {
    async UpdateIndexingConfiguration(input, { accountId }) {
      await store.write(async (tx) => {
        const before = (await tx.get(indexingConfigurations, [accountId])) ?? unconfigured(accountId);
        const record = configured(before, input);
        if (input.thingIndexingConfiguration !== undefined) await refuseUsed(tx, before, record);
        await refuseMeasured(tx, before, record);
        await tx.put(indexingConfigurations, record);
      });
      return {};
    },

    async GetIndexingConfiguration(_input, { accountId }) {
      return describedConfiguration(
        (await store.read((tx) => tx.get(indexingConfigurations, [accountId]))) ?? unconfigured(accountId),
      );
    },

    async DescribeIndex(input, place) {
      const name = indexName(input.indexName);
      const index = fleetIndex.find(place, name);
      if (index === undefined) return fail('ResourceNotFoundException', `The index ${name} does not exist: indexing is off.`);
      return { indexName: name, indexStatus: index.status, schema: indexSchema(name, fleetIndex.configurationOf(place)) };
    },

    async ListIndices(_input, caller) {
      const configuration = fleetIndex.configurationOf(caller);
      return { indexNames: INDEX_NAMES.filter((name) => isIndexed(name, configuration)) };
    },

    async GetThingConnectivityData({ thingName = '' }, caller) {
      const { accountId } = caller;
      if (!fleetIndex.wantsConnectivity(caller))
        fail('IndexNotReadyException', 'The connectivity of things is not indexed: set thingConnectivityIndexingMode to STATUS.');
      return store.read(async (tx) => {
        await getThing(tx, accountId, thingName);
        const last = await tx.get(connectivity, [accountId, thingName]);
        const reason = last?.connected === true ? 'NONE' : 'UNKNOWN';
        return {
          thingName,
          connected: last?.connected ?? false,
          timestamp: last && new Date(last.timestamp),
          disconnectReason: (last?.disconnectReason ?? reason) as 'NONE',
        };
      });
    },
  };
}
