/** SearchIndex, GetStatistics, GetCardinality, GetPercentiles, GetBucketsAggregation (developer guide, page index-aggregate). */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { IndexedField } from './store.ts';
import type { IndexKey } from './engine/index-file.ts';
import type { FleetIndex } from './fleet-index.ts';
import { aggregatedField } from './aggregated-fields.ts';
import type { IndexName } from './query/fields.ts';
import { parseIndexQuery } from './query/parse.ts';
import type { Query } from './query/query.ts';
import { pageToken, placeOfToken } from './search-tokens.ts';

type Operations = Handlers<
  Pick<IotOperations, 'SearchIndex' | 'GetStatistics' | 'GetCardinality' | 'GetPercentiles' | 'GetBucketsAggregation'>
>;

/** What operations on an index have in common. */
interface QueryInput {
  readonly indexName?: string | undefined;
  readonly queryString?: string | undefined;
  readonly queryVersion?: string | undefined;
}

const THINGS = 'AWS_Things';
export const QUERY_VERSION = '2017-09-30';
/** API reference SearchIndex, GetBucketsAggregation and GetPercentiles. */
const PAGE = 100;
const BUCKETS = 10;
const PERCENTS = [1, 5, 25, 50, 75, 95, 99];
const DEFAULT_FIELD: Readonly<Record<IndexName, string>> = { AWS_Things: 'registry.version', AWS_ThingGroups: 'version' };

/** Refuses a version of the query language that is not the only one. */
export function refuseOtherQueryVersion(version: string | undefined): void {
  if (version !== undefined && version !== QUERY_VERSION)
    fail('InvalidQueryException', `The query version ${version} is not supported: use ${QUERY_VERSION}.`);
}

/** The name of an index; one that there is not fails with ResourceNotFoundException. */
export const indexName = (given = THINGS): IndexName =>
  given === THINGS || given === 'AWS_ThingGroups'
    ? given
    : fail('ResourceNotFoundException', `The index ${given} does not exist.`);

/** A query on an index that is on, not being built, and of the caller's account. */
export function askedIndex(
  fleetIndex: FleetIndex,
  place: Caller,
  input: QueryInput,
): { name: IndexName; key: IndexKey; query: Query; text: string } {
  const name = indexName(input.indexName);
  refuseOtherQueryVersion(input.queryVersion);
  const text = input.queryString ?? fail('InvalidRequestException', 'queryString is required.');
  const query = parseIndexQuery(name, text);
  const index = fleetIndex.find(place, name);
  if (index === undefined) return fail('ResourceNotFoundException', `The index ${name} does not exist: indexing is off.`);
  if (index.status === 'BUILDING') return fail('IndexNotReadyException', `The index ${name} is being built.`);
  return { name, key: index.key, query, text };
}

export function searchOperations({ fleetIndex }: { readonly fleetIndex: FleetIndex }): Operations {
  const ask = (caller: Caller, input: QueryInput) => askedIndex(fleetIndex, caller, input);
  const { thread } = fleetIndex;

  const fieldOf = (caller: Caller, name: IndexName, given: string | undefined, required: boolean): IndexedField => {
    if (given === undefined && required) fail('InvalidAggregationException', 'aggregationField is required.');
    return aggregatedField(name, fleetIndex.configurationOf(caller), given ?? DEFAULT_FIELD[name]);
  };

  return {
    async SearchIndex(input, caller) {
      const { name, key, query, text } = ask(caller, input);
      const limit = input.maxResults ?? PAGE;
      const after = placeOfToken(name, text, input.nextToken);
      const found = await thread.call('search', key, query, after, limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const documents = page.map(({ shown }) => JSON.parse(shown) as object);
      return {
        // Both lists are there, as clients have seen AWS answer.
        ...{ things: name === THINGS ? documents : [], thingGroups: name === THINGS ? [] : documents },
        nextToken: found.length > limit && last !== undefined ? pageToken(name, text, last.id) : undefined,
      };
    },

    async GetStatistics(input, caller) {
      const { name, key, query } = ask(caller, input);
      const field = fieldOf(caller, name, input.aggregationField, false);
      return { statistics: { ...(await thread.call('statistics', key, query, field)) } };
    },

    async GetCardinality(input, caller) {
      const { name, key, query } = ask(caller, input);
      const field = fieldOf(caller, name, input.aggregationField, true);
      return { cardinality: await thread.call('cardinality', key, query, field) };
    },

    async GetPercentiles(input, caller) {
      const { name, key, query } = ask(caller, input);
      const field = fieldOf(caller, name, input.aggregationField, true);
      if (field.type !== 'Number')
        fail('InvalidAggregationException', `The field ${field.name} is no number: percentiles are of numbers.`);
      const found = await thread.call('percentiles', key, query, field, input.percents ?? PERCENTS);
      return { percentiles: [...found] };
    },

    async GetBucketsAggregation(input, caller) {
      const { name, key, query } = ask(caller, input);
      const field = fieldOf(caller, name, input.aggregationField, true);
      const limit = input.bucketsAggregationType?.termsAggregation?.maxBuckets ?? BUCKETS;
      const { totalCount, buckets } = await thread.call('buckets', key, query, field, limit);
      return { totalCount, buckets: [...buckets] };
    },
  };
}
