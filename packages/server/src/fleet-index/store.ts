/** Records of the fleet index: what an account has indexed, and when its things were last connected. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { collection } from '../store/contract.ts';

declare module '../store/change-kinds.ts' {
  interface ChangeKinds {
    'indexing-configuration': true;
    'thing-connectivity': true;
  }
}

export interface IndexedField {
  readonly name: string;
  readonly type: 'Number' | 'String' | 'Boolean';
}

/** What is indexed of things; what is absent is off. */
export interface ThingIndexing {
  readonly thingIndexingMode: 'OFF' | 'REGISTRY' | 'REGISTRY_AND_SHADOW';
  readonly thingConnectivityIndexingMode: 'OFF' | 'STATUS';
  readonly deviceDefenderIndexingMode: 'OFF' | 'VIOLATIONS';
  readonly namedShadowIndexingMode: 'OFF' | 'ON';
  readonly customFields: readonly IndexedField[];
  readonly namedShadowNames: readonly string[];
  readonly geoLocations: readonly { readonly name: string; readonly order: 'LatLon' | 'LonLat' }[];
}

export interface ThingGroupIndexing {
  readonly thingGroupIndexingMode: 'OFF' | 'ON';
  readonly customFields: readonly IndexedField[];
}

export interface IndexingConfigurationRecord {
  readonly accountId: string;
  readonly things: ThingIndexing;
  readonly thingGroups: ThingGroupIndexing;
}

/** A thing's last connection, or the end of it. Times are milliseconds since the epoch. */
export interface ConnectivityRecord {
  readonly accountId: string;
  readonly thingName: string;
  /** Absent of a record of an earlier version. */
  readonly clientId?: string;
  readonly connected: boolean;
  readonly timestamp: number;
  readonly disconnectReason?: string;
  readonly version?: number;
}

export const indexingConfigurations = collection<IndexingConfigurationRecord>(
  'indexing-configurations',
  (c) => [c.accountId],
  {},
  { changes: 'indexing-configuration' },
);

export const connectivity = collection<ConnectivityRecord>(
  'thing-connectivity',
  (c) => [c.accountId, c.thingName],
  { connected: (c) => (c.connected ? [[c.accountId, c.thingName]] : []) },
  { changes: 'thing-connectivity' },
);

export interface FleetMetricType {
  readonly name: 'Statistics' | 'Percentiles' | 'Cardinality';
  /** Names of statistics, or percentiles; none of a cardinality. */
  readonly values: readonly string[];
}

/** Times are milliseconds since the epoch. */
export interface FleetMetricRecord {
  readonly accountId: string;
  readonly metricName: string;
  readonly indexName: 'AWS_Things' | 'AWS_ThingGroups';
  readonly queryString: string;
  readonly queryVersion: string;
  readonly aggregationType: FleetMetricType;
  readonly aggregationField: string;
  /** Seconds. */
  readonly period: number;
  readonly unit: NonNullable<IotOperations['CreateFleetMetric']['input']['unit']>;
  readonly description?: string;
  readonly createdAt: number;
  readonly lastModifiedAt: number;
  readonly version: number;
  /** When it is evaluated next. */
  readonly dueAt: number;
  /** What came of the last evaluation, where something did. */
  readonly latest?: Readonly<Record<string, number>>;
}

/** Points of a metric that are kept at most. */
export const MAX_POINTS = 1_440;

/** What a fleet metric was in a period. */
export interface FleetMetricPointRecord {
  readonly accountId: string;
  readonly metricName: string;
  /** The number of the period, counted modulo {@link MAX_POINTS}: a newer point takes the place of the oldest. */
  readonly slot: number;
  /** The beginning of the period. */
  readonly at: number;
  /** By the name of the statistic, by the percentile, or `cardinality`. */
  readonly values: Readonly<Record<string, number>>;
}

export const fleetMetrics = collection<FleetMetricRecord>('fleet-metrics', (m) => [m.accountId, m.metricName], {
  byDue: (m) => [[m.dueAt, m.accountId, m.metricName]],
});

export const fleetMetricPoints = collection<FleetMetricPointRecord>(
  'fleet-metric-points',
  (p) => [p.accountId, p.metricName, p.slot],
  { byTime: (p) => [[p.accountId, p.metricName, p.at]] },
);
