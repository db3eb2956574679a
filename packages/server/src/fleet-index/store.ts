/** Records of the fleet index: what an account has indexed, and when its things were last connected. */
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
