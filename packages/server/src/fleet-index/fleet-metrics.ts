/** Fleet metrics: what one may ask for, when it is due, what its values are made of, and how the API shows it. Pure. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { FleetMetricRecord, FleetMetricType } from './store.ts';

const MINUTE = 60;
/** Statistics by the names that GetStatistics gives them (developer guide, page managing-fleet-metrics). */
const STATISTICS: ReadonlySet<string> = new Set(
  'count sum average minimum maximum sumOfSquares variance stdDeviation'.split(' '),
);
/** General Reference: percentiles of a fleet metric. */
const MAX_PERCENTILES = 5;

export const fleetMetricArn = (place: Place, metricName: string): string => iotArn(place, 'fleetmetric', metricName);

const refuse = (message: string): never => fail('InvalidAggregationException', message);

/** The aggregation that is asked for; fails with InvalidAggregationException for one that there is not. */
export function fleetMetricType(
  given: { readonly name?: string | undefined; readonly values?: readonly string[] | undefined } | undefined,
): FleetMetricType {
  const { name, values = [] } = given ?? {};
  if (new Set(values).size < values.length) refuse('A value of aggregationType is given more than once.');
  if (name === 'Cardinality') return values.length === 0 ? { name, values } : refuse('Cardinality has no values.');
  if (values.length === 0) refuse('aggregationType.values is required.');
  if (name === 'Statistics') {
    const unknown = values.find((value) => !STATISTICS.has(value));
    return unknown === undefined ? { name, values } : refuse(`${unknown} is no statistic.`);
  }
  if (name !== 'Percentiles') return refuse('aggregationType.name is required.');
  if (values.length > MAX_PERCENTILES) refuse(`A fleet metric has ${MAX_PERCENTILES} percentiles at most.`);
  const unfit = values.find((value) => !/^\d{1,3}$/.test(value) || Number(value) > 100);
  return unfit === undefined ? { name, values } : refuse(`${unfit} is no percentile.`);
}

export const fleetMetricPeriod = (seconds: number | undefined): number =>
  seconds !== undefined && seconds % MINUTE === 0
    ? seconds
    : fail('InvalidRequestException', 'The period of a fleet metric is a multiple of 60 seconds.');

/** The beginning of the period that a time is in; both are milliseconds since the epoch. */
export const periodOf = (period: number, now: number): number => Math.floor(now / (period * 1000)) * period * 1000;

/** When a metric is due next: at the beginning of the next period, however many were missed. */
export const nextDue = (period: number, now: number): number => periodOf(period, now) + period * 1000;

export const describeFleetMetric = (place: Place, record: FleetMetricRecord) => ({
  metricName: record.metricName,
  queryString: record.queryString,
  aggregationType: { name: record.aggregationType.name, values: [...record.aggregationType.values] },
  period: record.period,
  aggregationField: record.aggregationField,
  description: record.description,
  queryVersion: record.queryVersion,
  indexName: record.indexName,
  creationDate: new Date(record.createdAt),
  lastModifiedDate: new Date(record.lastModifiedAt),
  unit: record.unit,
  version: record.version,
  metricArn: fleetMetricArn(place, record.metricName),
});
