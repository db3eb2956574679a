/** What an account has indexed: what a configuration may say, and what documents are made of by it. Pure. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ThingSources } from './documents/thing-document.ts';
import type { IndexName } from './query/fields.ts';
import type { IndexedField, IndexingConfigurationRecord, ThingGroupIndexing, ThingIndexing } from './store.ts';

type GivenConfiguration = IotOperations['UpdateIndexingConfiguration']['input'];
type GivenThings = NonNullable<GivenConfiguration['thingIndexingConfiguration']>;
type GivenGroups = NonNullable<GivenConfiguration['thingGroupIndexingConfiguration']>;
type GivenFields = GivenThings['customFields'];

/** General Reference, "Fleet indexing". */
const MAX_CUSTOM_FIELDS = 5;
const MAX_SHADOW_NAMES = 10;
const MAX_LOCATIONS = 1;

const NOTHING_OF_THINGS: ThingIndexing = {
  thingIndexingMode: 'OFF',
  thingConnectivityIndexingMode: 'OFF',
  deviceDefenderIndexingMode: 'OFF',
  namedShadowIndexingMode: 'OFF',
  customFields: [],
  namedShadowNames: [],
  geoLocations: [],
};
const NOTHING_OF_GROUPS: ThingGroupIndexing = { thingGroupIndexingMode: 'OFF', customFields: [] };

/** The configuration of an account that never made one. */
export const unconfigured = (accountId: string): IndexingConfigurationRecord => ({
  accountId,
  things: NOTHING_OF_THINGS,
  thingGroups: NOTHING_OF_GROUPS,
});

const refuse = (message: string): never => fail('InvalidRequestException', message);

/** Where a field of shadows comes from: undefined for a field that is none of a shadow; '' for the classic shadow. */
export function shadowOf(field: string): string | undefined {
  const [, named] = /^shadow\.name\.([^.]+)\../.exec(field) ?? [];
  return named ?? (field.startsWith('shadow.') ? '' : undefined);
}

const CUSTOM_FIELD = /^(?:attributes|shadow\.(?:name\.[\w:$-]+\.)?(?:desired|reported)|deviceDefender)\.[\w-]+(?:\.[\w-]+)*$/;

/** Whether the sources of a configuration have a field. */
export function isOfSource(field: string, things: ThingIndexing): boolean {
  if (things.thingIndexingMode === 'OFF') return false;
  if (field.startsWith('connectivity.')) return things.thingConnectivityIndexingMode !== 'OFF';
  if (field.startsWith('deviceDefender.')) return things.deviceDefenderIndexingMode !== 'OFF';
  const shadow = shadowOf(field);
  if (shadow === undefined) return true;
  if (shadow === '') return things.thingIndexingMode === 'REGISTRY_AND_SHADOW';
  return things.namedShadowIndexingMode === 'ON' && things.namedShadowNames.includes(shadow);
}

function customFields(given: GivenFields): readonly IndexedField[] {
  if ((given ?? []).length > MAX_CUSTOM_FIELDS) refuse(`At most ${MAX_CUSTOM_FIELDS} custom fields can be configured.`);
  const fields = (given ?? []).map(({ name, type }) => {
    if (name === undefined || type === undefined) return refuse('A custom field has a name and a type.');
    if (!CUSTOM_FIELD.test(name)) refuse(`${name} is no valid custom field.`);
    return { name, type };
  });
  if (new Set(fields.map(({ name }) => name)).size < fields.length) refuse('A custom field is given more than once.');
  return fields;
}

function geoLocations(given: NonNullable<GivenThings['filter']>['geoLocations']): ThingIndexing['geoLocations'] {
  if ((given ?? []).length > MAX_LOCATIONS) refuse(`At most ${MAX_LOCATIONS} geolocation target can be configured.`);
  return (given ?? []).map(({ name, order = 'LatLon' }) =>
    name === undefined || shadowOf(name) === undefined ? refuse('A geolocation target is a field of a shadow.') : { name, order },
  );
}

function refuseSourcesOfNothing(things: ThingIndexing): void {
  if (things.thingIndexingMode !== 'OFF') return;
  const { thingConnectivityIndexingMode, deviceDefenderIndexingMode, namedShadowIndexingMode } = things;
  if ([thingConnectivityIndexingMode, deviceDefenderIndexingMode, namedShadowIndexingMode].some((mode) => mode !== 'OFF'))
    refuse('Connectivity, violations and named shadows can be indexed only when thingIndexingMode is not OFF.');
}

function thingIndexing(given: GivenThings): ThingIndexing {
  const things: ThingIndexing = {
    thingIndexingMode: given.thingIndexingMode ?? refuse('thingIndexingMode is required.'),
    thingConnectivityIndexingMode: given.thingConnectivityIndexingMode ?? 'OFF',
    deviceDefenderIndexingMode: given.deviceDefenderIndexingMode ?? 'OFF',
    namedShadowIndexingMode: given.namedShadowIndexingMode ?? 'OFF',
    customFields: customFields(given.customFields),
    namedShadowNames: [...new Set(given.filter?.namedShadowNames)],
    geoLocations: geoLocations(given.filter?.geoLocations),
  };
  refuseSourcesOfNothing(things);
  const counted = things.namedShadowNames.filter((name) => name !== '$package');
  if (counted.length > MAX_SHADOW_NAMES) refuse(`At most ${MAX_SHADOW_NAMES} named shadows can be indexed.`);
  if (things.namedShadowIndexingMode === 'ON' && things.namedShadowNames.length === 0)
    refuse('Named shadows are indexed when filter.namedShadowNames says which.');
  for (const { name } of [...things.customFields, ...things.geoLocations])
    if (!isOfSource(name, things)) refuse(`The field ${name} is of a source that is not indexed.`);
  return things;
}

function thingGroupIndexing({ thingGroupIndexingMode, customFields: given }: GivenGroups): ThingGroupIndexing {
  const fields = customFields(given);
  for (const { name } of fields) if (!name.startsWith('attributes.')) refuse(`${name} is no valid custom field.`);
  return {
    thingGroupIndexingMode: thingGroupIndexingMode ?? refuse('thingGroupIndexingMode is required.'),
    customFields: fields,
  };
}

/** A configuration with what is given replaced, each of the two as a whole. */
export const configured = (before: IndexingConfigurationRecord, given: GivenConfiguration): IndexingConfigurationRecord => ({
  accountId: before.accountId,
  things: given.thingIndexingConfiguration === undefined ? before.things : thingIndexing(given.thingIndexingConfiguration),
  thingGroups:
    given.thingGroupIndexingConfiguration === undefined
      ? before.thingGroups
      : thingGroupIndexing(given.thingGroupIndexingConfiguration),
});

export const isIndexed = (name: IndexName, { things, thingGroups }: IndexingConfigurationRecord): boolean =>
  (name === 'AWS_Things' ? things.thingIndexingMode : thingGroups.thingGroupIndexingMode) !== 'OFF';

/** What documents of things are made of. */
export const thingSources = (things: ThingIndexing): ThingSources => ({
  connectivity: things.thingConnectivityIndexingMode === 'STATUS',
  classicShadow: things.thingIndexingMode === 'REGISTRY_AND_SHADOW',
  namedShadows: things.namedShadowIndexingMode === 'ON',
  locations: things.geoLocations,
});
