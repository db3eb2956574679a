/** CreateFleetMetric, DescribeFleetMetric, UpdateFleetMetric, DeleteFleetMetric, ListFleetMetrics. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { refuseOtherVersion } from '../registry/expected-version.ts';
import { dropTags, putTags } from '../registry/tags.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import type { FleetIndex } from './fleet-index.ts';
import { describeFleetMetric, fleetMetricArn, fleetMetricPeriod, fleetMetricType, nextDue } from './fleet-metrics.ts';
import { aggregatedField } from './aggregated-fields.ts';
import { askedIndex, QUERY_VERSION } from './searches.operations.ts';
import { fleetMetricPoints, type FleetMetricRecord, fleetMetrics } from './store.ts';

type Operations = Handlers<
  Pick<
    IotOperations,
    'CreateFleetMetric' | 'DescribeFleetMetric' | 'UpdateFleetMetric' | 'DeleteFleetMetric' | 'ListFleetMetrics'
  >
>;

export interface FleetMetricOperationsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly fleetIndex: FleetIndex;
}

/** General Reference: fleet metrics of an account. */
const MAX_METRICS = 100;
const PAGE = 250;

/** What a caller says of a metric; the same for the metric that there is. */
type Definition = Pick<
  FleetMetricRecord,
  'queryString' | 'queryVersion' | 'indexName' | 'aggregationType' | 'aggregationField' | 'period' | 'unit' | 'description'
>;

interface GivenMetric {
  readonly queryString?: string | undefined;
  readonly queryVersion?: string | undefined;
  readonly indexName?: string | undefined;
  readonly aggregationType?: { readonly name?: string | undefined; readonly values?: readonly string[] | undefined } | undefined;
  readonly aggregationField?: string | undefined;
  readonly period?: number | undefined;
  readonly unit?: FleetMetricRecord['unit'] | undefined;
  readonly description?: string | undefined;
}

/** A definition whose query, field and aggregation the account's index can answer. */
function definitionOf(fleetIndex: FleetIndex, caller: Caller, given: GivenMetric): Definition {
  const { name: indexName, text: queryString } = askedIndex(fleetIndex, caller, given);
  const aggregationType = fleetMetricType(given.aggregationType);
  const written = given.aggregationField ?? fail('InvalidAggregationException', 'aggregationField is required.');
  const field = aggregatedField(indexName, fleetIndex.configurationOf(caller), written);
  if (aggregationType.name === 'Percentiles' && field.type !== 'Number')
    fail('InvalidAggregationException', `The field ${written} is no number: percentiles are of numbers.`);
  return {
    ...{ queryString, queryVersion: QUERY_VERSION, indexName, aggregationType, aggregationField: written },
    ...{ period: fleetMetricPeriod(given.period), unit: given.unit ?? 'None' },
    ...defined({ description: given.description }),
  };
}

async function getMetric(tx: ReadTransaction, { accountId }: Caller, metricName: string): Promise<FleetMetricRecord> {
  const found = await tx.get(fleetMetrics, [accountId, metricName]);
  return found ?? fail('ResourceNotFoundException', `The fleet metric ${metricName} does not exist.`);
}

const isSame = (record: FleetMetricRecord, definition: Definition): boolean =>
  JSON.stringify(definition) === JSON.stringify(definitionIn(record));

const definitionIn = ({ queryString, queryVersion, indexName, aggregationType, ...rest }: FleetMetricRecord): Definition => ({
  ...{ queryString, queryVersion, indexName, aggregationType, aggregationField: rest.aggregationField },
  ...{ period: rest.period, unit: rest.unit },
  ...defined({ description: rest.description }),
});

async function refuseExisting(tx: ReadTransaction, caller: Caller, metricName: string, definition: Definition): Promise<boolean> {
  const present = await tx.get(fleetMetrics, [caller.accountId, metricName]);
  if (present !== undefined && !isSame(present, definition)) {
    const members = { resourceId: metricName, resourceArn: fleetMetricArn(caller, metricName) };
    fail('ResourceAlreadyExistsException', `The fleet metric ${metricName} exists already.`, members);
  }
  return present !== undefined;
}

/** Its points go with a metric: they are bounded in number. */
async function dropPoints(tx: WriteTransaction, accountId: string, metricName: string): Promise<void> {
  const { items } = await tx.scan(fleetMetricPoints, { prefix: [accountId, metricName], skipDamaged: true });
  for (const { slot } of items) await tx.delete(fleetMetricPoints, [accountId, metricName, slot]);
}

export function fleetMetricOperations({ store, clock, fleetIndex }: FleetMetricOperationsOptions): Operations {
  return {
    async CreateFleetMetric({ metricName = '', tags, ...given }, caller) {
      const { accountId } = caller;
      const definition = definitionOf(fleetIndex, caller, given);
      const metricArn = fleetMetricArn(caller, metricName);
      await store.write(async (tx) => {
        if (await refuseExisting(tx, caller, metricName, definition)) return;
        const { items } = await tx.scan(fleetMetrics, { prefix: [accountId], limit: MAX_METRICS });
        if (items.length === MAX_METRICS) fail('LimitExceededException', `An account has ${MAX_METRICS} fleet metrics at most.`);
        const now = clock.now();
        const times = { createdAt: now, lastModifiedAt: now, dueAt: nextDue(definition.period, now) };
        await tx.put(fleetMetrics, { accountId, metricName, ...definition, ...times, version: 1 });
        await putTags(tx, accountId, metricArn, tags);
      });
      return { metricName, metricArn };
    },

    async DescribeFleetMetric({ metricName = '' }, caller) {
      return describeFleetMetric(caller, await store.read((tx) => getMetric(tx, caller, metricName)));
    },

    async UpdateFleetMetric({ metricName = '', expectedVersion, indexName, ...given }, caller) {
      if (indexName === undefined) fail('InvalidRequestException', 'indexName is required.');
      await store.write(async (tx) => {
        const record = await getMetric(tx, caller, metricName);
        refuseOtherVersion(`fleet metric ${metricName}`, record.version, expectedVersion);
        const definition = definitionOf(fleetIndex, caller, { ...definitionIn(record), ...defined(given), indexName });
        const now = clock.now();
        const changed = { lastModifiedAt: now, dueAt: nextDue(definition.period, now), version: record.version + 1 };
        // What an earlier definition has come to is no value of this one.
        const { latest: _, description: __, ...rest } = record;
        await tx.put(fleetMetrics, { ...rest, ...definition, ...changed });
      });
      return {};
    },

    async DeleteFleetMetric({ metricName = '', expectedVersion }, caller) {
      const { accountId } = caller;
      await store.write(async (tx) => {
        const record = await tx.get(fleetMetrics, [accountId, metricName]);
        if (record === undefined) return;
        refuseOtherVersion(`fleet metric ${metricName}`, record.version, expectedVersion);
        await tx.delete(fleetMetrics, [accountId, metricName]);
        await dropTags(tx, accountId, fleetMetricArn(caller, metricName));
        await dropPoints(tx, accountId, metricName);
      });
      return {};
    },

    async ListFleetMetrics({ nextToken, maxResults = PAGE }, caller) {
      const scan = { prefix: [caller.accountId], after: nextToken, limit: maxResults, skipDamaged: true };
      const { items, next } = await store.read((tx) => tx.scan(fleetMetrics, scan));
      const named = items.map(({ metricName }) => ({ metricName, metricArn: fleetMetricArn(caller, metricName) }));
      return { fleetMetrics: named, nextToken: next };
    },
  };
}
