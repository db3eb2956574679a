/** What documents of the index are made of: fields, values, points (fact sheet, sections 29 and 31). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pointOf } from './points.ts';
import type { IndexedThing } from './sources.ts';
import { thingDocument, type ThingSources } from './thing-document.ts';
import { thingGroupDocument } from './thing-group-document.ts';
import type { IndexedDocument } from './values.ts';

const ALL: ThingSources = { connectivity: true, classicShadow: true, namedShadows: true, locations: [] };
const NONE: ThingSources = { connectivity: false, classicShadow: false, namedShadows: false, locations: [] };

const FACTS: IndexedThing = {
  thingName: 'Pump-1',
  thingId: 'f0',
  thingTypeName: 'Pump',
  attributes: { floor: '3', Color: 'Red', odd: '03' },
  version: 4,
  groupNames: ['g', 'Billing'],
  dynamicGroups: [],
  staticGroups: 1,
  connectivity: { connected: false, timestamp: 5000, disconnectReason: 'CONNECTION_LOST', version: 7 },
  classicShadow: {
    desired: { led: 'on', deep: { er: 1 } },
    reported: { led: 'OFF', list: [1, 'B', [2], { a: 1 }, null], nothing: null, on: true, 'a.b': 2 },
    delta: { led: 'on' },
    metadata: { reported: { led: { timestamp: 12 } } },
    version: 9,
  },
  namedShadows: { cfg: { reported: { x: 1.5 }, version: 2 } },
};

const fieldsOf = ({ terms }: IndexedDocument): Record<string, unknown[]> => {
  const grouped = Map.groupBy(terms, ({ field }) => field);
  return Object.fromEntries([...grouped].map(([field, values]) => [field, values.map(({ value }) => value)]));
};

test('section 29: fields of a thing with every source', () => {
  assert.deepEqual(fieldsOf(thingDocument(FACTS, ALL)), {
    thingName: ['pump-1'],
    thingId: ['f0'],
    'registry.version': [4],
    'registry.thingTypeName': ['pump'],
    'registry.thingGroupNames': ['g', 'billing'],
    'attributes.floor': ['3', 3],
    'attributes.Color': ['red'],
    'attributes.odd': ['03'],
    'connectivity.connected': [false],
    'connectivity.timestamp': [5000],
    'connectivity.disconnectReason': ['connection_lost'],
    'connectivity.version': [7],
    'shadow.desired.led': ['on'],
    'shadow.desired.deep.er': [1],
    'shadow.reported.led': ['off'],
    'shadow.reported.list': [1, 'b'],
    'shadow.reported.on': [true],
    'shadow.reported.a.b': [2],
    'shadow.delta.led': ['on'],
    'shadow.metadata.reported.led.timestamp': [12],
    'shadow.version': [9],
    'shadow.hasDelta': [true],
    'shadow.name.cfg.reported.x': [1.5],
    'shadow.name.cfg.version': [2],
    'shadow.name.cfg.hasDelta': [false],
  });
});

test('section 31.1: what a search gives of a thing; its shadow is JSON in a text', () => {
  const { shown } = thingDocument(FACTS, ALL);
  const { shadow, ...rest } = shown;
  assert.deepEqual(rest, {
    thingName: 'Pump-1',
    thingId: 'f0',
    thingTypeName: 'Pump',
    thingGroupNames: ['g', 'Billing'],
    attributes: FACTS.attributes,
    connectivity: { connected: false, timestamp: 5000, disconnectReason: 'CONNECTION_LOST' },
  });
  const { classicShadow, namedShadows } = FACTS;
  assert.deepEqual(JSON.parse(String(shadow)), {
    ...classicShadow,
    hasDelta: true,
    name: { cfg: { ...namedShadows?.cfg, hasDelta: false } },
  });
});

test('section 29: a source that is not indexed is neither found nor shown', () => {
  const { shown, ...document } = thingDocument(FACTS, NONE);
  assert.deepEqual(
    Object.keys(fieldsOf({ ...document, shown })).filter((field) => /^(?:shadow|connectivity)/.test(field)),
    [],
  );
  assert.deepEqual(Object.keys(shown), ['thingName', 'thingId', 'thingTypeName', 'thingGroupNames', 'attributes']);
});

test('section 30: forms of a point', () => {
  const there = { latitude: 47.5, longitude: -122.25 };
  for (const json of ['POINT(-122.25 47.5)', 'point (-122.25   47.5)', '47.5,-122.25', '47.5, -122.25', [47.5, -122.25]])
    assert.deepEqual(pointOf(json, 'LatLon'), there, JSON.stringify(json));
  for (const json of ['-122.25,47.5', [-122.25, 47.5], { lat: 47.5, lon: -122.25 }, { latitude: '47.5', longitude: '-122.25' }])
    assert.deepEqual(pointOf(json, 'LonLat'), there, JSON.stringify(json));
  assert.deepEqual(pointOf({ lat: 47.5, long: -122.25 }, 'LatLon'), there);
  for (const json of ['', 'a,b', '1,2,3', 'POINT(1)', [1], {}, null, 7, true, '91,0', '0,181', { lat: 1 }])
    assert.equal(pointOf(json, 'LatLon'), undefined, JSON.stringify(json));
});

test('section 29: points are those of the configured fields', () => {
  const facts = {
    ...FACTS,
    classicShadow: { reported: { location: { lat: 1, lon: 2 }, 'b.c': '3,4' }, version: 1 },
    namedShadows: { gps: { reported: { at: [6, 5] }, version: 1 } },
  };
  const locations = [
    { name: 'shadow.reported.location', order: 'LatLon' },
    { name: 'shadow.reported.b.c', order: 'LatLon' },
    { name: 'shadow.name.gps.reported.at', order: 'LonLat' },
    { name: 'shadow.reported.missing', order: 'LonLat' },
  ] as const;
  assert.deepEqual(thingDocument(facts, { ...ALL, locations }).points, [
    { field: 'shadow.reported.location', latitude: 1, longitude: 2 },
    { field: 'shadow.reported.b.c', latitude: 3, longitude: 4 },
    { field: 'shadow.name.gps.reported.at', latitude: 5, longitude: 6 },
  ]);
});

test('section 29: fields of a thing group', () => {
  const document = thingGroupDocument({
    thingGroupName: 'G',
    thingGroupId: 'i',
    description: 'All Pumps',
    attributes: { a: '1' },
    parentGroupNames: ['P', 'Root'],
    version: 2,
  });
  assert.deepEqual(fieldsOf(document), {
    thingGroupName: ['g'],
    thingGroupId: ['i'],
    description: ['all pumps'],
    parentGroupNames: ['p', 'root'],
    'attributes.a': ['1', 1],
    version: [2],
  });
  assert.deepEqual(document.shown, {
    thingGroupName: 'G',
    thingGroupId: 'i',
    thingGroupDescription: 'All Pumps',
    attributes: { a: '1' },
    parentGroupNames: ['P', 'Root'],
  });
});

test('a document has at most as many terms as are bounded, and texts are cut', () => {
  const reported = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i]));
  const { terms } = thingDocument({ ...FACTS, classicShadow: { reported, version: 1 } }, ALL);
  assert.equal(terms.length, 10_000);
  const long = thingDocument({ ...FACTS, classicShadow: { reported: { a: 'x'.repeat(5000) }, version: 1 } }, ALL);
  assert.ok(long.terms.every(({ value }) => typeof value !== 'string' || value.length <= 1024));
});
