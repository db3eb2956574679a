/**
 * Query strings of the fleet index: what they mean, and what is refused (developer guide, pages query-syntax, example-queries).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { IndexName } from './fields.ts';
import { DYNAMIC_GROUP_LIMITS, parseIndexQuery } from './parse.ts';
import type { ValueMatcher, Query } from './query.ts';

/** A short form of a query, for comparison: fields in full, operators in brackets. */
function short(query: Query): string {
  const shortMatcher = (matcher: ValueMatcher): string => {
    switch (matcher.kind) {
      case 'equals':
        return `=${matcher.text}`;
      case 'present':
        return '=*';
      case 'pattern':
        return `~${matcher.parts.map((part) => (part === 'any-text' ? '*' : part === 'one-character' ? '?' : part.literal)).join('|')}`;
      case 'range':
        return `${matcher.low?.inclusive === true ? '[' : '{'}${matcher.low?.value ?? ''}..${matcher.high?.value ?? ''}${matcher.high?.inclusive === true ? ']' : '}'}`;
      case 'near':
        return `@${matcher.latitude},${matcher.longitude},${matcher.meters}`;
    }
  };
  switch (query.kind) {
    case 'all':
      return '*';
    case 'not':
      return `!${short(query.of)}`;
    case 'and':
    case 'or':
      return `(${query.of.map(short).join(query.kind === 'and' ? ' & ' : ' | ')})`;
    case 'term':
      return `${query.field ?? ''}${shortMatcher(query.matcher)}`;
  }
}

const MEANINGS: readonly (readonly [text: string, meaning: string])[] = [
  ['abc', '=abc'],
  ['*', '*'],
  ['thingName:myThingName', 'thingName=mythingname'],
  ['thingName:my*', 'thingName~my|*'],
  ['thingName:*my', 'thingName~*|my'],
  ['thingName:*my*', 'thingName~*|my|*'],
  ['thingName:ab?', 'thingName~ab|?'],
  ['thingTypeName:aa', 'registry.thingTypeName=aa'],
  ['registry.thingTypeName:aa', 'registry.thingTypeName=aa'],
  ['thingGroupNames:a*', 'registry.thingGroupNames~a|*'],
  ['attributes.myAttribute:75', 'attributes.myAttribute=75'],
  ['attributes.myAttribute:[75 TO 80]', 'attributes.myAttribute[75..80]'],
  ['attributes.myAttribute:{75 TO 80]', 'attributes.myAttribute{75..80]'],
  ['attributes.myAttribute:[-5 TO -1}', 'attributes.myAttribute[-5..-1}'],
  ['attributes.myAttribute:[* TO 80]', 'attributes.myAttribute{..80]'],
  ['attributes.myAttribute:[* TO *]', 'attributes.myAttribute=*'],
  ['attributes.serialNumber:["abcd" TO "ABCF"]', 'attributes.serialNumber[abcd..abcf]'],
  ['attributes.myAttribute:i*t', 'attributes.myAttribute~i|*|t'],
  [
    'attributes.attr1:abc AND attributes.attr2<5 NOT attributes.attr3>10',
    '(attributes.attr1=abc & attributes.attr2{..5} & !attributes.attr3{10..})',
  ],
  ['shadow.hasDelta:true', 'shadow.hasDelta=true'],
  ['NOT attributes.model:legacy', '!attributes.model=legacy'],
  ['shadow.reported.stats.battery:{70 TO 100]', 'shadow.reported.stats.battery{70..100]'],
  ['shadow.reported.stats.battery > 70.5', 'shadow.reported.stats.battery{70.5..}'],
  ['shadow.reported.stats.battery>=70', 'shadow.reported.stats.battery[70..}'],
  ['shadow.reported.stats.battery <= -1e3', 'shadow.reported.stats.battery{..-1000]'],
  ['shadow.name.a.desired.b:c', 'shadow.name.a.desired.b=c'],
  ['shadow.name.$package.reported.p.version:1.0', 'shadow.name.$package.reported.p.version=1.0'],
  ['connectivity.connected:true', 'connectivity.connected=true'],
  ['connectivity.timestamp : [1557651600000 TO 1557867600000]', 'connectivity.timestamp[1557651600000..1557867600000]'],
  ['deviceDefender.violationCount:*', 'deviceDefender.violationCount=*'],
  ['deviceDefender.profile.behavior.inViolation:true', 'deviceDefender.profile.behavior.inViolation=true'],
  ['shadow.reported.location:geo_distance,-33.8,-151.2,15.5km', 'shadow.reported.location@-33.8,-151.2,15500'],
  ['shadow.reported.location:geo_distance,0,0,100', 'shadow.reported.location@0,0,100'],
  ['a b', '(=a & =b)'],
  ['a OR b c', '(=a | (=b & =c))'],
  ['a AND b OR NOT c AND d', '((=a & =b) | (!=c & =d))'],
  ['(a OR b) c', '((=a | =b) & =c)'],
  ['thingName:(tv* AND -plasma)', '(thingName~tv|* & !thingName=plasma)'],
  ['thingName:(a OR "b c" OR [1 TO 2])', '(thingName=a | thingName=b c | thingName[1..2])'],
  ['NOT NOT a', '=a'],
  ['-a', '!=a'],
  ['a-b', '=a-b'],
  ['thingName:-a', 'thingName=-a'],
  ['and', '=and'],
  ['thingName:a\\:b\\*\\?c', 'thingName=a:b*?c'],
  ['attributes.a\\/b:c', 'attributes.a/b=c'],
  ['"two words"', '=two words'],
  ['a\u00a0b', '=a\u00a0b'],
  ['a\u2003b', '(=a & =b)'],
];

