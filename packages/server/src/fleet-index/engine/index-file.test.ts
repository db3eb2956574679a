/** The index file: what it finds is what matches, whatever the query; documents come, change and go. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { thingDocument } from '../documents/thing-document.ts';
import type { IndexedDocument } from '../documents/values.ts';
import { matches } from '../query/matches.ts';
import { parseIndexQuery } from '../query/parse.ts';
import { statistics } from './aggregates.ts';
import { IndexFile, type IndexKey } from './index-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'fleet-index-'));
after(() => rmSync(folder, { recursive: true }));

const KEY: IndexKey = { region: 'us-east-1', accountId: '111122223333', name: 'AWS_Things' };
const SOURCES = {
  connectivity: true,
  classicShadow: true,
  namedShadows: true,
  locations: [{ name: 'shadow.reported.location', order: 'LatLon' }],
} as const;

function randomFrom(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * n);
  };
}

const WORDS = ['a', 'ab', 'abc', 'b', 'Abd', '5', '10', '7.5', 'true', 'zoo', 'x[y', '\ue000z', '💡z'];

function randomDocument(i: number, random: (n: number) => number): IndexedDocument {
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const reported = {
    n: pick([1, 2.5, -3, 10, 'text', true, false, null]),
    s: pick(WORDS),
    list: [pick(WORDS), random(5)],
    ...(random(2) === 0 && { location: { lat: random(4), lon: random(4) } }),
  };
  return thingDocument(
    {
      thingName: `thing-${i}`,
      thingId: `id-${i}`,
      ...(random(2) === 0 && { thingTypeName: pick(['Pump', 'Lamp']) }),
      attributes: { a: pick(WORDS), ...(random(3) === 0 && { b: pick(WORDS) }) },
      version: 1 + random(5),
      groupNames: ['g1', 'g2', 'g3'].filter(() => random(3) === 0),
      ...{ dynamicGroups: [], staticGroups: 0 },
      ...(random(2) === 0 && { connectivity: { connected: random(2) === 0, timestamp: random(1000) } }),
      classicShadow: random(4) === 0 ? undefined : { reported, desired: { n: random(3) }, version: random(9) },
    },
    SOURCES,
  );
}

const TERMS = [
  ...[
    'a',
    'abc',
    'true',
    '5',
    '7.5',
    'pump',
    '10',
    '*',
    'thingName:thing-1*',
    'thingName:*7',
    'thingTypeName:Pump',
    'thingGroupNames:g1',
  ],
  ...['attributes.a:ab*', 'attributes.a:a?c', 'attributes.a:[5 TO 10}', 'attributes.a:{5 TO *]', 'attributes.a:["a" TO "abc"}'],
  ...['attributes.a:["abc" TO *]', 'attributes.a:[* TO "b"]', 'attributes.b:*', 'shadow.reported.n:true', 'shadow.reported.n:1'],
  ...['shadow.reported.n>1', 'shadow.reported.n<=2.5', 'shadow.reported.s:(abc OR zoo)', 'shadow.reported.list:3'],
  ...[
    'shadow.reported.location:geo_distance,1,1,160km',
    'shadow.desired.n:[0 TO 1]',
    'connectivity.connected:true',
    'shadow.hasDelta:false',
  ],
  ...['attributes.missing:x', 'attributes.missing:*', 'attributes.a:x\\[y', 'attributes.a:x\\[?', 'attributes.a:["x" TO *}'],
];

test('section 30: a search gives the documents that match, for a thousand random queries', () => {
  const random = randomFrom(20);
  const file = new IndexFile(':memory:', () => 0);
  const documents = Array.from({ length: 300 }, (_, i) => randomDocument(i, random));
  file.update(KEY, documents, []);
  file.update({ ...KEY, accountId: '444455556666' }, documents.slice(0, 50), []);
  const clause = (depth: number): string => {
    const kind = random(depth > 2 ? 2 : 6);
    if (kind === 2) return `NOT ${clause(depth + 1)}`;
    if (kind === 3) return `(${clause(depth + 1)} OR ${clause(depth + 1)})`;
    if (kind === 4) return `(${clause(depth + 1)} AND ${clause(depth + 1)})`;
    return TERMS[random(TERMS.length)] as string;
  };
  for (let i = 0; i < 1000; i += 1) {
    const text = i < TERMS.length ? (TERMS[i] as string) : clause(0);
    const query = (() => {
      try {
        return parseIndexQuery('AWS_Things', text);
      } catch {
        return undefined;
      }
    })();
    if (query === undefined) continue;
    const wanted = documents.filter((document) => matches(query, document)).map(({ name }) => name);
    const found = file.search(KEY, query, 0, 1000).map(({ shown }) => (JSON.parse(shown) as { thingName: string }).thingName);
    assert.deepEqual(found, wanted, text);
    assert.equal(file.count(KEY, query), wanted.length, text);
  }
  file.close();
});

test('section 31.1: pages give each document once', () => {
  const random = randomFrom(3);
  const file = new IndexFile(':memory:', () => 0);
  file.update(
    KEY,
    Array.from({ length: 100 }, (_, i) => randomDocument(i, random)),
    [],
  );
  for (const text of ['*', 'attributes.a:a*', 'thingName:thing* NOT thingGroupNames:g1', 'a OR b']) {
    const query = parseIndexQuery('AWS_Things', text);
    const all = file.search(KEY, query, 0, 1000).map(({ id }) => id);
    const paged: number[] = [];
    for (let page = file.search(KEY, query, 0, 7); page.length > 0; page = file.search(KEY, query, paged.at(-1) ?? 0, 7))
      paged.push(...page.map(({ id }) => id));
    assert.deepEqual(paged, all, text);
  }
  file.close();
});

test('a document that changes or goes leaves nothing behind', () => {
  const random = randomFrom(9);
  const file = new IndexFile(':memory:', () => 0);
  const kept = new Map<string, IndexedDocument>();
  for (let round = 0; round < 40; round += 1) {
    const put = Array.from({ length: 10 }, () => randomDocument(random(60), random));
    const removed = Array.from({ length: 4 }, () => `thing-${random(60)}`);
    file.update(KEY, put, removed);
    for (const document of put) kept.set(document.name, document);
    for (const name of removed) kept.delete(name);
  }
  const fresh = new IndexFile(':memory:', () => 0);
  fresh.update(KEY, [...kept.values()], []);
  const content = (of: IndexFile): unknown =>
    of.rows({
      text: `SELECT documents.name, shown_of.name AS field, CASE typeof(value) WHEN 'blob' THEN hex(value) ELSE value END AS value, terms.shown
        FROM terms JOIN documents ON documents.id = terms.id JOIN fields AS shown_of ON shown_of.id = terms.field
        ORDER BY documents.name, shown_of.name, value`,
      values: [],
    });
  assert.deepEqual(content(file), content(fresh));
  // An attribute that is renamed again and again has one field.
  const renamed = (i: number): IndexedDocument => ({
    name: 'renamed',
    shown: {},
    terms: [{ field: `attributes.a${i}`, value: i }],
    points: [],
  });
  for (let i = 0; i < 50; i += 1) file.update(KEY, [renamed(i)], []);
  file.update(KEY, [], ['renamed']);
  const fields = (of: IndexFile): unknown => of.rows({ text: 'SELECT name FROM fields ORDER BY name', values: [] });
  assert.deepEqual(fields(file), fields(fresh));
  assert.deepEqual(file.names(KEY, '', 100), [...kept.keys()].toSorted());
  file.drop(KEY);
  for (const table of ['indexes', 'fields', 'documents', 'terms', 'points'])
    assert.equal(file.rows({ text: `SELECT count(*) AS n FROM ${table}`, values: [] })[0]?.n, 0, table);
  file.close();
});

test('a query that is over its time ends, whatever it looks at', () => {
  const file = new IndexFile(':memory:', () => 0);
  const terms = [
    { field: 'attributes.a', value: 'a' },
    { field: 'registry.version', value: 1 },
  ];
  const documents = Array.from({ length: 1_100 }, (_, i): IndexedDocument => ({ name: `${i}`, shown: {}, terms, points: [] }));
  file.update(KEY, documents, []);
  file.startTime(-1);
  const late = /The query has taken too long/;
  for (const text of ['attributes.a:a', 'a*', '*', 'NOT attributes.a:b', 'attributes.a:a AND NOT b', 'a OR NOT b']) {
    const query = parseIndexQuery('AWS_Things', text);
    assert.throws(() => file.search(KEY, query, 0, 2_000), late, text);
    assert.throws(() => file.count(KEY, query), late, text);
    assert.throws(() => statistics(file, KEY, query, { name: 'registry.version', type: 'Number' }), late, text);
  }
  file.startTime();
  assert.equal(file.count(KEY, parseIndexQuery('AWS_Things', 'a*')), 1_100);
  file.close();
});

test('an index is found again after a close; a damaged file and one of another form are made anew', () => {
  const path = join(folder, 'fleet-index.db');
  const first = new IndexFile(path, () => 0);
  assert.equal(first.isNew, true);
  for (const suffix of ['', '-wal']) assert.equal(statSync(`${path}${suffix}`).mode & 0o077, 0, 'for the owner alone');
  first.update(KEY, [randomDocument(1, randomFrom(1))], []);
  first.close();
  const second = new IndexFile(path, () => 0);
  assert.equal(second.isNew, false);
  assert.deepEqual(second.names(KEY, '', 10), ['thing-1']);
  second.close();
  writeFileSync(path, Buffer.alloc(40_000, 7));
  const third = new IndexFile(path, () => 0);
  assert.equal(third.isNew, true);
  assert.deepEqual(third.names(KEY, '', 10), []);
  third.close();
});
