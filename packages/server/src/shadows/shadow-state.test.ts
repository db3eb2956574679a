/** What an update makes of a shadow's state, and its delta: facts 5.3 and 5.4, and what moto's tests saw at AWS. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isJsonObject, readTreeAt, writeTree } from './json-tree.ts';
import { deltaOf, type ShadowState, updatedState } from './shadow-state.ts';
import { documentBytes, stateMembers } from './store.ts';
import { readUpdate } from './shadow-request.ts';

const apply = (updates: readonly string[]): ShadowState => {
  let state: ShadowState = {};
  for (const update of updates) state = updatedState(state, readUpdate(Buffer.from(`{"state":${update}}`), 1).patch);
  return state;
};

const shown = ({ desired, reported }: ShadowState): string =>
  `${desired ? writeTree(desired) : '-'} ${reported ? writeTree(reported) : '-'}`;

const CASES: readonly [what: string, updates: readonly string[], desiredAndReported: string][] = [
  ['members are merged', ['{"desired":{"a":1,"b":{"c":2}}}', '{"desired":{"b":{"d":3}}}'], '{"a":1,"b":{"c":2,"d":3}} -'],
  ['a member keeps its place when it changes', ['{"reported":{"a":1,"b":2}}', '{"reported":{"a":3}}'], '- {"a":3,"b":2}'],
  ['null removes a member', ['{"desired":{"a":1,"b":2}}', '{"desired":{"a":null}}'], '{"b":2} -'],
  ['the last member takes its section with it', ['{"desired":{"a":1}}', '{"desired":{"a":null}}'], '- -'],
  ['null removes a section', ['{"desired":{"a":1},"reported":{"a":1}}', '{"desired":null}'], '- {"a":1}'],
  ['a state of null empties the shadow', ['{"desired":{"a":1},"reported":{"a":1}}', 'null'], '- -'],
  ['an empty section sets nothing', ['{"desired":{}}'], '- -'],
  ['an empty section changes nothing', ['{"desired":{"a":1}}', '{"desired":{}}'], '{"a":1} -'],
  ['an empty object is a value', ['{"desired":{"a":1,"d":{}}}'], '{"a":1,"d":{}} -'],
  [
    'an empty object takes the place of a number',
    ['{"desired":{"b":{"c":3}}}', '{"desired":{"b":{"c":{}}}}'],
    '{"b":{"c":{}}} -',
  ],
  ['an object takes the place of a number', ['{"desired":{"c":3}}', '{"desired":{"c":{"d":3}}}'], '{"c":{"d":3}} -'],
  ['a number takes the place of an object', ['{"desired":{"c":{"d":3}}}', '{"desired":{"c":3}}'], '{"c":3} -'],
  ['an empty object merges nothing', ['{"desired":{"c":{"d":3}}}', '{"desired":{"c":{}}}'], '{"c":{"d":3}} -'],
  ['an object that is emptied stays', ['{"desired":{"c":{"d":3}}}', '{"desired":{"c":{"d":null}}}'], '{"c":{}} -'],
  ['new nulls set nothing', ['{"reported":{"online":null}}'], '- -'],
  ['new objects of nulls set nothing', ['{"reported":{"a":{"b":null,"c":{"d":null}},"e":{"f":null,"g":1}}}'], '- {"e":{"g":1}}'],
  ['arrays are replaced as a whole', ['{"reported":{"a":[1,2,3]}}', '{"reported":{"a":[4]}}'], '- {"a":[4]}'],
  ['names of JavaScript are names', ['{"reported":{"__proto__":1,"toString":2}}'], '- {"__proto__":1,"toString":2}'],
];

describe('an update', () => {
  for (const [what, updates, expected] of CASES) test(what, () => assert.equal(shown(apply(updates)), expected));
});

const DELTAS: readonly [desired: string, reported: string, delta: string | undefined][] = [
  ['{"online":true}', '{}', '{"online":true}'],
  ['{"online":true}', '{"online":false}', '{"online":true}'],
  ['{"enabled":true}', '{"online":false,"enabled":true}', undefined],
  ['{}', '{"a":1}', undefined],
  ['{"list":["a"]}', '{"list":["a","b"]}', '{"list":["a"]}'],
  ['{"a":{"b":{"c":"d2"}}}', '{"a":{"b":{"c":"d","e":"f"}}}', '{"a":{"b":{"c":"d2"}}}'],
  ['{"a1":{"b1":1},"a2":{"b2":2}}', '{"a1":{"b1":1}}', '{"a2":{"b2":2}}'],
  ['{"a":{"b1":{"c":"d"},"b2":"s"}}', '{"a":{"b1":{"c":"d"}}}', '{"a":{"b2":"s"}}'],
  ['{"a":1.0}', '{"a":1}', undefined],
  ['{"a":{"b":1}}', '{"a":1}', '{"a":{"b":1}}'],
  ['{"a":{}}', '{"b":1}', '{"a":{}}'],
  ['{"a":{}}', '{"a":{"b":1}}', undefined],
];

describe('the delta', () => {
  for (const [desired, reported, expected] of DELTAS)
    test(`of ${desired} and ${reported}`, () => {
      const delta = deltaOf(apply([`{"desired":${desired},"reported":${reported}}`]));
      assert.equal(delta && writeTree(delta), expected);
    });

  test('has the times of what is desired', () => {
    const desired = readTreeAt('{"a":1}', { depth: 64 }, 5);
    const delta = deltaOf({ desired: isJsonObject(desired) ? desired : undefined });
    assert.deepEqual(delta?.get('a'), (desired as ReadonlyMap<string, unknown>).get('a'));
  });
});

test('the size is that of both sections without white space, in bytes (page diagnosing-shadows)', () => {
  const state = apply(['{"desired": {"a" : "é"}, "reported": {"b": [1, 2]}}']);
  assert.equal(documentBytes(stateMembers(state)), '{"a":"xx"}'.length + '{"b":[1,2]}'.length);
});