test('section 30: a query string has one meaning', () => {
  for (const [text, meaning] of MEANINGS) assert.equal(short(parseIndexQuery('AWS_Things', text)), meaning, text);
});

test('section 30: fields of the index of thing groups', () => {
  assert.equal(
    short(parseIndexQuery('AWS_ThingGroups', 'parentGroupNames:a description:b* attributes.c:1')),
    '(parentGroupNames=a & description~b|* & attributes.c=1)',
  );
});

const refusal = (text: string, index: IndexName = 'AWS_Things', limits = undefined as { terms: number } | undefined): string => {
  try {
    parseIndexQuery(index, text, limits);
  } catch (error) {
    assert.ok(error instanceof ThingkeepError, text);
    assert.equal(error.code, 'InvalidQueryException', text);
    return error.message;
  }
  return assert.fail(`${text} is taken`);
};

test('section 30: bad syntax is InvalidQueryException, and says where', () => {
  for (const text of [
    ...['', '   ', 'a AND', 'OR a', 'NOT', 'a OR OR b', '()', '(a', 'a)', 'thingName:', 'thingName:()', ':a', 'a:b:c'],
    ...['thingName:(attributes.a:b)', '[1 TO 2]', 'attributes.a:[1 TO "b"]', 'attributes.a:[a TO b]', 'attributes.a:[1 2]'],
    ...[
      'attributes.a:[1 TO 2',
      'attributes.a>b',
      'attributes.a>"1"',
      'attributes.a>',
      '"open',
      'end\\',
      'a/b',
      'a@b',
      'a,b',
      'x;y',
    ],
    ...['thingName:a*b*c*', 'thingName:a??????', 'thingName:*a thingTypeName:*b', `thingName:*a ${'x'.repeat(100)}`],
    ...['geo_distance,1,2,3km', 'shadow.reported.l:geo_distance,91,0,1km', 'shadow.reported.l:geo_distance,0,181,1km'],
    ...['shadow.reported.l:geo_distance,0,0,1parsec', 'shadow.reported.l:geo_distance,0,0', 'attributes.a:[1 TO 2]]'],
    ...['foo:bar', 'registry.version:1', 'shadow.version:1', 'shadow.name.a.version:1', 'ThingName:a', 'thingGroupName:a'],
    ...['(', `${'('.repeat(40)}a${')'.repeat(40)}`, 'a '.repeat(501)],
  ])
    assert.notEqual(refusal(text), '', text);
  assert.equal(refusal('a)'), ') is not expected at position 2 of the query string.');
  refusal('thingName:a', 'AWS_ThingGroups');
});

test('section 30: 12 terms, 1000 characters; section 21.3: 5 terms of a dynamic group', () => {
  const terms = (n: number): string => Array.from({ length: n }, (_, i) => `t${i}`).join(' ');
  parseIndexQuery('AWS_Things', terms(12));
  assert.match(refusal(terms(13)), /more than 12 terms/);
  parseIndexQuery('AWS_Things', terms(5), DYNAMIC_GROUP_LIMITS);
  assert.match(refusal(terms(6), 'AWS_Things', DYNAMIC_GROUP_LIMITS), /more than 5 terms/);
  parseIndexQuery('AWS_Things', `thingName:${'a'.repeat(990)}`);
  refusal(`thingName:${'a'.repeat(991)}`);
});

test('any string has a meaning or is refused: none ends in another error', () => {
  const pieces = [
    'a',
    'b*',
    '?',
    '"',
    '\\',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ':',
    '<',
    '>',
    '=',
    '-',
    ',',
    ' ',
    'TO',
    ' AND ',
    ' OR ',
    ' NOT ',
    '1',
    '-2.5e3',
    'thingName',
    'attributes.x',
    '💡',
    'geo_distance',
  ];
  let seed = 7;
  const random = (n: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * n);
  };
  for (let i = 0; i < 20_000; i += 1) {
    const text = Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]).join('');
    try {
      parseIndexQuery('AWS_Things', text);
    } catch (error) {
      assert.ok(error instanceof ThingkeepError && error.code === 'InvalidQueryException', `${text}: ${String(error)}`);
    }
  }
});
