/** The document of a thing in `AWS_Things`: what a search gives of it, and what it is found by. Pure. */
import { defined } from '@thingkeep/wire/defined.ts';
import { attributeTerms, boundedTerms, flatten, textTerm } from './flatten.ts';
import { type CoordinateOrder, pointOf, under } from './points.ts';
import type { Connectivity, IndexedShadow, IndexedThing } from './sources.ts';
import type { IndexedDocument, IndexedTerm, LocatedTerm } from './values.ts';

/** What is indexed of things. */
export interface ThingSources {
  readonly connectivity: boolean;
  readonly classicShadow: boolean;
  readonly namedShadows: boolean;
  readonly locations: readonly { readonly name: string; readonly order: CoordinateOrder }[];
}

const hasDelta = ({ delta }: IndexedShadow): boolean => delta !== undefined && Object.keys(delta).length > 0;

function* shadowTerms(field: string, shadow: IndexedShadow): Generator<IndexedTerm> {
  const { desired, reported, delta, metadata } = shadow;
  for (const [part, json] of Object.entries({ desired, reported, delta, metadata })) yield* flatten(`${field}.${part}`, json);
  yield { field: `${field}.version`, value: shadow.version };
  yield { field: `${field}.hasDelta`, value: hasDelta(shadow) };
}

const shownShadow = (shadow: IndexedShadow): object => ({
  ...defined({ desired: shadow.desired, reported: shadow.reported, delta: shadow.delta, metadata: shadow.metadata }),
  hasDelta: hasDelta(shadow),
  version: shadow.version,
});

/** The document's `shadow`: JSON as a text (model: ThingDocument); undefined where there is none. */
function shownShadows({ classicShadow, namedShadows = {} }: IndexedThing): string | undefined {
  const names = Object.keys(namedShadows);
  if (classicShadow === undefined && names.length === 0) return undefined;
  const named = Object.fromEntries(Object.entries(namedShadows).map(([name, shadow]) => [name, shownShadow(shadow)]));
  return JSON.stringify({ ...(classicShadow && shownShadow(classicShadow)), ...(names.length > 0 && { name: named }) });
}

function* connectivityTerms({ connectivity }: IndexedThing): Generator<IndexedTerm> {
  if (connectivity === undefined) return;
  const { connected, timestamp, disconnectReason, version } = connectivity;
  yield { field: 'connectivity.connected', value: connected };
  if (timestamp !== undefined) yield { field: 'connectivity.timestamp', value: timestamp };
  if (disconnectReason !== undefined) yield textTerm('connectivity.disconnectReason', disconnectReason);
  if (version !== undefined) yield { field: 'connectivity.version', value: version };
}

function* registryTerms({
  thingName,
  thingId,
  thingTypeName,
  groupNames,
  attributes,
  version,
}: IndexedThing): Generator<IndexedTerm> {
  yield textTerm('thingName', thingName);
  yield textTerm('thingId', thingId);
  yield { field: 'registry.version', value: version };
  if (thingTypeName !== undefined) yield textTerm('registry.thingTypeName', thingTypeName);
  for (const name of groupNames) yield textTerm('registry.thingGroupNames', name);
  for (const [name, value] of Object.entries(attributes)) yield* attributeTerms(`attributes.${name}`, value);
}

function* allTerms(facts: IndexedThing): Generator<IndexedTerm> {
  yield* registryTerms(facts);
  yield* connectivityTerms(facts);
  if (facts.classicShadow !== undefined) yield* shadowTerms('shadow', facts.classicShadow);
  for (const [name, shadow] of Object.entries(facts.namedShadows ?? {})) yield* shadowTerms(`shadow.name.${name}`, shadow);
}

/** Points of the fields that are configured as locations; other values of these fields are no points. */
function points({ classicShadow, namedShadows = {} }: IndexedThing, { locations }: ThingSources): readonly LocatedTerm[] {
  const shadow = { ...classicShadow, name: namedShadows };
  return locations.flatMap(({ name, order }) => {
    const found = pointOf(under({ shadow }, name), order);
    return found === undefined ? [] : [{ field: name, ...found }];
  });
}

/** Of a thing that never connected nothing more is said (SDK reference, SearchIndex). */
const NEVER_CONNECTED: Connectivity = { connected: false };

/** What of a thing is a source of the index. */
const within = (facts: IndexedThing, sources: ThingSources): IndexedThing => ({
  ...facts,
  connectivity: sources.connectivity ? (facts.connectivity ?? NEVER_CONNECTED) : undefined,
  classicShadow: sources.classicShadow ? facts.classicShadow : undefined,
  namedShadows: sources.namedShadows ? facts.namedShadows : undefined,
});

export function thingDocument(all: IndexedThing, sources: ThingSources): IndexedDocument {
  const facts = within(all, sources);
  const { thingName, thingId, thingTypeName, groupNames, attributes, connectivity } = facts;
  const shown = defined({
    thingName,
    thingId,
    thingTypeName,
    thingGroupNames: groupNames.length > 0 ? groupNames : undefined,
    attributes,
    shadow: shownShadows(facts),
    connectivity: connectivity && defined({ ...connectivity, version: undefined }),
  });
  return { name: thingName, shown, terms: boundedTerms(allTerms(facts)), points: points(facts, sources) };
}
