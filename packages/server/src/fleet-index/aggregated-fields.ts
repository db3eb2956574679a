/**
 * Fields that aggregations take: those that are there by themselves, as the sources that are on give them, and custom fields
 * (developer guide, page managing-fleet-index). Pure.
 */
import { fail } from '@thingkeep/wire/errors.ts';
import { fullName, type IndexName } from './query/fields.ts';
import type { IndexedField, IndexingConfigurationRecord } from './store.ts';

const field = (name: string, type: IndexedField['type']): IndexedField => ({ name, type });

/** Fields that are there by themselves (developer guide, page managing-fleet-index, "Managed fields"). */
export function managedFields(name: IndexName, { things, thingGroups }: IndexingConfigurationRecord): readonly IndexedField[] {
  if (name === 'AWS_ThingGroups')
    return thingGroups.thingGroupIndexingMode === 'OFF'
      ? []
      : [
          ...['thingGroupName', 'thingGroupId', 'description', 'parentGroupNames'].map((each) => field(each, 'String')),
          field('version', 'Number'),
        ];
  const { thingIndexingMode, thingConnectivityIndexingMode, namedShadowIndexingMode, deviceDefenderIndexingMode } = things;
  const registry = ['thingName', 'thingId', 'registry.thingTypeName', 'registry.thingGroupNames'].map((each) =>
    field(each, 'String'),
  );
  const of = (isOn: boolean, fields: readonly IndexedField[]): readonly IndexedField[] => (isOn ? fields : []);
  return [
    ...of(thingIndexingMode !== 'OFF', [...registry, field('registry.version', 'Number')]),
    ...of(thingIndexingMode === 'REGISTRY_AND_SHADOW', [field('shadow.version', 'Number'), field('shadow.hasDelta', 'Boolean')]),
    ...of(namedShadowIndexingMode === 'ON', [
      field('shadow.name.*.version', 'Number'),
      field('shadow.name.*.hasDelta', 'Boolean'),
    ]),
    ...of(thingConnectivityIndexingMode === 'STATUS', [
      field('connectivity.connected', 'Boolean'),
      ...[field('connectivity.timestamp', 'Number'), field('connectivity.version', 'Number')],
      field('connectivity.disconnectReason', 'String'),
    ]),
    ...of(deviceDefenderIndexingMode === 'VIOLATIONS', [
      ...[field('deviceDefender.violationCount', 'Number'), field('deviceDefender.version', 'Number')],
      field('deviceDefender.*.*.metricName', 'String'),
      ...[field('deviceDefender.*.*.lastViolationTime', 'Number'), field('deviceDefender.*.*.inViolation', 'Boolean')],
    ]),
  ];
}

/** A managed field whose name has stars stands for all names of that form. */
const standsFor = (managed: string, name: string): boolean => {
  const [parts, given] = [managed.split('.'), name.split('.')];
  return parts.length === given.length && parts.every((part, i) => part === '*' || part === given[i]);
};

const findAggregated = (name: IndexName, record: IndexingConfigurationRecord, written: string): IndexedField | undefined => {
  const custom = name === 'AWS_Things' ? record.things.customFields : record.thingGroups.customFields;
  const wanted = fullName(name, written);
  const managed = managedFields(name, record).find((each) => standsFor(each.name, wanted));
  return custom.find((each) => each.name === wanted) ?? (managed && { ...managed, name: wanted });
};

/** Whether aggregations take a field. */
export const isAggregated = (name: IndexName, record: IndexingConfigurationRecord, written: string): boolean =>
  findAggregated(name, record, written) !== undefined;

/** The field of an aggregation; fails with InvalidAggregationException for one that is neither managed nor configured. */
export function aggregatedField(name: IndexName, record: IndexingConfigurationRecord, written: string): IndexedField {
  const found = findAggregated(name, record, written);
  return found ?? fail('InvalidAggregationException', `The field ${written} is neither a managed field nor a custom field.`);
}
